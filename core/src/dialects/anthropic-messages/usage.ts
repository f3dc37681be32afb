/** Anthropic's usage objects and the disjoint buckets. `input_tokens` has no cached tokens in it; `output_tokens` has the thinking. */
import { isJsonObject, totalOutputTokens } from '@bifrost/sdk';
import type { Json, Usage } from '@bifrost/sdk';
import { present, putBack, takeNumber, takeObject } from './fields.ts';
import type { Fields } from './fields.ts';

interface CacheWrites {
  readonly cacheWriteTokens?: number;
  readonly cacheWrite1hTokens?: number;
}

/**
 * `cache_creation_input_tokens` is the total that is billed; `cache_creation` splits it by life time, in message_start and whole
 * answers only, and of a turn with server tools it covers just a part. So: long = the split's 1 hour, short = all the rest.
 * `earlier` is what the stream said before: a later total without a split must not count the 1-hour tokens again.
 */
function takeCacheWrites(fields: Fields, earlier: Usage): CacheWrites {
  const split = isJsonObject(fields['cache_creation']) ? fields['cache_creation'] : undefined;
  const short = split?.['ephemeral_5m_input_tokens'];
  const long = split?.['ephemeral_1h_input_tokens'];
  const total = takeNumber(fields, 'cache_creation_input_tokens');
  if (typeof short !== 'number' || typeof long !== 'number') {
    if (total === undefined) return {};
    if (earlier.cacheWrite1hTokens === undefined) return { cacheWriteTokens: total };
    const known = Math.min(earlier.cacheWrite1hTokens, total);
    return { cacheWriteTokens: total - known, cacheWrite1hTokens: known };
  }
  if (total === undefined || total === short + long) {
    const rest = takeObject(fields, 'cache_creation') ?? {};
    delete rest['ephemeral_5m_input_tokens'];
    delete rest['ephemeral_1h_input_tokens'];
    putBack(fields, 'cache_creation', rest);
    return { cacheWriteTokens: short, cacheWrite1hTokens: long };
  }
  return { cacheWriteTokens: Math.max(0, total - long), cacheWrite1hTokens: long };
}

/** Takes the buckets out of a usage object; what is left in `fields` has no bucket (server tools, geography, tier, iterations). */
export function takeUsage(fields: Fields, earlier: Usage = {}): Usage {
  const details = takeObject(fields, 'output_tokens_details') ?? {};
  const output = takeNumber(fields, 'output_tokens');
  const thinking = output === undefined ? undefined : takeNumber(details, 'thinking_tokens');
  putBack(fields, 'output_tokens_details', details);
  return present({
    inputTokens: takeNumber(fields, 'input_tokens'),
    cacheReadTokens: takeNumber(fields, 'cache_read_input_tokens'),
    ...takeCacheWrites(fields, earlier),
    outputTokens: output === undefined ? undefined : Math.max(0, output - (thinking ?? 0)),
    reasoningTokens: thinking,
  });
}

function sum(...values: readonly (number | undefined)[]): number | undefined {
  let total: number | undefined;
  for (const value of values) if (value !== undefined) total = (total ?? 0) + value;
  return total;
}

/** The buckets as Anthropic's usage members. Audio, image and tool-use input count as input: Anthropic has no such split. */
export function encodeUsage(usage: Usage): Fields {
  const { cacheWriteTokens: short, cacheWrite1hTokens: long } = usage;
  return present({
    input_tokens: sum(usage.inputTokens, usage.inputAudioTokens, usage.inputImageTokens, usage.toolUseInputTokens),
    cache_creation_input_tokens: sum(short, long),
    cache_read_input_tokens: usage.cacheReadTokens,
    cache_creation:
      long === undefined ? undefined : { ephemeral_5m_input_tokens: short ?? 0, ephemeral_1h_input_tokens: long },
    output_tokens: totalOutputTokens(usage),
    output_tokens_details: usage.reasoningTokens === undefined ? undefined : { thinking_tokens: usage.reasoningTokens },
  });
}

/** The buckets and this dialect's own remainder of the same usage object. A split that did not add up stays as it was said. */
export function encodeOwnUsage(usage: Usage, remainder: Json | undefined): Fields {
  const encoded = encodeUsage(usage);
  if (!isJsonObject(remainder)) return encoded;
  const split = remainder['cache_creation'];
  if (isJsonObject(split) && split['ephemeral_5m_input_tokens'] !== undefined) delete encoded['cache_creation'];
  return encoded;
}

/** As `encodeUsage`, with the four counts that every Anthropic client reads unconditionally: 0 where the source did not say. */
export function encodeForeignUsage(usage: Usage | undefined): Fields {
  return {
    input_tokens: 0,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: 0,
    ...encodeUsage(usage ?? {}),
  };
}
