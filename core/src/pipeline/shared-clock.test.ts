import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SharedClock } from './shared-clock.ts';
import type { Watched } from './shared-clock.ts';

/** Notes when it is looked at and asks for the next look after `everyMs`. */
class Deadline implements Watched {
  nextLookAt = 0;
  watchedBefore: Watched | null = null;
  watchedAfter: Watched | null = null;
  readonly looks: number[] = [];
  readonly #everyMs: number;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  lookAtClocks(now: number): number {
    this.looks.push(now);
    return now + this.#everyMs;
  }
}

describe('the shared clock', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('looks at each when it asked to be looked at', () => {
    const clock = new SharedClock();
    const [soon, later] = [new Deadline(500), new Deadline(500)];
    const start = performance.now();
    clock.watch(later, start + 300, start);
    clock.watch(soon, start + 50, start);
    vi.advanceTimersByTime(900);
    expect(soon.looks.map((at) => at - start)).toEqual([50, 550]);
    expect(later.looks.map((at) => at - start)).toEqual([300, 800]);
  });

  it('looks at many far deadlines at once, late by a tenth of a second at most', () => {
    const clock = new SharedClock();
    const many = Array.from({ length: 50 }, () => new Deadline(60_000));
    const start = performance.now();
    for (const [index, one] of many.entries()) clock.watch(one, start + 10_000 + index, start);
    const timers = vi.spyOn(globalThis, 'setTimeout');
    vi.advanceTimersByTime(10_200);
    for (const [index, { looks }] of many.entries()) {
      expect(looks).toHaveLength(1);
      const late = (looks[0] as number) - start - 10_000 - index;
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThanOrEqual(101);
    }
    expect(timers.mock.calls.length).toBeLessThanOrEqual(3);
  });

  it('leaves alone what is over, and rests when nothing is left', () => {
    const clock = new SharedClock();
    const one = new Deadline(100);
    clock.watch(one, performance.now() + 100, performance.now());
    clock.forget(one);
    vi.advanceTimersByTime(1000);
    expect(one.looks).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps no one who is over', () => {
    const clock = new SharedClock();
    const all = Array.from({ length: 6 }, () => new Deadline(1000));
    const start = performance.now();
    for (const one of all) clock.watch(one, start + 100, start);
    for (const index of [0, 5, 2]) clock.forget(all[index] as Deadline);
    clock.forget(all[2] as Deadline);
    vi.advanceTimersByTime(200);
    expect(all.map(({ looks }) => looks.length)).toEqual([0, 1, 0, 1, 1, 0]);
    for (const index of [0, 2, 5]) expect(all[index]).toMatchObject({ watchedBefore: null, watchedAfter: null });
  });

  it('takes in who comes while others are looked at', () => {
    const clock = new SharedClock();
    const second = new Deadline(1000);
    const first: Watched = {
      nextLookAt: 0,
      watchedBefore: null,
      watchedAfter: null,
      lookAtClocks(now) {
        clock.forget(first);
        clock.watch(second, now + 20, now);
        return now;
      },
    };
    const start = performance.now();
    clock.watch(first, start + 100, start);
    vi.advanceTimersByTime(200);
    expect(second.looks.map((at) => at - start)).toEqual([120]);
  });
});
