import { isJsonObject } from '@bifrost/sdk';
import type { EmbeddingRequest, EmbeddingResponse, Json, JsonObject, Usage } from '@bifrost/sdk';
import { totalInputTokens } from '@bifrost/sdk';
import type { RequestHeadHint } from '../codec.ts';
import { addResidue, formOf, setField } from '../openai-chat/encode-context.ts';
import type { EncodeContext } from '../openai-chat/encode-context.ts';
import { ObjectReader, optional, residueOf, wrongType } from '../openai-chat/object-reader.ts';
import type { MutableJson } from '../openai-chat/object-reader.ts';
import { readModel } from '../openai-chat/request-decode.ts';
import { dropUnsupported } from '../openai-chat/request-encode.ts';
import { invalidResponse } from '../openai-chat/response-decode.ts';
import { applyUsageRemainder, decodeUsage, difference } from '../openai-chat/usage.ts';
import type { UsageRemainder } from '../openai-chat/usage.ts';
import type { EmbeddingCodec, EmbeddingEncodeOptions } from './codec.ts';
import { decodeVector, encodeVector } from './vectors.ts';

/** Remainders of this family's embeddings go by the name of its conversation dialect. */
const dialect = 'openai-chat';

function isTokens(raw: Json): raw is readonly number[] {
  return Array.isArray(raw) && raw.length > 0 && raw.every((one) => typeof one === 'number');
}

/** `input`: a text, texts, one list of tokens, or lists of tokens. */
function readInputs(reader: ObjectReader): EmbeddingRequest['inputs'] {
  const raw = reader.take('input');
  const expected = 'a non-empty string, or a non-empty array of strings or of arrays of tokens';
  if (typeof raw === 'string') {
    reader.note('input', 'single');
    return [raw];
  }
  if (!Array.isArray(raw) || raw.length === 0) throw wrongType('input', raw, expected);
  if (isTokens(raw)) {
    reader.note('input', 'single');
    return [raw];
  }
  return (raw as readonly Json[]).map((one, index) => {
    if (typeof one === 'string' || isTokens(one)) return one;
    throw wrongType(`input[${index}]`, one, 'a string or an array of tokens');
  });
}

function decodeRequest(body: JsonObject, hint: RequestHeadHint): EmbeddingRequest {
  if (!isJsonObject(body)) throw wrongType('body', body as Json, 'a JSON object');
  const reader = new ObjectReader(body, '', { dialect, isStrict: true });
  const request = {
    model: readModel(reader, hint),
    inputs: readInputs(reader),
    ...optional('dimensions', reader.number('dimensions')),
    ...optional('encodingFormat', reader.string('encoding_format')),
    ...optional('userId', reader.string('user')),
  };
  return { ...request, residue: reader.rest() ?? { dialect, fields: {} } };
}

function contextOf(
  options: EmbeddingEncodeOptions,
  direction: EncodeContext['direction'],
  isOwn: boolean,
): EncodeContext {
  return { dialect, report: options.report, quirks: options.quirks ?? {}, direction, isOwn };
}

function encodeRequest(request: EmbeddingRequest, options: EmbeddingEncodeOptions): JsonObject {
  const context = contextOf(options, 'request', request.residue?.dialect === dialect);
  const isSingle = formOf(request.residue, dialect)['input'] === 'single' && request.inputs.length === 1;
  const target: MutableJson = { model: request.model, input: isSingle ? (request.inputs[0] ?? '') : request.inputs };
  setField(target, 'dimensions', request.dimensions);
  setField(target, 'encoding_format', request.encodingFormat);
  setField(target, 'user', request.userId);
  for (const [key, value] of Object.entries(request.extra ?? {}))
    if (target[key] === undefined) setField(target, key, value);
  addResidue(target, request.residue, '', context);
  dropUnsupported(target, context);
  return target;
}

/** By the book: input tokens twice, as there is no output. */
function encodeUsage(usage: Usage): JsonObject {
  const input = totalInputTokens(usage) ?? 0;
  return { prompt_tokens: input, total_tokens: usage.totalTokens ?? input };
}

function readUsage(reader: ObjectReader): Usage | undefined {
  const raw = reader.peek('usage');
  if (!isJsonObject(raw)) return undefined;
  reader.take('usage');
  const total = raw['total_tokens'];
  const isTotalOnly = raw['prompt_tokens'] === undefined && typeof total === 'number';
  const usage = isTotalOnly ? { inputTokens: total, totalTokens: total } : decodeUsage(raw);
  const remainder = difference(raw, encodeUsage(usage));
  if (remainder.absent.length > 0 || Object.keys(remainder.extra).length > 0)
    reader.note('usage', { ...remainder } as MutableJson);
  return usage;
}

function decodeResponse(body: JsonObject): EmbeddingResponse {
  const data = isJsonObject(body) ? body['data'] : undefined;
  if (!Array.isArray(data)) throw invalidResponse(isJsonObject(body) ? body : {}, "'data' is missing");
  const reader = new ObjectReader(body, '', { dialect, isStrict: false });
  reader.take('data');
  reader.noteAbsent('object', 'model');
  if (body['object'] === 'list') reader.take('object');
  const entries = (data as readonly Json[]).map(
    (entry, at): { readonly index: number; readonly vector: readonly number[] | string } => {
      const vector = isJsonObject(entry) ? entry['embedding'] : undefined;
      if (!isJsonObject(entry) || (typeof vector !== 'string' && !Array.isArray(vector))) {
        throw invalidResponse({}, `'data[${at}].embedding' is neither a list of numbers nor base64`);
      }
      return {
        index: typeof entry['index'] === 'number' ? entry['index'] : at,
        vector: vector as readonly number[] | string,
      };
    },
  );
  const rests = (data as readonly JsonObject[]).map((entry, at) => {
    const { embedding: _, ...rest } = entry;
    return difference(rest as JsonObject, { object: 'embedding', index: at });
  });
  const isOdd = rests.some((rest) => rest.absent.length > 0 || Object.keys(rest.extra).length > 0);
  if (isOdd) reader.note('data', rests as unknown as Json);
  return {
    ...optional('model', reader.string('model')),
    embeddings: entries.toSorted((left, right) => left.index - right.index).map((entry) => entry.vector),
    ...optional('usage', readUsage(reader)),
    ...residueOf(reader),
  };
}

/** A vector in the form that was asked for; as it is where nothing was. */
function toWanted(vector: readonly number[] | string, format: string | undefined): readonly number[] | string {
  if (format === 'base64' && typeof vector !== 'string') return encodeVector(vector);
  if ((format === 'float' || format === undefined) && typeof vector === 'string') return decodeVector(vector);
  return vector;
}

function encodeResponse(response: EmbeddingResponse, options: EmbeddingEncodeOptions): JsonObject {
  const form = formOf(response.residue, dialect);
  const rests = (form['data'] as unknown as readonly UsageRemainder[] | undefined) ?? [];
  const { request } = options;
  const data = response.embeddings.map((vector, index) => {
    const book = {
      object: 'embedding',
      index,
      embedding: request === undefined ? vector : toWanted(vector, request.encodingFormat),
    };
    const rest = rests[index];
    return rest === undefined ? book : applyUsageRemainder(book, rest);
  });
  const target: MutableJson = { object: 'list', data, model: response.model ?? request?.model ?? '' };
  if (response.usage !== undefined) {
    const book = encodeUsage(response.usage);
    const remainder = form['usage'] as unknown as UsageRemainder | undefined;
    target['usage'] = remainder === undefined ? book : applyUsageRemainder(book, remainder);
  }
  for (const [key, value] of Object.entries(response.extra ?? {}))
    if (target[key] === undefined) setField(target, key, value);
  const isOwn = response.residue?.dialect === dialect;
  return addResidue(target, response.residue, '', contextOf(options, 'response', isOwn));
}

/** OpenAI `/v1/embeddings` and the servers that speak it. */
export const openaiEmbeddings: EmbeddingCodec = { decodeRequest, encodeRequest, decodeResponse, encodeResponse };
