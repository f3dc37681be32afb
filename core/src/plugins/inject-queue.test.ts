import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { chainsOf, trace } from './__tests__/chains-of.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('inject', () => {
  it('runs after finish has returned, once, for all plugins at the same time', async () => {
    const calls: string[] = [];
    const run = chainsOf([
      { name: 'slow', inject: () => new Promise((resolve) => setTimeout(() => (calls.push('slow'), resolve()), 50)) },
      { name: 'quick', inject: (_context, seen) => void calls.push(`quick ${seen.statusCode}`) },
    ]).open();
    run.finish(trace);
    run.finish(trace);
    expect(calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(50);
    expect(calls).toEqual(['quick 200', 'slow']);
  });

  it('keeps the request in flight until its last inject has ended', async () => {
    const { chains, open } = chainsOf([
      { name: 'slow', inject: () => new Promise((resolve) => setTimeout(resolve, 50)) },
      { name: 'broken', inject: () => Promise.reject(new Error('no')) },
    ]);
    const run = open();
    let isIdle = false;
    void chains.whenIdle().then(() => (isIdle = true));
    run.finish(trace);
    await vi.advanceTimersByTimeAsync(49);
    expect([chains.inFlight, isIdle]).toEqual([1, false]);
    await vi.advanceTimersByTimeAsync(1);
    expect([chains.inFlight, isIdle]).toEqual([0, true]);
  });

  it('gives up after the deadline: logged, counted, nothing else', async () => {
    const { chains, open, lines } = chainsOf([{ name: 'hangs', inject: () => new Promise(() => undefined) }]);
    open().finish(trace);
    await vi.advanceTimersByTimeAsync(5000);
    expect(lines).toEqual(['error hangs plugin hangs: inject did not settle within 5000 ms']);
    expect(chains.figures()[0]?.hooks.inject).toMatchObject({ calls: 1, timeouts: 1 });
    expect(chains.inFlight).toBe(0);
  });

  it('drops and counts what goes beyond the bound, per plugin', async () => {
    const { chains, open } = chainsOf(
      [
        { name: 'slow', inject: () => new Promise((resolve) => setTimeout(resolve, 50)) },
        { name: 'quick', inject: () => undefined },
      ],
      { injectConcurrency: 3 },
    );
    for (let index = 0; index < 5; index += 1) open().finish(trace);
    await vi.advanceTimersByTimeAsync(50);
    expect(chains.figures()[0]?.hooks.inject).toMatchObject({ calls: 3, dropped: 2 });
    expect(chains.figures()[1]?.hooks.inject).toMatchObject({ calls: 5, dropped: 0 });
    open().finish(trace);
    await vi.advanceTimersByTimeAsync(50);
    expect(chains.figures()[0]?.hooks.inject).toMatchObject({ calls: 4, dropped: 2 });
    for (let index = 0; index < 5; index += 1) open().finish(trace);
    await vi.advanceTimersByTimeAsync(50);
    expect(chains.figures()[0]?.hooks.inject).toMatchObject({ calls: 7, dropped: 4 });
    expect(chains.inFlight).toBe(0);
  });

  it('never touches the request when it throws, a guard neither', async () => {
    const { open, lines } = chainsOf([
      {
        name: 'bad',
        guard: true,
        inject: () => {
          throw new Error('no');
        },
      },
    ]);
    const run = open();
    run.finish(trace);
    await vi.advanceTimersByTimeAsync(1);
    expect(lines).toHaveLength(1);
    expect(run.denial).toBeUndefined();
  });
});
