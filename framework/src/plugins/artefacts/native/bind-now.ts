import { constants } from 'node:os';
import type * as FFI from 'node:ffi';

type Ffi = typeof FFI;

const loaderFunctions = {
  dlopen: { arguments: ['pointer', 'i32'], return: 'pointer' },
  dlerror: { arguments: [], return: 'pointer' },
  dlclose: { arguments: ['pointer'], return: 'i32' },
} as const satisfies FFI.FunctionDefinitions;

/**
 * Opens `file` with all its symbols bound, runs `load` and gives that handle back. Node opens libraries with lazy binding, where a
 * function that no library has ends the process at its first call; bound at once it is an error. Throws Error with what the system's
 * loader says.
 */
export function withSymbolsBound<Result>(ffi: Ffi, file: string, load: () => Result): Result {
  if (process.platform === 'win32') return load();
  const { functions } = ffi.dlopen(null, loaderFunctions);
  const handle: bigint = functions.dlopen(file, constants.dlopen.RTLD_NOW);
  if (handle === 0n) throw new Error(ffi.toString(functions.dlerror()) ?? 'no reason given');
  try {
    return load();
  } finally {
    functions.dlclose(handle);
  }
}
