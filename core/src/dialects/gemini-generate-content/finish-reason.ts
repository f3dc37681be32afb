import type { FinishReason, FinishReasonKind, Json } from '@bifrost/sdk';

/**
 * Google's words. A malformed or unexpected call counts as tool calls, as Bifrost has it. Sources: Candidate.FinishReason in the
 * Gemini API and Vertex descriptions.
 */
const kindOfWord: Readonly<Record<string, FinishReasonKind>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content-filter',
  RECITATION: 'content-filter',
  BLOCKLIST: 'content-filter',
  PROHIBITED_CONTENT: 'content-filter',
  SPII: 'content-filter',
  MODEL_ARMOR: 'content-filter',
  JAILBREAK: 'content-filter',
  IMAGE_SAFETY: 'content-filter',
  IMAGE_PROHIBITED_CONTENT: 'content-filter',
  IMAGE_RECITATION: 'content-filter',
  MALFORMED_FUNCTION_CALL: 'tool-calls',
  UNEXPECTED_TOOL_CALL: 'tool-calls',
  TOO_MANY_TOOL_CALLS: 'error',
  MISSING_THOUGHT_SIGNATURE: 'error',
  LANGUAGE: 'other',
  OTHER: 'other',
  IMAGE_OTHER: 'other',
  NO_IMAGE: 'other',
};

/**
 * Numbers of the enum where the caller asked for them (`enum-encoding=int`). Those up to 5 were recorded or are the same on Vertex
 * and the Gemini API, except that the Gemini API has LANGUAGE at 6; the later ones follow Vertex, which is where numbers are asked for.
 */
const wordOfNumber: readonly (string | undefined)[] = [
  undefined,
  'STOP',
  'MAX_TOKENS',
  'SAFETY',
  'RECITATION',
  'OTHER',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'MALFORMED_FUNCTION_CALL',
  'MODEL_ARMOR',
];

const wordOfKind: Readonly<Record<FinishReasonKind, string>> = {
  stop: 'STOP',
  'tool-calls': 'STOP',
  length: 'MAX_TOKENS',
  'content-filter': 'SAFETY',
  refusal: 'SAFETY',
  pause: 'OTHER',
  error: 'OTHER',
  other: 'OTHER',
};

/** Reads `finishReason`, a word or a number; undefined for none and for the unspecified one. */
export function decodeFinishReason(said: Json | undefined, hasCalls: boolean): FinishReason | undefined {
  const word = typeof said === 'number' ? (wordOfNumber[said] ?? (said === 0 ? '' : String(said))) : said;
  if (typeof word !== 'string' || word === '' || word === 'FINISH_REASON_UNSPECIFIED') return undefined;
  const kind = kindOfWord[word] ?? 'other';
  return { kind: kind === 'stop' && hasCalls ? 'tool-calls' : kind, raw: word };
}

/** Writes `finishReason`: the provider's own word where it is one of Google's and means the same. */
export function encodeFinishReason(reason: FinishReason): string {
  const { kind, raw } = reason;
  const isSame = raw !== undefined && (kindOfWord[raw] === kind || (raw === 'STOP' && kind === 'tool-calls'));
  return isSame ? raw : wordOfKind[kind];
}

/** Reads `promptFeedback.blockReason`: the prompt was refused and there is no candidate. */
export function decodeBlockReason(said: Json | undefined): FinishReason | undefined {
  if (typeof said === 'number') return said === 0 ? undefined : { kind: 'content-filter', raw: String(said) };
  if (typeof said !== 'string' || said === '' || said.endsWith('_UNSPECIFIED')) return undefined;
  return { kind: 'content-filter', raw: said };
}
