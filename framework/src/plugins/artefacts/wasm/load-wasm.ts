/** From a file to a plugin: read, examine, cap, compile, link, and ask the guest who it is. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Environment } from '../../../config/references.ts';
import type { ArtefactRequest, LoadedArtefact } from '../artefact-loader.ts';
import { loadAbi1 } from './abi-v1/load-abi-v1.ts';
import { loadBifrostAbi } from './bifrost-abi/load-bifrost-abi.ts';
import { capMemory, pageBytes } from './binary/cap-memory.ts';
import type { WasmBinary } from './binary/read-wasm.ts';
import { examineWasm } from './examine-wasm.ts';
import type { ExaminedWasm } from './examine-wasm.ts';
import { Guest } from './guest.ts';
import { HostScope } from './host-scope.ts';
import { linkImports } from './link-imports.ts';
import { wasmError } from './wasm-error.ts';
import { GrantedPaths } from './wasi/granted-paths.ts';
import { createWasi } from './wasi/wasi-functions.ts';
import type { Wasi } from './wasi/wasi-functions.ts';

async function readModule({ name, file }: ArtefactRequest): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown reason';
    throw wasmError(name, 'BF_PLUGIN_WASM_INVALID', `${file} cannot be read: ${reason}`, cause);
  }
}

async function compile(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/^WebAssembly\.compile\(\): /, '') : 'unknown reason';
    throw wasmError(name, 'BF_PLUGIN_WASM_INVALID', `its code is not valid WebAssembly: ${reason}`, cause);
  }
}

function memoryMaker(binary: WasmBinary, pages: number): { readonly createMemory?: () => WebAssembly.Memory } {
  const limits = binary.imports.find(({ kind }) => kind === 'memory')?.limits;
  if (limits === undefined) return {};
  const { minimum, maximum = pages } = limits;
  return {
    createMemory: () =>
      new WebAssembly.Memory({ initial: minimum, maximum: Math.max(minimum, Math.min(maximum, pages)) }),
  };
}

function openWasi({ grants, file }: ArtefactRequest, scope: HostScope, environment: Environment): Wasi {
  const variables = (grants.env ?? []).flatMap((variable) => {
    const value = environment[variable];
    return value === undefined ? [] : [`${variable}=${value}`];
  });
  return createWasi({ scope, environment: variables, paths: new GrantedPaths(grants.fs, dirname(file)) });
}

interface GuestParts extends ExaminedWasm {
  readonly module: WebAssembly.Module;
  readonly scope: HostScope;
  readonly wasi: Wasi;
}

function createGuest({ name, log }: ArtefactRequest, { binary, maxPages, module, scope, wasi }: GuestParts): Guest {
  return new Guest({
    plugin: name,
    module,
    imports: linkImports(binary, scope, wasi),
    attach(memory) {
      scope.attach(memory);
      wasi.reset();
    },
    ...memoryMaker(binary, maxPages),
    maxMemoryBytes: maxPages * pageBytes,
    log,
  });
}

/** Loads the module of `request`. `environment` is what granted variables are taken from. Rejects with PluginError. */
export async function loadWasm(request: ArtefactRequest, environment: Environment): Promise<LoadedArtefact> {
  const { name, file, maxMemoryBytes } = request;
  const bytes = await readModule(request);
  const examined = examineWasm(name, { file, bytes, ...(maxMemoryBytes === undefined ? {} : { maxMemoryBytes }) });
  const module = await compile(name, capMemory(bytes, examined.binary, examined.maxPages));
  const scope = new HostScope(request.log);
  const wasi = openWasi(request, scope, environment);
  const guest = createGuest(request, { ...examined, module, scope, wasi });
  const unload = (): void => {
    guest.unload();
    wasi.close();
  };
  try {
    const { binary, abi } = examined;
    const plugin =
      abi === 'bifrost-plugin/1' ? loadAbi1(request, guest, scope) : loadBifrostAbi(request, { guest, scope, binary });
    return { module: { default: plugin }, unload, memoryBytes: () => guest.memoryBytes };
  } catch (thrown) {
    // What the guest opened while it was asked is closed.
    unload();
    throw thrown;
  }
}
