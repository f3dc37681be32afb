/** Bare calls in this thread: of a function, of an export of a WebAssembly module, of a function of a shared library. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { HookName } from '@bifrost/sdk';
import type { Floor } from './floor.ts';
import { facts } from './measured-hooks.ts';
import type { MeasuredHook } from './measured-hooks.ts';

type Handler = (context: object, input: object) => unknown;
type PluginModule = Readonly<Partial<Record<HookName, Handler | { readonly handler: Handler }>>>;

const nothing = (): void => undefined;

/** Calls the handlers of a module or an add-on. */
function functionFloor(plugin: PluginModule): Floor {
  const context = { facts };
  const handlers = new Map(
    Object.entries(plugin).flatMap(([name, declared]) => {
      if (typeof declared === 'function') return [[name, declared] as const];
      return typeof declared === 'object' ? [[name, declared.handler] as const] : [];
    }),
  );
  return {
    call: ({ name, input }) => handlers.get(name)?.(context, input),
    close: nothing,
  };
}

export async function moduleFloor(file: string): Promise<Floor> {
  const loaded = (await import(`${pathToFileURL(file).href}?bare`)) as { readonly default: PluginModule };
  return functionFloor(loaded.default);
}

export function addonFloor(file: string): Floor {
  return functionFloor(createRequire(import.meta.url)(file) as PluginModule);
}

const factsText = JSON.stringify(facts);
/** The one JSON text that the gateway's two binary interfaces both carry. */
const textOf = ({ input }: MeasuredHook): string => `{"facts":${factsText},"input":${JSON.stringify(input)}}`;

interface GuestExports {
  readonly memory: WebAssembly.Memory;
  readonly bifrost_alloc: (size: number) => number;
  readonly bifrost_call: (operation: number, pointer: number, length: number) => number;
}

/** docs/plugins/wasm-abi.md without a check. */
const operations = { preLLMHook: 19, httpTransportResponseHeadersHook: 22 } as const;

export function wasmFloor(file: string): Floor {
  const module = new WebAssembly.Module(readFileSync(file));
  const stubs = WebAssembly.Module.imports(module).map(
    ({ module: from, name }) => [from, name, (): number => 0] as const,
  );
  const imports: Record<string, Record<string, () => number>> = {};
  for (const [from, name, stub] of stubs) (imports[from] ??= {})[name] = stub;
  const instance = new WebAssembly.Instance(module, imports);
  // The module is ours.
  const { memory, bifrost_alloc: alloc, bifrost_call: run } = instance.exports as unknown as GuestExports;
  const pointer = alloc(65_536);
  let [bytes, view] = [Buffer.from(memory.buffer), new DataView(memory.buffer)];
  return {
    call(hook) {
      // A memory that has grown has another buffer.
      if (bytes.length === 0) [bytes, view] = [Buffer.from(memory.buffer), new DataView(memory.buffer)];
      const length = bytes.write(textOf(hook), pointer + 12);
      view.setUint32(pointer, 0, true);
      view.setUint32(pointer + 4, length, true);
      view.setUint32(pointer + 8, 0, true);
      const answer = run(operations[hook.name], pointer, length + 12);
      if (answer === 0) return undefined;
      if (bytes.length === 0) [bytes, view] = [Buffer.from(memory.buffer), new DataView(memory.buffer)];
      const size = view.getUint32(answer + 4, true);
      return JSON.parse(bytes.toString('utf8', answer + 12, answer + 12 + size)) as unknown;
    },
    close: nothing,
  };
}

/** sdk/native/bifrost_plugin.h without a check: one call and one output in memory of ours. */
const hookNumbers = { preLLMHook: 3, httpTransportResponseHeadersHook: 6 } as const;
const at = { call: 0, output: 48, plugin: 88, text: 128 } as const;

export function nativeFloor(file: string): Floor {
  const ffi = process.getBuiltinModule('node:ffi');
  const { functions, lib } = ffi.dlopen(file, {
    bifrost_plugin_create: { arguments: ['pointer', 'pointer', 'pointer'], return: 'i32' },
    bifrost_plugin_call: { arguments: ['pointer', 'pointer', 'pointer'], return: 'i32' },
  });
  const buffer = new ArrayBuffer(65_536);
  const base = ffi.getRawPointer(buffer);
  const [numbers, words] = [new Uint32Array(buffer), new BigUint64Array(buffer)];
  const text = new Uint8Array(buffer, at.text);
  const [call, output, made] = [base, base + BigInt(at.output), base + BigInt(at.plugin)];
  functions.bifrost_plugin_create(call, made, output);
  const plugin = words[at.plugin / 8] ?? 0n;
  words[at.call / 8 + 2] = base + BigInt(at.text);
  const encoder = new TextEncoder();
  return {
    call(hook) {
      const { written } = encoder.encodeInto(textOf(hook), text);
      text[written] = 0;
      numbers[at.call / 4 + 1] = hookNumbers[hook.name];
      numbers[at.call / 4 + 6] = written;
      words[at.output / 8 + 1] = 0n;
      functions.bifrost_plugin_call(plugin, call, output);
      const answer = words[at.output / 8 + 1] ?? 0n;
      return answer === 0n ? undefined : (JSON.parse(ffi.toString(answer) ?? '') as unknown);
    },
    close: () => lib.close(),
  };
}
