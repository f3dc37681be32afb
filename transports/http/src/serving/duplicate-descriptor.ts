import { GatewayError } from '@bifrost/sdk';

/** libc's `dup`, which Node has no API for: the program itself has it on every Unix. A negative number where there is no duplicate. */
export async function openDuplicator(): Promise<(descriptor: number) => number> {
  const ffi = await import('node:ffi');
  const { functions } = ffi.dlopen(null, { dup: { arguments: ['i32'], return: 'i32' } });
  return (descriptor) => functions.dup(descriptor);
}

/**
 * A duplicate of a file descriptor. Each serving thread listens on one of its own, so that closing it leaves the socket of the
 * others alone.
 */
export async function duplicateDescriptor(descriptor: number): Promise<number> {
  const duplicate = (await openDuplicator())(descriptor);
  if (duplicate >= 0) return duplicate;
  throw new GatewayError('the listening socket could not be duplicated (too many open files?)', {
    code: 'BF_HTTP_LISTEN_FAILED',
    statusCode: 500,
  });
}
