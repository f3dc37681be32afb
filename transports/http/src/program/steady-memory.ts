/**
 * Has the C library give memory back. What threads free stays in glibc's arenas, where a little that is still in use keeps much from the
 * system: a burst of streams or a few large bodies would be paid for as long as the process lives (60 to 340 MB were measured). Two remedies:
 * large blocks are mapped each by itself, which glibc does only until the first of them is freed; and what is free in the arenas is given back
 * whenever resident memory has grown. Where the C library is another one, nothing is done.
 */
import { availableParallelism } from 'node:os';
import { importFfiQuietly } from './import-ffi.ts';

export interface Allocator {
  /** From now on large blocks go back to the system with their end, and there are no more arenas than threads that can run at once. */
  limit(): void;
  /** Gives back the pages that nobody uses. Takes some ms for each 100 MB, in which other threads may wait. */
  trim(): void;
}

/** Parameters of `mallopt`. Setting one keeps glibc from raising both by itself. */
const [trimThreshold, mapThreshold, arenaMax] = [-1, -3, -8];
/** A body of a megabyte is rare enough that its pages may come fresh from the system. */
const mappedFromBytes = 1_048_576;
const keptAtTopBytes = 2_097_152;
/** Threads that come later (plugins that are loaded anew) share the arenas that there are: each new one would be filled and then kept. */
const arenas = Math.max(4, availableParallelism());

/** glibc's allocator; undefined where it is another one. */
export async function openAllocator(): Promise<Allocator | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const { dlopen } = await importFfiQuietly();
    const { functions } = dlopen(null, {
      mallopt: { arguments: ['i32', 'i32'], return: 'i32' },
      malloc_trim: { arguments: ['u64'], return: 'i32' },
    });
    return {
      limit() {
        functions.mallopt(mapThreshold, mappedFromBytes);
        functions.mallopt(trimThreshold, keptAtTopBytes);
        functions.mallopt(arenaMax, arenas);
      },
      trim: () => void functions.malloc_trim(0n),
    };
  } catch {
    return undefined; // another C library, or a Node without its interface
  }
}

export interface SteadyMemoryOptions {
  readonly allocator: Allocator;
  /** @default that of this process */
  readonly residentBytes?: () => number;
  /** @default 10000 */
  readonly everyMs?: number;
  /** Growth of resident memory since the last time that is worth the pause. @default 16777216 */
  readonly grownBytes?: number;
}

/** Looks from time to time whether there is something to give back. Returns how to stop that. */
export function keepSteady({ allocator, ...options }: SteadyMemoryOptions): () => void {
  const { residentBytes = () => process.memoryUsage.rss(), everyMs = 10_000, grownBytes = 16_777_216 } = options;
  allocator.limit();
  let level = residentBytes();
  const timer = setInterval(() => {
    const resident = residentBytes();
    if (resident < level + grownBytes) {
      level = Math.min(level, resident);
      return;
    }
    allocator.trim();
    level = residentBytes();
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** For the life of the process. */
export async function keepMemorySteady(): Promise<void> {
  const allocator = await openAllocator();
  if (allocator !== undefined) keepSteady({ allocator });
}
