/** Token counts: the API's totals include their details, the canonical buckets are disjoint. */
import type { Json, JsonObject, Usage } from '@bifrost/sdk';
import { isJsonObject, totalInputTokens, totalOutputTokens } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { numberField } from './json-fields.ts';
import { defined, objectMember } from './residue.ts';

/** Total minus its details; undefined without a total, the total itself where a provider reports more details than total. */
function rest(total: number | undefined, ...details: readonly (number | undefined)[]): number | undefined {
  if (total === undefined) return undefined;
  const sum = details.reduce<number>((left, right) => left + (right ?? 0), 0);
  return sum > total ? total : total - sum;
}

/** Reads `usage`; undefined where there is none (a response still in progress). */
export function decodeUsage(usage: Json | undefined): Usage | undefined {
  if (!isJsonObject(usage)) return undefined;
  const inputDetails = objectMember(usage, 'input_tokens_details');
  const outputDetails = objectMember(usage, 'output_tokens_details');
  const cacheReadTokens = numberField(inputDetails, 'cached_tokens');
  const cacheWriteTokens = numberField(inputDetails, 'cache_write_tokens');
  const reasoningTokens = numberField(outputDetails, 'reasoning_tokens');
  const inputMedia = {
    inputAudioTokens: numberField(inputDetails, 'audio_tokens'),
    inputImageTokens: numberField(inputDetails, 'image_tokens'),
  };
  const outputMedia = {
    outputAudioTokens: numberField(outputDetails, 'audio_tokens'),
    outputImageTokens: numberField(outputDetails, 'image_tokens'),
  };
  return defined({
    inputTokens: rest(
      numberField(usage, 'input_tokens'),
      cacheReadTokens,
      cacheWriteTokens,
      ...Object.values(inputMedia),
    ),
    cacheReadTokens,
    cacheWriteTokens,
    ...inputMedia,
    outputTokens: rest(numberField(usage, 'output_tokens'), reasoningTokens, ...Object.values(outputMedia)),
    reasoningTokens,
    ...outputMedia,
    totalTokens: numberField(usage, 'total_tokens'),
  });
}

function detailsOf(usage: Usage): { readonly input: JsonObject; readonly output: JsonObject } {
  const writes = [usage.cacheWriteTokens, usage.cacheWrite1hTokens].filter((tokens) => tokens !== undefined);
  return {
    input: defined({
      cached_tokens: usage.cacheReadTokens,
      cache_write_tokens: writes.length === 0 ? undefined : writes.reduce((left, right) => left + right, 0),
      audio_tokens: usage.inputAudioTokens,
      image_tokens: usage.inputImageTokens,
    }),
    output: defined({
      reasoning_tokens: usage.reasoningTokens,
      audio_tokens: usage.outputAudioTokens,
      image_tokens: usage.outputImageTokens,
    }),
  };
}

function totalsOf(usage: Usage): JsonObject {
  return defined({
    input_tokens: totalInputTokens(usage),
    output_tokens: totalOutputTokens(usage),
    total_tokens: usage.totalTokens,
  });
}

/** What `usage` says beyond the buckets, by the same names: counters of single providers, lists, numbers that contradict each other. */
export function usageRemainder(source: Json | undefined): JsonObject {
  if (!isJsonObject(source)) return {};
  const usage = decodeUsage(source) ?? {};
  const details = detailsOf(usage);
  const remainder: Record<string, Json> = {};
  const canonical: JsonObject = totalsOf(usage);
  for (const [key, value] of Object.entries(source)) {
    if (value === undefined || value === canonical[key]) continue;
    if (isJsonObject(value) && (key === 'input_tokens_details' || key === 'output_tokens_details')) {
      const known = key === 'input_tokens_details' ? details.input : details.output;
      const left = Object.entries(value).filter(([name, member]) => member !== known[name]);
      if (left.length > 0 || Object.keys(known).length === 0) remainder[key] = Object.fromEntries(left) as JsonObject;
    } else remainder[key] = value;
  }
  return remainder;
}

/** Writes the usage over what `usageRemainder` kept. */
export function encodeUsage(usage: Usage, remainder: JsonObject): JsonObject {
  const { input, output } = detailsOf(usage);
  const inputDetails = { ...objectMember(remainder, 'input_tokens_details'), ...input };
  const outputDetails = { ...objectMember(remainder, 'output_tokens_details'), ...output };
  const isIn = (key: string, details: JsonObject): boolean => key in remainder || Object.keys(details).length > 0;
  return {
    ...totalsOf(usage),
    ...remainder,
    ...(isIn('input_tokens_details', inputDetails) ? { input_tokens_details: inputDetails } : {}),
    ...(isIn('output_tokens_details', outputDetails) ? { output_tokens_details: outputDetails } : {}),
  };
}

/** A usage object with every member that clients require; an unknown bucket is 0 there, as the schema knows no "unknown". */
export function generateUsage(usage: Usage, report: LossReport): JsonObject {
  if ((usage.cacheWrite1hTokens ?? 0) > 0) {
    const reason = 'counted with the other cache writes';
    report.add({ action: 'changed', field: 'usage.cache_write_1h_tokens', reason });
  }
  if ((usage.toolUseInputTokens ?? 0) > 0) {
    report.add({ action: 'changed', field: 'usage.tool_use_input_tokens', reason: 'counted with the other input' });
  }
  const input = totalInputTokens(usage) ?? 0;
  const output = totalOutputTokens(usage) ?? 0;
  const details = detailsOf(usage);
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: 0, ...details.input },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0, ...details.output },
    total_tokens: usage.totalTokens ?? input + output,
  };
}
