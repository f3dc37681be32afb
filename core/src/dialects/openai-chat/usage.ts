import { isJsonObject, totalInputTokens, totalOutputTokens } from '@bifrost/sdk';
import type { Json, JsonObject, Usage } from '@bifrost/sdk';
import { isDeepStrictEqual } from 'node:util';
import type { LossReport } from '../codec.ts';
import { setField } from './encode-context.ts';
import type { MutableJson } from './object-reader.ts';

function count(object: Json | undefined, key: string): number | undefined {
  const value = isJsonObject(object) ? object[key] : undefined;
  return typeof value === 'number' ? value : undefined;
}

/**
 * Splits a total into its parts and what is left: `[rest, ...parts]`. A part that is larger than the whole stands beside it
 * (cached tokens of Grok on Azure, audio of Voxtral); parts that overlap (cached images) are cut so that the sum is the total.
 */
function split(total: number | undefined, parts: readonly (number | undefined)[]): readonly (number | undefined)[] {
  if (total === undefined) return [undefined, ...parts];
  let left = total;
  const taken = parts.map((part) => {
    if (part === undefined || part > total) return part;
    const own = Math.min(part, left);
    left -= own;
    return own;
  });
  return [left, ...taken];
}

/**
 * The `usage` object as disjoint buckets. `prompt_tokens` holds cached, cache-written, audio and image tokens; `completion_tokens`
 * holds reasoning and audio. Servers that count reasoning beside `completion_tokens` are recognised by their own total.
 */
export function decodeUsage(raw: JsonObject): Usage {
  const input = raw['prompt_tokens_details'];
  const output = raw['completion_tokens_details'];
  const [prompt, completion, total] = [
    count(raw, 'prompt_tokens'),
    count(raw, 'completion_tokens'),
    count(raw, 'total_tokens'),
  ];
  const cacheRead =
    count(input, 'cached_tokens') ??
    count(input, 'cached_read_tokens') ??
    count(raw, 'prompt_cache_hit_tokens') ??
    count(raw, 'cached_tokens') ??
    count(raw, 'num_cached_tokens');
  const cacheWrite = count(input, 'cache_write_tokens') ?? count(input, 'cached_write_tokens');
  const [inputAudio, inputImage] = [count(input, 'audio_tokens'), count(input, 'image_tokens')];
  const reasoning = count(output, 'reasoning_tokens') ?? count(raw, 'reasoning_tokens');
  const [outputAudio, outputImage] = [count(output, 'audio_tokens'), count(output, 'image_tokens')];
  const isReasoningBeside =
    reasoning !== undefined &&
    reasoning > 0 &&
    (reasoning > (completion ?? 0) || total === (prompt ?? 0) + (completion ?? 0) + reasoning);
  const [fresh, read, write, freshAudio, freshImage] = split(prompt, [cacheRead, cacheWrite, inputAudio, inputImage]);
  const [visible, thought, audio, image] = split(completion, [reasoning, outputAudio, outputImage]);
  const [plainVisible, plainAudio, plainImage] = split(completion, [outputAudio, outputImage]);
  const usage: MutableJson = {};
  setField(usage, 'inputTokens', fresh);
  setField(usage, 'cacheReadTokens', read);
  setField(usage, 'cacheWriteTokens', write);
  setField(usage, 'inputAudioTokens', freshAudio);
  setField(usage, 'inputImageTokens', freshImage);
  setField(usage, 'outputTokens', isReasoningBeside ? plainVisible : visible);
  setField(usage, 'reasoningTokens', isReasoningBeside ? reasoning : thought);
  setField(usage, 'outputAudioTokens', isReasoningBeside ? plainAudio : audio);
  setField(usage, 'outputImageTokens', isReasoningBeside ? plainImage : image);
  setField(usage, 'totalTokens', total);
  return usage as Usage;
}

/** The `usage` object by the book: totals, and details for the buckets that are known. */
export function encodeUsage(usage: Usage): JsonObject {
  const input = totalInputTokens(usage);
  const output = totalOutputTokens(usage);
  const inputDetails: MutableJson = {};
  setField(inputDetails, 'cached_tokens', usage.cacheReadTokens);
  setField(inputDetails, 'cache_write_tokens', sum(usage.cacheWriteTokens, usage.cacheWrite1hTokens));
  setField(inputDetails, 'audio_tokens', usage.inputAudioTokens);
  setField(inputDetails, 'image_tokens', usage.inputImageTokens);
  const outputDetails: MutableJson = {};
  setField(outputDetails, 'reasoning_tokens', usage.reasoningTokens);
  setField(outputDetails, 'audio_tokens', usage.outputAudioTokens);
  setField(outputDetails, 'image_tokens', usage.outputImageTokens);
  return {
    prompt_tokens: input ?? 0,
    completion_tokens: output ?? 0,
    total_tokens: usage.totalTokens ?? (input ?? 0) + (output ?? 0),
    ...(Object.keys(inputDetails).length === 0 ? {} : { prompt_tokens_details: inputDetails }),
    ...(Object.keys(outputDetails).length === 0 ? {} : { completion_tokens_details: outputDetails }),
  };
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : a + (b ?? 0);
}

/** What of a `usage` object the buckets do not say: `extra` is put over the book's form, `absent` taken from it. */
export interface UsageRemainder {
  readonly extra: JsonObject;
  readonly absent: readonly string[];
}

/** The remainder of `raw` over what `encodeUsage` makes of its buckets; details objects are compared member by member. */
export function usageRemainder(raw: JsonObject, usage: Usage): UsageRemainder {
  return difference(raw, encodeUsage(usage));
}

/** What `raw` says beyond or against `book`, member by member. */
export function difference(raw: JsonObject, book: JsonObject): UsageRemainder {
  const extra: MutableJson = {};
  for (const [key, value] of Object.entries(raw)) {
    if (value === undefined || isDeepStrictEqual(value, book[key])) continue;
    const [mine, theirs] = [value, book[key]];
    extra[key] =
      isJsonObject(mine) && isJsonObject(theirs) ? { '': { ...difference(mine, theirs) } as unknown as Json } : mine;
  }
  return { extra, absent: Object.keys(book).filter((key) => raw[key] === undefined) };
}

/** Puts a remainder back over an encoded `usage`. */
export function applyUsageRemainder(book: JsonObject, remainder: UsageRemainder): JsonObject {
  const result: MutableJson = {};
  for (const [key, value] of Object.entries(book)) {
    if (value !== undefined && !remainder.absent.includes(key)) result[key] = value;
  }
  for (const [key, value] of Object.entries(remainder.extra)) {
    if (value === undefined) continue;
    const [nested, base] = [isJsonObject(value) ? value[''] : undefined, book[key]];
    result[key] =
      isJsonObject(nested) && isJsonObject(base)
        ? applyUsageRemainder(base, nested as unknown as UsageRemainder)
        : value;
  }
  return result;
}

/** Reports what the dialect's usage cannot tell apart; the totals hold it all the same. */
export function reportUsageLosses(usage: Usage, report: LossReport): void {
  const change = (field: string, reason: string): void =>
    report.add({ action: 'changed', field: `usage.${field}`, reason });
  if ((usage.toolUseInputTokens ?? 0) > 0)
    change('tool_use_tokens', 'input of server-side tools is counted as prompt_tokens');
  if ((usage.cacheWrite1hTokens ?? 0) > 0)
    change('cache_write_1h_tokens', 'counted as usage.prompt_tokens_details.cache_write_tokens');
}
