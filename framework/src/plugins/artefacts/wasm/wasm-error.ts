/** The errors of WebAssembly plugins: one place for their codes and for what a trap is called. */
import { PluginError } from '@bifrost/sdk';

export type WasmErrorCode =
  /** The bytes are no module that can be loaded. */
  | 'BF_PLUGIN_WASM_INVALID'
  | 'BF_PLUGIN_WASM_ABI'
  | 'BF_PLUGIN_WASM_EXPORT'
  | 'BF_PLUGIN_WASM_IMPORT'
  | 'BF_PLUGIN_WASM_MEMORY'
  /** A call trapped; the instance was replaced. */
  | 'BF_PLUGIN_WASM_TRAP'
  /** A call returned bytes that are no answer. */
  | 'BF_PLUGIN_WASM_OUTPUT'
  /** A call said itself that it failed. */
  | 'BF_PLUGIN_WASM_FAILED';

export function wasmError(plugin: string, code: WasmErrorCode, message: string, cause?: unknown): PluginError {
  return new PluginError(plugin, message, { code, ...(cause === undefined ? {} : { cause }) });
}

/** The guest has called `proc_exit`. */
export class GuestExit extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`it called proc_exit(${status})`);
    this.name = 'GuestExit';
    this.status = status;
  }
}

/** A function of the host was called with what it cannot take, such as a range outside of the guest's memory. */
export class HostCallError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'HostCallError';
  }
}

/** A JavaScript or WebAssembly frame of a stack that lies in a module: `at name (wasm://wasm/hash:wasm-function[7]:0x1f)`. */
const wasmFrame = /^\s*at (?:(?:async )?(.*?) \()?wasm:\/\/\S*?wasm-function\[(\d+)\]/gm;
const maxFrames = 3;

/** `f <- g <- h`: the functions that a trap came from, innermost first, by the names that the module's name section gives. */
function framesOf(stack: string): string {
  const frames = [...stack.matchAll(wasmFrame)]
    .slice(0, maxFrames)
    .map(([, name = '', index = '']) => name.replace(/^.*?\.(?=[^.])/, '') || `function ${index}`);
  return frames.length === 0 ? '' : ` in ${frames.join(' <- ')}`;
}

/** Words for what ended a call from inside: the trap's name as V8 has it, and where in the module it was. */
export function describeTrap(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'it threw an exception that nobody caught';
  const where = framesOf(thrown.stack ?? '');
  if (thrown instanceof GuestExit || thrown instanceof HostCallError) return `${thrown.message}${where}`;
  if (thrown instanceof RangeError && thrown.message.startsWith('Maximum call stack')) {
    return `trap: stack overflow${where}`;
  }
  if (thrown instanceof WebAssembly.RuntimeError) return `trap: ${thrown.message}${where}`;
  return `${thrown.name}: ${thrown.message}${where}`;
}
