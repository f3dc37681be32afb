import { GatewayError } from '@bifrost/sdk';

/**
 * A duplicate of a file descriptor. Each serving thread listens on one of its own, so that closing it leaves the socket of the
 * others alone. Node has no API for it: libc's `dup` is called, which is in the program itself on every Unix.
 */
export async function duplicateDescriptor(descriptor: number): Promise<number> {
  const ffi = await import('node:ffi');
  const { functions } = ffi.dlopen(null, { dup: { arguments: ['i32'], return: 'i32' } });
  const duplicate: number = functions.dup(descriptor);
  if (duplicate >= 0) return duplicate;
  throw new GatewayError('the listening socket could not be duplicated (too many open files?)', {
    code: 'BF_HTTP_LISTEN_FAILED',
    statusCode: 500,
  });
}
