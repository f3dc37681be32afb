/**
 * What the child does with the C library at its start, while it may: it takes descriptors from the gateway, shares the mark of the
 * hook that it runs, ends with its parent and gives up the way to new privileges. Afterwards the right to `node:ffi` is dropped; the
 * functions bound here stay with the runner.
 */
import { closeSync } from 'node:fs';
import { hookNames } from '@bifrost/sdk';
import { DescriptorMessage, loadFfi } from '../supervisor/posix-calls.ts';
import type { ActivityMark } from './runner-connection.ts';

/** Where the child finds what it inherits. */
export const inherited = { control: 3, handing: 4, activity: 5 } as const;

export interface DescriptorSource {
  /** The descriptor that the gateway has handed over; undefined where there is none. */
  take(): number | undefined;
  readonly activity: ActivityMark;
}

const [dieWithParent, noNewPrivileges, kill] = [1, 38, 9n];
/** MSG_DONTWAIT | MSG_CMSG_CLOEXEC */
const receiveFlags = 0x40000040;
const [readWrite, shared, mapBytes] = [3, 1, 4096n];

/** Binds the calls and takes effect at once. To be called before any code of the plugin runs. */
export function openDescriptorSource(): DescriptorSource | undefined {
  const ffi = loadFfi();
  if (ffi === undefined) return undefined;
  const { functions } = ffi.dlopen(null, {
    recvmsg: { arguments: ['i32', 'pointer', 'i32'], return: 'i64' },
    prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
    mmap: { arguments: ['u64', 'u64', 'i32', 'i32', 'i32', 'i64'], return: 'pointer' },
  });
  functions.prctl(dieWithParent, kill, 0n, 0n, 0n);
  functions.prctl(noNewPrivileges, 1n, 0n, 0n, 0n);
  const message = new DescriptorMessage((memory) => ffi.getRawPointer(memory));
  const address = functions.mmap(0n, mapBytes, readWrite, shared, inherited.activity, 0n);
  // The memory stays; by the file a plugin could take as much more as there is, which nobody would count as its own.
  closeSync(inherited.activity);
  const mark = new Int32Array(ffi.toArrayBuffer(address, 4, false));
  const numbers = new Map(hookNames.map((hook, index) => [hook, index + 1]));
  const { recvmsg } = functions;
  return {
    take() {
      message.reset();
      const isReceived = recvmsg(inherited.handing, message.pointer, receiveFlags) === 1n;
      return isReceived && message.descriptor >= 0 ? message.descriptor : undefined;
    },
    activity: {
      enter: (hook) => {
        mark[0] = numbers.get(hook) ?? 0;
      },
      leave: () => {
        mark[0] = 0;
      },
    },
  };
}
