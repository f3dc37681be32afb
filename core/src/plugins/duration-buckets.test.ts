import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketLimitMs, DurationBuckets } from './duration-buckets.ts';

describe('the limit of a bucket', () => {
  it('is the longest duration that it counts, and the next bucket counts what is longer', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 100_000, noNaN: true }), (durationMs) => {
        const buckets = new DurationBuckets();
        buckets.record(durationMs);
        const bucket = buckets.histogram().buckets.length - 1;
        expect(durationMs).toBeLessThanOrEqual(bucketLimitMs(bucket));
        if (bucket > 0) expect(durationMs).toBeGreaterThanOrEqual(bucketLimitMs(bucket - 1));
      }),
    );
  });
});
