/**
 * How long a thread of this process has been ready to run and was not run, because others had the processors. Linux counts it for
 * every thread; elsewhere nothing is known, and a thread that waits looks like one that stands still.
 */
import { readFileSync, readlinkSync } from 'node:fs';

/** A thread that only waits for a processor may take so many times as long as one that has it. */
export const starvedFactor = 10;

/** The number of the calling thread, as the kernel counts; 0 where it does not say. */
export function ownKernelThread(): number {
  try {
    return Number(/\d+$/.exec(readlinkSync('/proc/thread-self'))?.[0] ?? 0);
  } catch {
    return 0;
  }
}

/** Milliseconds that the thread has waited for a processor in its life; undefined where nobody counts, or there is no such thread. */
export function processorWaitMs(kernelThread: number): number | undefined {
  if (kernelThread === 0) return undefined;
  try {
    // Nanoseconds on a processor, nanoseconds of waiting for one, times that it was run.
    const [, waitedNs] = readFileSync(`/proc/self/task/${kernelThread}/schedstat`, 'latin1').split(' ');
    return waitedNs === undefined ? undefined : Number(waitedNs) / 1e6;
  } catch {
    return undefined;
  }
}

/** What a thread has waited for a processor since `begin`, or since the first look after it. */
export class ProcessorWait {
  readonly #kernelThread: () => number;
  #before: number | undefined;

  /** `kernelThread` is asked at every look: a thread that starts has no number yet. */
  constructor(kernelThread: () => number) {
    this.#kernelThread = kernelThread;
  }

  /** Counts anew. */
  reset(): void {
    this.#before = undefined;
  }

  /** Milliseconds; 0 at the first look, and where nobody counts. */
  look(): number {
    const total = processorWaitMs(this.#kernelThread());
    if (total === undefined) return 0;
    this.#before ??= total;
    return total - this.#before;
  }
}

/** Whether a thread ends within `ms`, what it waits for a processor not counted (up to a limit). */
export async function endsInTime(
  end: Promise<unknown>,
  ms: number,
  wait: Pick<ProcessorWait, 'look'>,
): Promise<boolean> {
  const startedAt = performance.now();
  wait.look();
  let leftMs = ms;
  while (leftMs > 0) {
    if (await endsWithin(end, Math.max(leftMs, 10))) return true;
    const elapsedMs = performance.now() - startedAt;
    leftMs = elapsedMs < starvedFactor * ms ? ms - (elapsedMs - wait.look()) : 0;
  }
  return false;
}

/** After `ms` what has come meanwhile is heard first: the thread that waits is short of time too. */
async function endsWithin(end: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => setImmediate(resolve, false), ms);
  const hasEnded = await Promise.race([end.then(() => true), promise]);
  clearTimeout(timer);
  return hasEnded;
}
