import * as net from 'node:net';
import { importFfiQuietly } from '../program/import-ffi.ts';
import { openDescriptorCalls } from '../serving/duplicate-descriptor.ts';

interface InertHandle {
  readonly fd: number;
}

interface NetInternals {
  _createServerHandle(address: string, port: number, family: 4): InertHandle | number;
}

let inert: InertHandle | undefined;

/**
 * Takes the listening socket away from a thread that is about to be ended: its descriptors are pointed (`dup2`) at a socket that
 * accepts nothing. Without this the dying thread's event loop turns once more, accepts what waits in the queue and drops it,
 * though another thread would have served it. The descriptors must be open and the thread standing still.
 */
export async function muteDescriptors(descriptors: readonly number[]): Promise<void> {
  if (descriptors.length === 0) return;
  const ffi = await importFfiQuietly();
  if (inert === undefined) {
    const handle = (net as unknown as NetInternals)._createServerHandle('127.0.0.1', 0, 4);
    if (typeof handle === 'number') return;
    inert = handle;
  }
  const { functions } = ffi.dlopen(null, { dup2: { arguments: ['i32', 'i32'], return: 'i32' } });
  const { keepFromPrograms } = await openDescriptorCalls();
  for (const descriptor of descriptors) {
    functions.dup2(inert.fd, descriptor);
    keepFromPrograms(descriptor);
  }
}
