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

/** A module of ours with its memory; what it imports does nothing. */
function instantiate(file: string): WebAssembly.Exports {
  const module = new WebAssembly.Module(readFileSync(file));
  const imports: Record<string, Record<string, () => number>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module))
    (imports[from] ??= {})[name] = (): number => 0;
  const { exports } = new WebAssembly.Instance(module, imports);
  if (typeof exports['_initialize'] === 'function') exports['_initialize']();
  return exports;
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
  const { memory, bifrost_alloc: alloc, bifrost_call: run } = instantiate(file) as unknown as GuestExports;
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

interface BifrostExports {
  readonly memory: WebAssembly.Memory;
  readonly malloc: (size: number) => number;
  readonly free: (pointer: number) => void;
  readonly pre_hook: (pointer: number, length: number) => bigint;
}

/** Bifrost's own ABI: its envelope as JSON both ways, by its allocator. The conversation is in its form already, and the answer is not looked at. */
export function bifrostAbiFloor(file: string): Floor {
  const { memory, malloc, free, pre_hook: run } = instantiate(file) as unknown as BifrostExports;
  const parts = {
    provider: 'openai',
    model: 'm',
    fallbacks: [],
    input: [{ role: 'user', content: 'x'.repeat(300) }],
    params: {},
  };
  const request = { request_type: facts.requestType, ...parts, chat_request: parts };
  const envelope = { context: { request_id: facts.requestId }, request };
  return {
    call() {
      const json = JSON.stringify(envelope);
      const pointer = malloc(json.length);
      const length = Buffer.from(memory.buffer).write(json, pointer);
      const packed = run(pointer, length);
      const [at, size] = [Number(packed >> 32n), Number(packed & 0xffff_ffffn)];
      const answer = JSON.parse(Buffer.from(memory.buffer, at, size).toString()) as {
        readonly has_short_circuit: boolean;
      };
      free(pointer);
      return answer.has_short_circuit ? answer : undefined;
    },
    close: nothing,
  };
}

/** sdk/native/bifrost_plugin.h without a check: one call and one output in memory of ours. */
const hookNumbers = { preLLMHook: 3, httpTransportResponseHeadersHook: 6 } as const;
const at = { call: 0, output: 48, plugin: 88, text: 128 } as const;
const encoder = new TextEncoder();

export function nativeFloor(file: string, { isKept = false } = {}): Floor {
  const ffi = process.getBuiltinModule('node:ffi');
  const { functions, lib } = ffi.dlopen(file, {
    bifrost_plugin_create: { arguments: ['pointer', 'pointer', 'pointer'], return: 'i32' },
    bifrost_plugin_call: { arguments: ['pointer', 'pointer', 'pointer'], return: 'i32' },
    bifrost_plugin_free_output: { arguments: ['pointer', 'pointer'], return: 'void' },
  });
  const buffer = new ArrayBuffer(65_536);
  const base = ffi.getRawPointer(buffer);
  const [numbers, words] = [new Uint32Array(buffer), new BigUint64Array(buffer)];
  const text = new Uint8Array(buffer, at.text);
  // What `create` reads: a configuration without a member.
  const config = encoder.encodeInto('{"config":{}}', text);
  numbers[at.call / 4 + 6] = config.written;
  words[at.call / 8 + 2] = base + BigInt(at.text);
  const [call, output, made] = [base, base + BigInt(at.output), base + BigInt(at.plugin)];
  functions.bifrost_plugin_create(call, made, output);
  const plugin = words[at.plugin / 8] ?? 0n;
  return {
    call(hook) {
      const { written } = encoder.encodeInto(textOf(hook), text);
      text[written] = 0;
      numbers[at.call / 4 + 1] = hookNumbers[hook.name];
      numbers[at.call / 4 + 6] = written;
      words[at.output / 8 + 1] = 0n;
      functions.bifrost_plugin_call(plugin, call, output);
      const answer = words[at.output / 8 + 1] ?? 0n;
      if (answer === 0n) return undefined;
      const value: unknown = JSON.parse(ffi.toString(answer) ?? '');
      functions.bifrost_plugin_free_output(plugin, output);
      return value;
    },
    // A library of Go cannot be unloaded.
    close: () => {
      if (!isKept) lib.close();
    },
  };
}
