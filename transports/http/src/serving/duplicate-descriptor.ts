/**
 * Copies of descriptors that no program inherits which the gateway starts: with the listening socket a plugin's process could answer callers
 * in the gateway's place, with a connection read what one of them sends.
 */
import { GatewayError } from '@bifrost/sdk';
import { importFfiQuietly } from '../program/import-ffi.ts';

/** F_DUPFD_CLOEXEC of Linux, where `fcntl` takes its last argument as any other function; elsewhere two calls do it. */
const duplicateClosing = 1030;
/** FIOCLEX, which takes no argument: the systems of Apple pass those of `fcntl` and `ioctl` in another way than ours. */
const closeInPrograms = process.platform === 'linux' ? 0x5451n : 0x2000_6601n;

/** Calls of libc, which Node has no API for: the program itself has it on every Unix. */
export interface DescriptorCalls {
  /** A negative number where there is no duplicate. */
  readonly duplicate: (descriptor: number) => number;
  /** Programs that are started from now on do not have it. */
  readonly keepFromPrograms: (descriptor: number) => void;
}

export async function openDescriptorCalls(): Promise<DescriptorCalls> {
  const ffi = await importFfiQuietly();
  const { functions } = ffi.dlopen(null, {
    dup: { arguments: ['i32'], return: 'i32' },
    fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    ioctl: { arguments: ['i32', 'u64'], return: 'i32' },
  });
  const keepFromPrograms = (descriptor: number): void => void functions.ioctl(descriptor, closeInPrograms);
  return {
    keepFromPrograms,
    duplicate(descriptor) {
      if (process.platform === 'linux') return functions.fcntl(descriptor, duplicateClosing, 0);
      const copy = functions.dup(descriptor);
      if (copy >= 0) keepFromPrograms(copy);
      return copy;
    },
  };
}

/**
 * A duplicate of a file descriptor. Each serving thread listens on one of its own, so that closing it leaves the socket of the
 * others alone.
 */
export async function duplicateDescriptor(descriptor: number): Promise<number> {
  const duplicate = (await openDescriptorCalls()).duplicate(descriptor);
  if (duplicate >= 0) return duplicate;
  throw new GatewayError('the listening socket could not be duplicated (too many open files?)', {
    code: 'BF_HTTP_LISTEN_FAILED',
    statusCode: 500,
  });
}
