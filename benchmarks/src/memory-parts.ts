/** The parts of a gateway's memory, as its own threads say (`memory-probe.cjs`). */
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What one thread holds, in bytes. */
export interface ThreadMemory {
  readonly threadId: number;
  readonly name: string;
  /** Of its heap, what objects take, and what it has from the system. */
  readonly used: number;
  readonly total: number;
  /** Buffers that hang on its objects. */
  readonly external: number;
}

/** What the C library's allocator holds, in bytes: all arenas together. */
export interface AllocatorMemory {
  /** In use by somebody. */
  readonly used: number;
  /** Given back by the program, and not to the system. */
  readonly free: number;
  /** Large blocks, each mapped alone. */
  readonly mapped: number;
}

export interface MemoryParts {
  /** Resident bytes of the process. */
  readonly resident: number;
  readonly threads: readonly ThreadMemory[];
  /** Undefined with another C library than glibc. */
  readonly allocator?: AllocatorMemory;
}

export interface LookOptions {
  /** Collect the garbage of every thread before it is looked at. */
  readonly doesCollect?: boolean;
  /** Have the allocator give back to the system what it can. */
  readonly doesTrim?: boolean;
}

const answerWithinMs = 20_000;
let lastProbe = 0;

/** Looks into a program that was started with its `nodeFlags` and `environment`. */
export class MemoryProbe {
  readonly #socket: string;
  readonly nodeFlags: readonly string[] = ['--require', join(import.meta.dirname, 'memory-probe.cjs')];

  constructor() {
    lastProbe += 1;
    this.#socket = join(tmpdir(), `bifrost-probe-${process.pid}-${lastProbe}.sock`);
  }

  get environment(): Readonly<Record<string, string>> {
    return { BIFROST_PROBE: this.#socket };
  }

  /** Rejects where the program does not answer. */
  look({ doesCollect = false, doesTrim = false }: LookOptions = {}): Promise<MemoryParts> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#socket);
      const timer = setTimeout(() => {
        socket.destroy();
        reject(new Error(`the program did not say within ${answerWithinMs} ms what its memory is`));
      }, answerWithinMs);
      let text = '';
      socket.on('error', reject);
      socket.on('data', (bytes: Buffer) => {
        text += bytes.toString();
        if (!text.endsWith('\n')) return;
        clearTimeout(timer);
        socket.destroy();
        resolve(JSON.parse(text) as MemoryParts);
      });
      socket.write(JSON.stringify({ collect: doesCollect, trim: doesTrim }));
    });
  }
}

export const toMegabytes = (bytes: number): number => bytes / 1_048_576;

/** Megabytes that somebody holds: objects, their buffers and what else came from the allocator, in which the buffers are. */
export function heldMegabytes({ threads, allocator }: MemoryParts): number {
  const objects = threads.reduce((sum, { used }) => sum + used, 0);
  const others = allocator?.used ?? threads.reduce((sum, { external }) => sum + external, 0);
  return toMegabytes(objects + others + (allocator?.mapped ?? 0));
}

/** Megabytes that nobody holds and the system has not got back. */
export function idleMegabytes({ threads, allocator }: MemoryParts): {
  readonly heaps: number;
  readonly allocator: number;
} {
  const heaps = threads.reduce((sum, { used, total }) => sum + total - used, 0);
  return { heaps: toMegabytes(heaps), allocator: toMegabytes(allocator?.free ?? 0) };
}
