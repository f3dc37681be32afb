import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { endsInTime, ownKernelThread, ProcessorWait, processorWaitMs } from './processor-wait.ts';

const isLinux = process.platform === 'linux';
const module = JSON.stringify(new URL('processor-wait.ts', import.meta.url).href);

/** A thread that loops, as the kernel counts. */
async function loopingThread(): Promise<{ readonly worker: Worker; readonly kernelThread: number }> {
  const code = `const { parentPort } = require('node:worker_threads');
    import(${module}).then(({ ownKernelThread }) => { parentPort.postMessage(ownKernelThread()); setTimeout(() => { for (;;); }, 20); });`;
  const worker = new Worker(code, { eval: true });
  const [kernelThread] = (await once(worker, 'message')) as [number];
  return { worker, kernelThread };
}

describe('the time that a thread waits for a processor', () => {
  it.runIf(isLinux)('is counted for each thread, from the first look', { timeout: 30_000 }, async () => {
    // More than there are processors: all together have no more than these, and wait for the rest.
    const count = 3 * availableParallelism();
    const threads = await Promise.all(Array.from({ length: count }, () => loopingThread()));
    await setTimeout(50);
    const waits = threads.map(({ kernelThread }) => new ProcessorWait(() => kernelThread));
    expect(waits.map((wait) => wait.look())).toEqual(waits.map(() => 0));
    const startedAt = performance.now();
    await setTimeout(600);
    const waitedMs = waits.reduce((sum, wait) => sum + wait.look(), 0);
    const ranAndWaitedMs = count * (performance.now() - startedAt);
    expect(waitedMs).toBeGreaterThan(ranAndWaitedMs * 0.4);
    expect(waitedMs).toBeLessThan(ranAndWaitedMs);
    const [first] = waits;
    first?.reset();
    expect(first?.look()).toBe(0);
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  });

  it('is not known where there is no such thread, and then taken for none', () => {
    expect(processorWaitMs(0)).toBeUndefined();
    expect(processorWaitMs(4_194_305)).toBeUndefined();
    const wait = new ProcessorWait(() => 0);
    expect([wait.look(), wait.look()]).toEqual([0, 0]);
    if (isLinux) expect(processorWaitMs(ownKernelThread())).toBeGreaterThanOrEqual(0);
  });
});

describe('a thread that is told to end', () => {
  const never = new Promise(() => undefined);
  const after = (ms: number): Promise<void> => setTimeout(ms);

  it('has the time that it waits for a processor on top', async () => {
    const startedAt = performance.now();
    const starved = { look: () => 0.75 * (performance.now() - startedAt) };
    expect(await endsInTime(after(150), 100, starved)).toBe(true);
    expect(await endsInTime(after(150), 50, { look: () => 0 })).toBe(false);
  });

  it('does not have it for ever', async () => {
    const startedAt = performance.now();
    expect(await endsInTime(never, 20, { look: () => performance.now() - startedAt })).toBe(false);
    expect(performance.now() - startedAt).toBeGreaterThan(190);
  });

  it('that has ended while nobody could hear it has ended', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const ends = endsInTime(promise, 50, { look: () => 0 });
    const blockedUntil = performance.now() + 120;
    // As an event that waits behind the timer in the turn that comes next.
    setImmediate(resolve);
    while (performance.now() < blockedUntil);
    expect(await ends).toBe(true);
  });
});
