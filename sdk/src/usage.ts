/**
 * Tokens of one response in disjoint buckets: no token is counted twice, so a price is a plain sum of products.
 * A bucket that the provider did not report is absent ("unknown"), which is not the same as 0.
 * Providers differ in what they include: OpenAI's `prompt_tokens` contains cached tokens, Anthropic's `input_tokens` does not.
 */
export interface Usage {
  /** Fresh text input: neither read from nor written to a cache, neither audio nor image where those are reported. */
  readonly inputTokens?: number;
  /** Input read from the provider's prompt cache. */
  readonly cacheReadTokens?: number;
  /** Input written to the cache with the short life time (Anthropic: 5 minutes), or with an unstated one. */
  readonly cacheWriteTokens?: number;
  /** Input written to the cache for one hour (Anthropic). */
  readonly cacheWrite1hTokens?: number;
  /** Visible output: text and tool calls. Holds the reasoning too where the provider does not separate it. */
  readonly outputTokens?: number;
  /** Hidden or shown reasoning, where the provider counts it apart. */
  readonly reasoningTokens?: number;
  readonly inputAudioTokens?: number;
  readonly outputAudioTokens?: number;
  readonly inputImageTokens?: number;
  readonly outputImageTokens?: number;
  /** Input tokens spent on server-side tool use, where counted apart (Gemini `toolUsePromptTokenCount`). */
  readonly toolUseInputTokens?: number;
  /** The provider's own total, when it states one. */
  readonly totalTokens?: number;
}

const inputBuckets = [
  'inputTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'cacheWrite1hTokens',
  'inputAudioTokens',
  'inputImageTokens',
  'toolUseInputTokens',
] as const;
const outputBuckets = ['outputTokens', 'reasoningTokens', 'outputAudioTokens', 'outputImageTokens'] as const;

function sumBuckets(usage: Usage, buckets: readonly (keyof Usage)[]): number | undefined {
  let sum: number | undefined;
  for (const bucket of buckets) {
    const value = usage[bucket];
    if (value !== undefined) sum = (sum ?? 0) + value;
  }
  return sum;
}

/** All input tokens, or undefined when no input bucket is known. OpenAI's `prompt_tokens`. */
export function totalInputTokens(usage: Usage): number | undefined {
  return sumBuckets(usage, inputBuckets);
}

/** All output tokens, or undefined when no output bucket is known. OpenAI's `completion_tokens`. */
export function totalOutputTokens(usage: Usage): number | undefined {
  return sumBuckets(usage, outputBuckets);
}
