/** What AssemblyScript's compiler imports from `env` on its own: https://www.assemblyscript.org/concepts.html */
import { randomBytes } from 'node:crypto';
import type { HostScope } from './host-scope.ts';
import { HostCallError } from './wasm-error.ts';

/** An AssemblyScript string: UTF-16, its length in bytes in the word before it. */
function readString(scope: HostScope, pointer: number): string {
  if (pointer === 0) return '';
  const length = scope.memory.range((pointer >>> 0) - 4, 4, 'a string').readUInt32LE();
  return scope.memory.range(pointer, length, 'a string').toString('utf16le');
}

export function assemblyScriptFunctions(scope: HostScope) {
  return {
    abort(message: number, file: number, line: number, column: number): never {
      const place = file === 0 ? '' : ` (${readString(scope, file)}:${line}:${column})`;
      throw new HostCallError(`it aborted: ${readString(scope, message) || 'no message'}${place}`);
    },
    seed: (): number => randomBytes(6).readUIntLE(0, 6),
    trace(message: number, count: number, ...numbers: number[]): void {
      scope.log.info([readString(scope, message), ...numbers.slice(0, count)].join(' '));
    },
  };
}
