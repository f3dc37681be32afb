/** From a file to a plugin: read, check, cap, compile, link, and ask the guest who it is. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { WasmFormatError } from './binary/byte-reader.ts';
import { capMemory, pageBytes } from './binary/cap-memory.ts';
import { readWasm } from './binary/read-wasm.ts';
import type { WasmBinary } from './binary/read-wasm.ts';
import { loadAbi1 } from './abi-v1/load-abi-v1.ts';
import type { ArtefactRequest, LoadedArtefact } from '../artefact-loader.ts';
import { loadBifrostAbi } from './bifrost-abi/load-bifrost-abi.ts';
import type { Environment } from '../../../config/references.ts';
import { Guest } from './guest.ts';
import { HostScope } from './host-scope.ts';
import { checkExports, detectAbi } from './known-abis.ts';
import { linkImports } from './link-imports.ts';
import { GrantedPaths } from './wasi/granted-paths.ts';
import { createWasi } from './wasi/wasi-functions.ts';
import { wasmError } from './wasm-error.ts';

/** What a plugin may grow to where its entry does not say. */
export const defaultMaxMemoryBytes = 64 * 1024 * 1024;

/** The greatest that a 32-bit memory can be. */
const maxPages = 65_536;

async function readModule(request: ArtefactRequest): Promise<{ bytes: Uint8Array; binary: WasmBinary }> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(request.file);
  } catch (cause) {
    throw wasmError(
      request.name,
      'BF_PLUGIN_WASM_INVALID',
      `${request.file} cannot be read: ${cause instanceof Error ? cause.message : 'unknown reason'}`,
      cause,
    );
  }
  try {
    return { bytes, binary: readWasm(bytes) };
  } catch (thrown) {
    if (!(thrown instanceof WasmFormatError)) throw thrown;
    throw wasmError(
      request.name,
      'BF_PLUGIN_WASM_INVALID',
      `${request.file} cannot be loaded: ${thrown.message} (at byte ${thrown.offset})`,
      thrown,
    );
  }
}

/** The cap in pages. Throws PluginError where the module asks for more from the start. */
function pageCap({ name, maxMemoryBytes = defaultMaxMemoryBytes }: ArtefactRequest, binary: WasmBinary): number {
  const pages = Math.min(maxPages, Math.floor(maxMemoryBytes / pageBytes));
  const [memory] = [
    ...binary.memories,
    ...binary.imports.flatMap(({ limits }) => (limits === undefined ? [] : [limits])),
  ];
  if (memory === undefined) {
    throw wasmError(name, 'BF_PLUGIN_WASM_MEMORY', 'it has no memory: it must define one and export it as "memory"');
  }
  if (memory.minimum <= pages) return pages;
  throw wasmError(
    name,
    'BF_PLUGIN_WASM_MEMORY',
    `it begins with ${memory.minimum * pageBytes} bytes of memory, and is allowed ${maxMemoryBytes}: ` +
      "build it with less, or raise the plugin's memory limit",
  );
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

/** Loads the module of `request`. `environment` is what granted variables are taken from. Rejects with PluginError. */
export async function loadWasm(request: ArtefactRequest, environment: Environment): Promise<LoadedArtefact> {
  const { name, grants } = request;
  const { bytes, binary } = await readModule(request);
  const abi = detectAbi(name, binary);
  checkExports(name, abi, binary);
  const pages = pageCap(request, binary);
  const scope = new HostScope(request.log);
  const wasi = createWasi({
    scope,
    environment: (grants.env ?? []).flatMap((variable) => {
      const value = environment[variable];
      return value === undefined ? [] : [`${variable}=${value}`];
    }),
    paths: new GrantedPaths(grants.fs, dirname(request.file)),
  });
  const imports = linkImports(name, binary, scope, wasi);
  const module = await compile(name, capMemory(bytes, binary, pages));
  const guest = new Guest({
    plugin: name,
    module,
    imports,
    attach(memory) {
      scope.attach(memory);
      wasi.reset();
    },
    ...memoryMaker(binary, pages),
    maxMemoryBytes: pages * pageBytes,
    log: request.log,
  });
  const plugin =
    abi === 'bifrost-plugin/1' ? loadAbi1(request, guest, scope) : loadBifrostAbi(request, { guest, scope, binary });
  return {
    module: { default: plugin },
    unload() {
      guest.unload();
      wasi.close();
    },
    memoryBytes: () => guest.memoryBytes,
  };
}
