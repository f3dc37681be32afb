/** What the gateway's catalogue knows of a model: limits and prices. */
import type { Usage } from './usage.ts';

/** Prices in nano-dollars (1e-9 USD) per token: 3 USD per million tokens is 3000. Absent: unknown, not free. */
export interface ModelPrices {
  readonly inputUsdNano?: number;
  readonly cacheReadUsdNano?: number;
  readonly cacheWriteUsdNano?: number;
  readonly cacheWrite1hUsdNano?: number;
  readonly outputUsdNano?: number;
  /** @default outputUsdNano */
  readonly reasoningUsdNano?: number;
  readonly inputAudioUsdNano?: number;
  readonly outputAudioUsdNano?: number;
  readonly inputImageUsdNano?: number;
  readonly outputImageUsdNano?: number;
}

/** One model of one provider; what the catalogue does not know is absent. */
export interface ModelInfo {
  readonly provider: string;
  readonly model: string;
  /** Tokens. */
  readonly contextWindow?: number;
  readonly maxOutputTokens?: number;
  readonly prices?: ModelPrices;
}

const bucketPrices = [
  ['inputTokens', 'inputUsdNano'],
  ['cacheReadTokens', 'cacheReadUsdNano'],
  ['cacheWriteTokens', 'cacheWriteUsdNano'],
  ['cacheWrite1hTokens', 'cacheWrite1hUsdNano'],
  ['outputTokens', 'outputUsdNano'],
  ['inputAudioTokens', 'inputAudioUsdNano'],
  ['outputAudioTokens', 'outputAudioUsdNano'],
  ['inputImageTokens', 'inputImageUsdNano'],
  ['outputImageTokens', 'outputImageUsdNano'],
  ['toolUseInputTokens', 'inputUsdNano'],
] as const satisfies readonly (readonly [keyof Usage, keyof ModelPrices])[];

/**
 * The cost of `usage` at `prices`, in nano-dollars. Undefined where a bucket was used whose price is unknown, and where no
 * bucket is known at all: an unknown cost is not 0.
 */
export function costOf(usage: Usage, prices: ModelPrices): number | undefined {
  let total: number | undefined;
  for (const [bucket, price] of bucketPrices) {
    const tokens = usage[bucket];
    if (tokens === undefined) continue;
    if (tokens > 0 && prices[price] === undefined) return undefined;
    total = (total ?? 0) + tokens * (prices[price] ?? 0);
  }
  const { reasoningTokens } = usage;
  if (reasoningTokens === undefined) return total;
  const reasoningPrice = prices.reasoningUsdNano ?? prices.outputUsdNano;
  if (reasoningTokens > 0 && reasoningPrice === undefined) return undefined;
  return (total ?? 0) + reasoningTokens * (reasoningPrice ?? 0);
}
