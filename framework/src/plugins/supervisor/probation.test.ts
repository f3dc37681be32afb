import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PluginEntry } from '../plugin-entry.ts';
import type { PluginSlot } from './managed-plugin.ts';
import { PluginLoad } from './plugin-load.ts';
import { Probation } from './probation.ts';
import type { ThreadAnswer } from './thread-group.ts';

interface Calls {
  readonly calls: number;
  readonly errors?: number;
  readonly timeouts?: number;
}

function slotOf(rest: Partial<PluginEntry> = {}): PluginSlot {
  const entry: PluginEntry = { name: 'p', path: './p.mjs', enabled: true, ...rest };
  return { entry, load: new PluginLoad(entry, new SharedArrayBuffer(8)) };
}

/** What a thread says that serves `load`. */
function answerOf(load: number, { calls, errors = 0, timeouts = 0 }: Calls, more: object = {}): ThreadAnswer {
  const hook = { calls, errors, timeouts };
  const figures = [{ plugin: 'p', state: 'active', failuresInARow: 0, hooks: { preLLMHook: hook }, ...more }];
  return { thread: 1, report: { statuses: [{ name: 'p', load }], figures } } as unknown as ThreadAnswer;
}

/** A probation of `slot` whose threads say `answers`, and what became of it. */
function watching(slot: PluginSlot, answers: readonly ThreadAnswer[]) {
  const became: string[] = [];
  const probation = new Probation({
    limits: {},
    collect: () => Promise.resolve(answers),
    rollBack: (_slot, reason) => (became.push(reason), Promise.resolve()),
    settle: () => void became.push('settled'),
  });
  probation.begin(slot);
  return { probation, became };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a version on probation', () => {
  it('gives way when more than half of its calls fail, over all threads, errors and deadlines alike', async () => {
    const slot = slotOf();
    const { load } = slot.load;
    const [one, other] = [answerOf(load, { calls: 10, errors: 6 }), answerOf(load, { calls: 10, timeouts: 5 })];
    const { became } = watching(slot, [one, other]);
    await vi.advanceTimersByTimeAsync(500);
    expect(became).toEqual(['11 of 20 calls failed within 1 s of the swap']);
  });

  it('is not judged by few calls, by a half, or by what another version of it did', async () => {
    const slot = slotOf();
    const { load } = slot.load;
    for (const answer of [
      answerOf(load, { calls: 19, errors: 19 }),
      answerOf(load, { calls: 20, errors: 10 }),
      answerOf(load + 1000, { calls: 100, errors: 100 }),
    ]) {
      const { became, probation } = watching(slot, [answer]);
      await vi.advanceTimersByTimeAsync(29_000);
      expect(became).toEqual([]);
      await vi.advanceTimersByTimeAsync(1000);
      expect(became).toEqual(['settled']);
      probation.stop();
    }
  });

  it('gives way when it is left out for its failures, not when it is only slow', async () => {
    const slot = slotOf();
    const { load } = slot.load;
    const degraded = { state: 'degraded', reason: 'its breaker is open' };
    const slow = watching(slot, [answerOf(load, { calls: 1 }, degraded)]);
    const broken = watching(slot, [answerOf(load, { calls: 1, errors: 1 }, { ...degraded, failuresInARow: 1 })]);
    await vi.advanceTimersByTimeAsync(500);
    expect(slow.became).toEqual([]);
    expect(broken.became).toEqual(['its breaker is open, within 1 s of the swap']);
  });

  it('is held to what its entry says: rate, number of calls, time', async () => {
    const slot = slotOf({ rollback: { failureRate: 0.1, minCalls: 5 }, probationMs: 600 });
    const { load } = slot.load;
    const strict = watching(slot, [answerOf(load, { calls: 5, errors: 1 })]);
    await vi.advanceTimersByTimeAsync(500);
    expect(strict.became).toEqual(['1 of 5 calls failed within 1 s of the swap']);
    const short = watching(slot, [answerOf(load, { calls: 5 })]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(short.became).toEqual(['settled']);
  });
});

describe('what is put on probation', () => {
  const failed = slotOf();
  failed.load.fail({ message: 'no' });
  const off = slotOf({ enabled: false });

  it.each([
    ['a version in the place of one that serves', slotOf(), slotOf(), true],
    ['none in the place of one that failed', failed, slotOf(), false],
    ['none in the place of one that was off', off, slotOf(), false],
    ['none that is off itself', slotOf(), off, false],
    ['none of another name', slotOf(), slotOf({ name: 'q' }), false],
    ['none whose entry wants no way back', slotOf(), slotOf({ rollback: false }), false],
    ['none whose entry gives it no time', slotOf(), slotOf({ probationMs: 0 }), false],
  ])('is %s', (...[, before, fresh, isWatched]) => {
    const { probation } = watching(slotOf(), []);
    expect(probation.wanted(before, [fresh])).toBe(isWatched ? fresh : undefined);
    probation.stop();
  });
});
