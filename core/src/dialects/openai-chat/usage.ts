import { isJsonObject, totalInputTokens, totalOutputTokens } from '@bifrost/sdk';
import type { Json, JsonObject, Usage } from '@bifrost/sdk';
import { isDeepStrictEqual } from 'node:util';
import type { Mutable } from '../../mutable.ts';
import type { LossReport } from '../codec.ts';
import { setField } from './encode-context.ts';
import type { MutableJson } from './object-reader.ts';

function count(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

const noDetails: JsonObject = {};

/**
 * Takes the parts of a total out of it, one after the other. A part that is larger than the whole stands beside it (cached tokens of
 * Grok on Azure, audio of Voxtral); parts that overlap (cached images) are cut so that the sum is the total.
 */
class Total {
  readonly #total: number | undefined;
  #left: number;

  constructor(total: number | undefined) {
    this.#total = total;
    this.#left = total ?? 0;
  }

  take(part: number | undefined): number | undefined {
    if (part === undefined || this.#total === undefined || part > this.#total) return part;
    const own = Math.min(part, this.#left);
    this.#left -= own;
    return own;
  }

  /** What no part has taken. */
  get rest(): number | undefined {
    return this.#total === undefined ? undefined : this.#left;
  }
}

/**
 * The `usage` object as disjoint buckets. `prompt_tokens` holds cached, cache-written, audio and image tokens; `completion_tokens`
 * holds reasoning and audio. Servers that count reasoning beside `completion_tokens` are recognised by their own total.
 *
 * Read of every answer that passes: members are read and set by their written names, which costs a fraction of a function that is
 * handed the name.
 */
export function decodeUsage(raw: JsonObject): Usage {
  const usage: Mutable<Usage> = {};
  decodeInput(raw, usage);
  decodeOutput(raw, usage);
  const total = count(raw['total_tokens']);
  if (total !== undefined) usage.totalTokens = total;
  return usage;
}

function decodeInput(raw: JsonObject, usage: Mutable<Usage>): void {
  const given = raw['prompt_tokens_details'];
  const details = isJsonObject(given) ? given : noDetails;
  const cacheRead =
    count(details['cached_tokens']) ??
    count(details['cached_read_tokens']) ??
    count(raw['prompt_cache_hit_tokens']) ??
    count(raw['cached_tokens']) ??
    count(raw['num_cached_tokens']);
  const cacheWrite = count(details['cache_write_tokens']) ?? count(details['cached_write_tokens']);
  const total = new Total(count(raw['prompt_tokens']));
  const read = total.take(cacheRead);
  const write = total.take(cacheWrite);
  const audio = total.take(count(details['audio_tokens']));
  const image = total.take(count(details['image_tokens']));
  const { rest } = total;
  if (rest !== undefined) usage.inputTokens = rest;
  if (read !== undefined) usage.cacheReadTokens = read;
  if (write !== undefined) usage.cacheWriteTokens = write;
  if (audio !== undefined) usage.inputAudioTokens = audio;
  if (image !== undefined) usage.inputImageTokens = image;
}

function decodeOutput(raw: JsonObject, usage: Mutable<Usage>): void {
  const given = raw['completion_tokens_details'];
  const details = isJsonObject(given) ? given : noDetails;
  const prompt = count(raw['prompt_tokens']) ?? 0;
  const completion = count(raw['completion_tokens']);
  const reasoning = count(details['reasoning_tokens']) ?? count(raw['reasoning_tokens']);
  const isBeside =
    reasoning !== undefined &&
    reasoning > 0 &&
    (reasoning > (completion ?? 0) || count(raw['total_tokens']) === prompt + (completion ?? 0) + reasoning);
  const total = new Total(completion);
  const thought = isBeside ? reasoning : total.take(reasoning);
  const audio = total.take(count(details['audio_tokens']));
  const image = total.take(count(details['image_tokens']));
  const { rest } = total;
  if (rest !== undefined) usage.outputTokens = rest;
  if (thought !== undefined) usage.reasoningTokens = thought;
  if (audio !== undefined) usage.outputAudioTokens = audio;
  if (image !== undefined) usage.outputImageTokens = image;
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
