/** One opened shared library with the functions of `bifrost_plugin.h`, as one thread calls them. */
import type * as FFI from 'node:ffi';
import { isJsonObject, PluginError } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import { answerHostRequest } from '../json-abi/host-request.ts';
import type { HostContext } from '../json-abi/host-request.ts';
import { PluginMemory } from './plugin-memory.ts';
import type { CallInput, PluginOutput } from './plugin-memory.ts';

type Ffi = typeof FFI;

/** The version of the C interface that this host speaks. */
export const nativeAbi = { major: 1, minor: 0 } as const;

/** What a library must export, and how it is called. */
const librarySignatures = {
  bifrost_plugin_abi: { arguments: [], return: 'u32' },
  bifrost_plugin_describe: { arguments: [], return: 'pointer' },
  bifrost_plugin_create: { arguments: ['pointer', 'pointer', 'pointer'], return: 'i32' },
  bifrost_plugin_call: { arguments: ['pointer', 'pointer', 'pointer'], return: 'i32' },
  bifrost_plugin_free_output: { arguments: ['pointer', 'pointer'], return: 'void' },
  bifrost_plugin_destroy: { arguments: ['pointer', 'pointer'], return: 'void' },
} as const satisfies FFI.FunctionDefinitions;

const statusWords: Readonly<Record<number, string>> = {
  1: 'failed',
  2: 'refuses its config',
  3: 'did not understand its input',
  4: 'panicked',
};
const levels = ['debug', 'info', 'warn', 'error'] as const;

type Functions = ReturnType<typeof openFunctions>;

function openFunctions(ffi: Ffi, file: string) {
  return ffi.dlopen(file, librarySignatures);
}

function parseFields(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  try {
    const fields: unknown = JSON.parse(text);
    return isJsonObject(fields) ? fields : { fields: text };
  } catch {
    // A log line is better with fields that cannot be read than lost.
    return { fields: text };
  }
}

export class NativeLibrary {
  readonly #plugin: string;
  readonly #ffi: Ffi;
  readonly #opened: Functions;
  readonly #memory: PluginMemory;
  /** Whose function runs now. */
  #context: HostContext | undefined;
  /** The last answer to the plugin, which has its address. */
  #reply: Buffer | undefined;
  #instance = 0n;
  #isClosed = false;

  /** Opens `file`. What its static constructors do is done now. Throws what node:ffi throws. */
  constructor(plugin: string, ffi: Ffi, file: string) {
    this.#plugin = plugin;
    this.#ffi = ffi;
    this.#opened = openFunctions(ffi, file);
    this.#memory = new PluginMemory(ffi, (nativeAbi.major << 16) | nativeAbi.minor);
    this.#registerHostFunctions();
  }

  /** An exception that leaves a callback ends the process: none may. */
  #registerHostFunctions(): void {
    const { lib } = this.#opened;
    const log = lib.registerCallback(
      { arguments: ['pointer', 'i32', 'pointer', 'pointer'], return: 'void' },
      (_host, level, message, fields): void => {
        try {
          const name = levels[Math.min(Math.max(level, 0), 3)] ?? 'info';
          this.#context?.log[name](this.#text(message) ?? '', parseFields(this.#text(fields)));
        } catch {
          // The log's contract is not to throw.
        }
      },
    );
    const request = lib.registerCallback(
      { arguments: ['pointer', 'pointer'], return: 'pointer' },
      (_host, json): bigint => {
        try {
          const reply = answerHostRequest(this.#context, this.#text(json) ?? '');
          this.#reply = Buffer.from(`${reply}\0`);
          return this.#ffi.getRawPointer(this.#reply);
        } catch {
          // Out of memory, at most: answerHostRequest does not throw.
          return 0n;
        }
      },
    );
    this.#memory.setHostFunctions(log, request);
  }

  /** The text at a pointer that a callback was given; node:ffi gives pointers as bigint there. */
  #text(pointer: unknown): string | undefined {
    return typeof pointer === 'bigint' ? (this.#ffi.toString(pointer) ?? undefined) : undefined;
  }

  /** Version of the interface that the library was compiled with. */
  abi(): { readonly major: number; readonly minor: number } {
    const abi = this.#opened.functions.bifrost_plugin_abi();
    return { major: abi >>> 16, minor: abi & 0xffff };
  }

  /** The text of `bifrost_plugin_describe`; undefined for NULL. */
  describe(): string | undefined {
    return this.#ffi.toString(this.#opened.functions.bifrost_plugin_describe()) ?? undefined;
  }

  create(context: HostContext, input: CallInput): void {
    const { addresses } = this.#memory;
    this.#memory.clearCreatedPlugin();
    this.#run('create', context, input, () =>
      this.#opened.functions.bifrost_plugin_create(addresses.call, addresses.plugin, addresses.output),
    );
    this.#instance = this.#memory.createdPlugin;
    if (this.#instance === 0n) throw this.#error('create succeeded, but left NULL for the plugin');
  }

  call(what: string, context: HostContext, input: CallInput): PluginOutput {
    if (this.#instance === 0n) throw this.#error(`${what} was called before create or after destroy`);
    return this.#callWith(this.#instance, what, context, input);
  }

  /** Calls what needs no plugin, with NULL for it and without services of the host. */
  view(what: string, input: CallInput): PluginOutput {
    if (this.#isClosed) throw this.#error(`${what} was called after the library was closed`);
    return this.#callWith(0n, what, undefined, input);
  }

  #callWith(instance: bigint, what: string, context: HostContext | undefined, input: CallInput): PluginOutput {
    const { addresses } = this.#memory;
    const { functions } = this.#opened;
    return this.#run(what, context, input, () =>
      functions.bifrost_plugin_call(instance, addresses.call, addresses.output),
    );
  }

  #run(what: string, context: HostContext | undefined, input: CallInput, run: () => number): PluginOutput {
    const memory = this.#memory;
    memory.prepare(input);
    this.#context = context;
    let status: number;
    try {
      status = run();
    } finally {
      this.#context = undefined;
      this.#reply = undefined;
      memory.release();
    }
    const hasOutput = memory.hasOutput;
    if (status === 0 && !hasOutput) return { text: undefined, attachments: [] };
    let output: PluginOutput;
    try {
      output = memory.readOutput();
    } catch (cause) {
      throw this.#error(`${what}: ${cause instanceof Error ? cause.message : 'unreadable output'}`, cause);
    } finally {
      const owner = status === 0 ? this.#ownerOf(what) : this.#instance;
      if (hasOutput) this.#opened.functions.bifrost_plugin_free_output(owner, memory.addresses.output);
    }
    if (status === 0) return output;
    const word = statusWords[status] ?? `returned the unknown status ${status}`;
    throw this.#error(`${what} ${word}${output.text === undefined ? '' : `: ${output.text}`}`);
  }

  /** Of a create that succeeded the output belongs to the plugin that was made. */
  #ownerOf(what: string): bigint {
    return what === 'create' ? this.#memory.createdPlugin : this.#instance;
  }

  /** Destroys the plugin, if there is one. */
  destroy(context?: HostContext): void {
    const instance = this.#instance;
    if (instance === 0n) return;
    this.#instance = 0n;
    this.#context = context;
    try {
      this.#opened.functions.bifrost_plugin_destroy(instance, this.#memory.addresses.host);
    } finally {
      this.#context = undefined;
      this.#reply = undefined;
    }
  }

  /** Destroys what is left and closes the library; the system unmaps it when nobody else has it open. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.destroy();
    this.#opened.lib.close();
  }

  #error(message: string, cause?: unknown): PluginError {
    return new PluginError(this.#plugin, message, {
      code: 'BF_PLUGIN_NATIVE_CALL_FAILED',
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
