import { totalInputTokens, totalOutputTokens } from '@bifrost/sdk';
import type { JsonObject, Usage } from '@bifrost/sdk';
import { defined, present } from './fields.ts';
import type { FieldReader } from './fields.ts';

/** The proto's numbers of Modality, for callers that asked for enums as numbers (`$alt=json;enum-encoding=int`). */
const modalityOfNumber: Readonly<Record<number, string>> = {
  1: 'TEXT',
  2: 'IMAGE',
  3: 'VIDEO',
  4: 'AUDIO',
  5: 'DOCUMENT',
};

/** Tokens of one modality in a details list; undefined when the list does not name it. */
function tokensOf(details: readonly FieldReader[] | undefined, modality: string): number | undefined {
  const entries = details?.filter((entry) => {
    const said = entry.object['modality'];
    return (typeof said === 'number' ? modalityOfNumber[said] : said) === modality;
  });
  if (entries === undefined || entries.length === 0) return undefined;
  return entries.reduce((sum, entry) => sum + (entry.number('tokenCount') ?? 0), 0);
}

function less(from: number | undefined, part: number | undefined): number | undefined {
  return from === undefined ? undefined : Math.max(0, from - (part ?? 0));
}

/**
 * Reads `usageMetadata` into disjoint buckets. `promptTokenCount` contains the cached tokens and all modalities; thoughts and tool-use
 * prompts are counted apart (total = prompt + tool-use prompt + candidates + thoughts). Video and documents have no bucket and
 * stay with the text.
 */
export function decodeUsage(usage: FieldReader): Usage {
  const prompt = usage.children('promptTokensDetails');
  const cache = usage.children('cacheTokensDetails');
  const candidates = usage.children('candidatesTokensDetails');
  const cached = usage.number('cachedContentTokenCount');
  const inputAudio = less(tokensOf(prompt, 'AUDIO'), tokensOf(cache, 'AUDIO'));
  const inputImage = less(tokensOf(prompt, 'IMAGE'), tokensOf(cache, 'IMAGE'));
  const outputAudio = tokensOf(candidates, 'AUDIO');
  const outputImage = tokensOf(candidates, 'IMAGE');
  return present({
    inputTokens: less(less(less(usage.number('promptTokenCount'), cached), inputAudio), inputImage),
    cacheReadTokens: cached,
    inputAudioTokens: inputAudio,
    inputImageTokens: inputImage,
    toolUseInputTokens: usage.number('toolUsePromptTokenCount'),
    outputTokens: less(less(usage.number('candidatesTokenCount'), outputAudio), outputImage),
    outputAudioTokens: outputAudio,
    outputImageTokens: outputImage,
    reasoningTokens: usage.number('thoughtsTokenCount'),
    totalTokens: usage.number('totalTokenCount'),
  });
}

function detailsOf(text: number | undefined, audio?: number, image?: number): readonly JsonObject[] | undefined {
  if (audio === undefined && image === undefined) return undefined;
  return [
    ...(text === undefined ? [] : [{ modality: 'TEXT', tokenCount: text }]),
    ...(audio === undefined ? [] : [{ modality: 'AUDIO', tokenCount: audio }]),
    ...(image === undefined ? [] : [{ modality: 'IMAGE', tokenCount: image }]),
  ];
}

/** Writes `usageMetadata`; counts that nobody knows are left out. */
export function encodeUsage(usage: Usage): JsonObject {
  const input = totalInputTokens(usage);
  const output = totalOutputTokens(usage);
  const candidates = totalOutputTokens(present({ ...usage, reasoningTokens: undefined }));
  const sum = input === undefined || output === undefined ? undefined : input + output;
  return defined({
    promptTokenCount: input === undefined ? undefined : input - (usage.toolUseInputTokens ?? 0),
    cachedContentTokenCount: usage.cacheReadTokens,
    candidatesTokenCount: candidates,
    thoughtsTokenCount: usage.reasoningTokens,
    toolUsePromptTokenCount: usage.toolUseInputTokens,
    totalTokenCount: usage.totalTokens ?? sum,
    promptTokensDetails: detailsOf(usage.inputTokens, usage.inputAudioTokens, usage.inputImageTokens),
    candidatesTokensDetails: detailsOf(usage.outputTokens, usage.outputAudioTokens, usage.outputImageTokens),
  });
}

/** Fields of `usageMetadata` that are compared whole. */
export const usageLeaves: readonly string[] = ['promptTokensDetails', 'candidatesTokensDetails'];
