import { describe, expect, it } from 'vitest';
import { costOf } from './index.ts';

const prices = { inputUsdNano: 3000, cacheReadUsdNano: 300, outputUsdNano: 15_000 };

describe('costOf', () => {
  it('adds the buckets up, reasoning at the price of output', () => {
    const usage = { inputTokens: 100, cacheReadTokens: 1000, outputTokens: 10, reasoningTokens: 5 };
    expect(costOf(usage, prices)).toBe(100 * 3000 + 1000 * 300 + 15 * 15_000);
  });

  it('is unknown where a used bucket has no price', () => {
    expect(costOf({ inputTokens: 1, inputAudioTokens: 5 }, prices)).toBeUndefined();
    expect(costOf({ inputTokens: 1, inputAudioTokens: 0 }, prices)).toBe(3000);
  });

  it('is unknown where no bucket is', () => {
    expect(costOf({}, prices)).toBeUndefined();
    expect(costOf({ totalTokens: 7 }, prices)).toBeUndefined();
  });
});
