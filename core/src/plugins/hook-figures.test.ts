import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HookFigures } from './hook-figures.ts';

describe('the figures of a hook', () => {
  it('finds percentiles to within an eighth, from a microsecond to minutes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.001, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
        (durations) => {
          const figures = new HookFigures();
          for (const duration of durations) figures.record(duration);
          const sorted = durations.toSorted((a, b) => a - b);
          for (const share of [0.5, 0.99]) {
            const exact = sorted[Math.max(1, Math.ceil(sorted.length * share)) - 1] ?? 0;
            const found = figures.percentile(share) ?? 0;
            expect(Math.abs(found - exact) / exact).toBeLessThanOrEqual(0.13);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('are added up over threads, each count for itself', () => {
    const one = { calls: 1, errors: 2, timeouts: 3, dropped: 4, totalMs: 5, buckets: [1] };
    const [skipped, other] = [
      { filter: 1, disabled: 2, breaker: 3, policy: 4 },
      { filter: 10, disabled: 20, breaker: 30, policy: 40 },
    ];
    const sum = new HookFigures();
    sum.add({ ...one, skipped });
    sum.add({ calls: 10, errors: 20, timeouts: 30, dropped: 40, totalMs: 50, buckets: [2, 8], skipped: other });
    expect(sum.snapshot()).toMatchObject({
      calls: 11,
      errors: 22,
      timeouts: 33,
      dropped: 44,
      totalMs: 55,
      buckets: [3, 8],
      skipped: { filter: 11, disabled: 22, breaker: 33, policy: 44 },
    });
  });

  it('has no percentile before the first call, and survives odd durations', () => {
    const figures = new HookFigures();
    expect(figures.snapshot()).toEqual({
      calls: 0,
      errors: 0,
      timeouts: 0,
      dropped: 0,
      skipped: { filter: 0, disabled: 0, breaker: 0, policy: 0 },
      totalMs: 0,
      buckets: [],
    });
    for (const odd of [0, -0.1, 1e12]) figures.record(odd);
    expect(figures.percentile(1)).toBeGreaterThan(1000);
  });
});
