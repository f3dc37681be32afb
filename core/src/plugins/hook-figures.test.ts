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
