import { GatewayError, isJsonObject } from '@bifrost/sdk';
import type { Candidate, Citation, ConversationResponse, Json, JsonObject, Part } from '@bifrost/sdk';
import { decodeAssistant } from './assistant-decode.ts';
import { decodeError } from './errors.ts';
import { isOfficialFinishReason, mapFinishReason } from './finish-reason.ts';
import { decodeLogprobs } from './logprobs.ts';
import { ObjectReader, optional, residueOf } from './object-reader.ts';
import type { MutableJson, ReadMode } from './object-reader.ts';
import { decodeUsage, usageRemainder } from './usage.ts';

const mode: ReadMode = { dialect: 'openai-chat', isStrict: false };

/** The error for a 200 whose body is no answer: the provider's own error where it holds one. */
export function invalidResponse(body: JsonObject, expected: string): GatewayError {
  const hasError = body['error'] !== undefined && body['error'] !== null;
  const info = hasError ? decodeError(200, body) : undefined;
  return new GatewayError(info?.message ?? `the provider's answer cannot be read: ${expected}`, {
    code: 'BF_DIALECT_RESPONSE_INVALID',
    statusCode: info?.statusCode ?? 502,
    origin: 'provider',
    isRetryable: info === undefined || info.statusCode >= 429,
    ...(info === undefined ? {} : { info }),
  });
}

/** `finish_reason`, with the word noted where it is not one of the book. */
export function readFinishReason(reader: ObjectReader): Pick<Candidate, 'finishReason'> {
  const raw = reader.peek('finish_reason');
  if (typeof raw !== 'string') {
    reader.noteAbsent('finish_reason');
    return {};
  }
  if (raw === '') return {};
  reader.take('finish_reason');
  if (!isOfficialFinishReason(raw)) reader.note('finishReason', raw);
  // vLLM and SGLang name the stop sequence here; a number is a token's id and stays in the remainder.
  const stopSequence = typeof reader.peek('stop_reason') === 'string' ? reader.string('stop_reason') : undefined;
  return { finishReason: { ...mapFinishReason(raw), ...optional('stopSequence', stopSequence) } };
}

function readLogprobs(reader: ObjectReader, parts: readonly Part[]): readonly Part[] {
  const raw = reader.peek('logprobs');
  const at = parts.findIndex((part) => part.type === 'text');
  const logprobs = isJsonObject(raw) ? decodeLogprobs(raw['content']) : undefined;
  if (!isJsonObject(raw) || logprobs === undefined || at === -1) return parts;
  reader.take('logprobs');
  const { content: _, ...rest } = raw;
  reader.note('logprobs', rest as JsonObject);
  return parts.map((part, index) => (index === at && part.type === 'text' ? { ...part, logprobs } : part));
}

/** Perplexity's `citations`: links that belong to the whole answer, given beside it. */
function readTopCitations(owner: ObjectReader): readonly Citation[] {
  const raw = owner.peek('citations');
  if (!Array.isArray(raw) || !raw.every((one) => typeof one === 'string')) return [];
  return raw.map((url) => ({ url, residue: { dialect: mode.dialect, fields: {}, form: { field: 'citations' } } }));
}

function decodeChoice(raw: Json, index: number, owner: ObjectReader): Candidate {
  const path = `choices[${index}]`;
  if (!isJsonObject(raw) || !isJsonObject(raw['message'])) throw invalidResponse({}, `'${path}.message' is missing`);
  const reader = new ObjectReader(raw, path, mode);
  reader.take('message');
  const message = new ObjectReader(raw['message'], `${path}.message`, mode);
  if (message.take('role') !== 'assistant') message.note('role', raw['message']['role'] ?? null);
  message.noteAbsent('content', 'role');
  let parts = readLogprobs(reader, decodeAssistant(message, `call_function_${index + 1}`));
  const top = index === 0 ? readTopCitations(owner) : [];
  const at = parts.findIndex((part) => part.type === 'text');
  if (top.length > 0 && at !== -1) {
    owner.take('citations');
    parts = parts.map((part, place) =>
      place === at && part.type === 'text' ? { ...part, citations: [...(part.citations ?? []), ...top] } : part,
    );
  }
  const messageRest = message.rest();
  if (messageRest !== undefined) {
    if (Object.keys(messageRest.fields).length > 0) reader.keep('message', messageRest.fields);
    if (messageRest.form !== undefined) reader.note('message', messageRest.form);
  }
  const finishReason = readFinishReason(reader);
  const given = reader.number('index');
  if (given === undefined) reader.noteAbsent('index');
  return { index: given ?? index, parts, ...finishReason, ...residueOf(reader) };
}

/** Reads `usage` and notes what its buckets do not say. */
export function readUsage(reader: ObjectReader): Pick<ConversationResponse, 'usage'> {
  const raw = reader.peek('usage');
  if (!isJsonObject(raw)) return {};
  reader.take('usage');
  const usage = decodeUsage(raw);
  const remainder = usageRemainder(raw, usage);
  if (remainder.absent.length > 0 || Object.keys(remainder.extra).length > 0)
    reader.note('usage', { ...remainder } as MutableJson);
  return { usage };
}

/** Chat Completions answer -> canonical. Throws `BF_DIALECT_RESPONSE_INVALID` for a body that is none, in-band errors included. */
export function decodeResponse(body: JsonObject): ConversationResponse {
  const choices = isJsonObject(body) ? body['choices'] : undefined;
  if (!Array.isArray(choices)) throw invalidResponse(isJsonObject(body) ? body : {}, "'choices' is missing");
  const reader = new ObjectReader(body, '', mode);
  reader.take('choices');
  if (body['object'] === 'chat.completion') reader.take('object');
  reader.noteAbsent('object', 'created', 'id', 'model');
  const candidates = (choices as readonly Json[]).map((choice, index) => decodeChoice(choice, index, reader));
  return {
    ...optional('id', reader.string('id')),
    ...optional('model', reader.string('model')),
    ...optional('createdAt', reader.number('created')),
    candidates,
    ...readUsage(reader),
    ...residueOf(reader),
  };
}
