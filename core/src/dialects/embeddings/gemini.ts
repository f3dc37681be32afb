import { InvalidRequestError, isJsonObject, totalInputTokens } from '@bifrost/sdk';
import type { EmbeddingRequest, EmbeddingResponse, Json, JsonObject } from '@bifrost/sdk';
import type { RequestHeadHint } from '../codec.ts';
import { addResidue, formOf, setField } from '../openai-chat/encode-context.ts';
import type { EncodeContext } from '../openai-chat/encode-context.ts';
import { ObjectReader, optional, residueOf, wrongType } from '../openai-chat/object-reader.ts';
import type { MutableJson } from '../openai-chat/object-reader.ts';
import { invalidResponse } from '../openai-chat/response-decode.ts';
import { applyUsageRemainder, difference } from '../openai-chat/usage.ts';
import type { UsageRemainder } from '../openai-chat/usage.ts';
import type { EmbeddingCodec, EmbeddingEncodeOptions } from './codec.ts';
import { decodeVector } from './vectors.ts';

/** Remainders of this family's embeddings go by the name of its conversation dialect. */
const dialect = 'gemini-generate-content';

/** The method of the path that takes this body: `embedContent` for one text, `batchEmbedContents` for several. */
export function geminiEmbeddingAction(body: JsonObject): 'embedContent' | 'batchEmbedContents' {
  return Array.isArray(body['requests']) ? 'batchEmbedContents' : 'embedContent';
}

interface One {
  readonly text: string;
  readonly dimensions: number | undefined;
  readonly rest: JsonObject;
  readonly lengths: readonly number[];
  readonly content: JsonObject;
}

/** The text of `content.parts`; throws for media, which a text embedding cannot say. */
function readTexts(content: JsonObject, path: string): readonly string[] {
  const parts = content['parts'];
  if (!Array.isArray(parts) || parts.length === 0)
    throw wrongType(`${path}.parts`, parts as Json | undefined, 'an array of parts such as [{"text":"Hello"}]');
  return (parts as readonly Json[]).map((part, at) => {
    const isText = isJsonObject(part) && typeof part['text'] === 'string' && Object.keys(part).length === 1;
    if (!isText)
      throw wrongType(`${path}.parts[${at}]`, part, 'a part with nothing but text: other inputs cannot be translated');
    return part['text'] as string;
  });
}

function readOne(raw: Json, path: string): One {
  if (!isJsonObject(raw)) throw wrongType(path === '' ? 'body' : path, raw, "an object with 'content'");
  const { content, outputDimensionality, model: _, ...rest } = raw;
  const at = path === '' ? 'content' : `${path}.content`;
  if (!isJsonObject(content)) throw wrongType(at, content, 'an object with parts');
  if (outputDimensionality !== undefined && typeof outputDimensionality !== 'number') {
    throw wrongType(
      path === '' ? 'outputDimensionality' : `${path}.outputDimensionality`,
      outputDimensionality,
      'a number',
    );
  }
  const texts = readTexts(content, at);
  const { parts: __, ...frame } = content;
  return {
    text: texts.join(''),
    dimensions: outputDimensionality,
    rest: rest as JsonObject,
    lengths: texts.map((text) => text.length),
    content: frame as JsonObject,
  };
}

function modelOf(raw: Json | undefined): string | undefined {
  return typeof raw === 'string' ? raw.replace(/^models\//, '') : undefined;
}

function decodeRequest(body: JsonObject, hint: RequestHeadHint): EmbeddingRequest {
  if (!isJsonObject(body)) throw wrongType('body', body as Json, 'a JSON object');
  const isBatch = body['requests'] !== undefined;
  if (isBatch && (!Array.isArray(body['requests']) || body['requests'].length === 0)) {
    throw wrongType('requests', body['requests'], 'a non-empty array of embedContent requests');
  }
  const raws = isBatch ? (body['requests'] as readonly Json[]) : [body];
  const ones = raws.map((raw, at) => readOne(raw, isBatch ? `requests[${at}]` : ''));
  const named = raws.map((raw) => (isJsonObject(raw) ? raw['model'] : undefined));
  const model = hint.model ?? modelOf(named[0]);
  if (model === undefined || model === '')
    throw wrongType('model', undefined, 'the model, in the path or in each request');
  const dimensions = ones.every((one) => one.dimensions === ones[0]?.dimensions) ? ones[0]?.dimensions : undefined;
  const form = {
    isBatch,
    rests: ones.map((one) =>
      dimensions === one.dimensions ? one.rest : { ...one.rest, outputDimensionality: one.dimensions ?? null },
    ),
    lengths: ones.map((one) => one.lengths),
    contents: ones.map((one) => one.content),
    ...(named.some((one) => one !== undefined) ? { model, models: named.map((one) => one ?? null) } : {}),
  };
  const { requests: _, ...outer } = body;
  // What all inputs share and another dialect has no name for; it must be reported there.
  const shared = isBatch ? { ...(outer as JsonObject), ...ones[0]?.rest } : (ones[0]?.rest ?? {});
  const residue = { dialect, fields: shared, form: { ...form, outer: isBatch ? (outer as JsonObject) : {} } } as const;
  return { model, inputs: ones.map((one) => one.text), ...optional('dimensions', dimensions), residue };
}

/** Cuts a text into the parts that it came in, as long as it still has their length together. */
function toParts(text: string, lengths: readonly number[] | undefined): readonly JsonObject[] {
  if (lengths === undefined || lengths.reduce((sum, length) => sum + length, 0) !== text.length) return [{ text }];
  let at = 0;
  return lengths.map((length) => ({ text: text.slice(at, (at += length)) }));
}

function encodeRequest(request: EmbeddingRequest, options: EmbeddingEncodeOptions): JsonObject {
  const form = formOf(request.residue, dialect);
  const isOwn = request.residue?.dialect === dialect;
  const [rests, lengths, contents] = [form['rests'], form['lengths'], form['contents']] as unknown as (
    | readonly never[]
    | undefined
  )[];
  const isBatch = isOwn ? form['isBatch'] === true || request.inputs.length > 1 : true;
  const models = (form['models'] as readonly Json[] | undefined) ?? [];
  const isSameModel = form['model'] === request.model;
  const ones = request.inputs.map((input, at): JsonObject => {
    if (typeof input !== 'string') {
      throw new InvalidRequestError(
        `'input[${at}]' is an array of tokens; Gemini embeds only text: send the text itself`,
        { code: 'BF_DIALECT_UNSUPPORTED', param: `input[${at}]` },
      );
    }
    const one: MutableJson = {
      content: { parts: toParts(input, lengths?.[at]), ...(contents?.[at] as JsonObject | undefined) },
    };
    const named = models[at];
    const name = isSameModel && typeof named === 'string' ? named : `models/${request.model}`;
    if (isBatch ? !isOwn || named !== null : typeof named === 'string') one['model'] = name;
    setField(one, 'outputDimensionality', request.dimensions);
    for (const [key, value] of Object.entries((rests?.[at] as JsonObject | undefined) ?? {}))
      if (one[key] === undefined && value !== undefined) one[key] = value;
    return one;
  });
  if (request.userId !== undefined)
    options.report.add({ action: 'dropped', field: 'user', reason: 'the dialect has no such setting' });
  if (!isOwn) addResidue({}, request.residue, '', contextOf(options, 'request'));
  return isBatch ? { requests: ones, ...(form['outer'] as JsonObject | undefined) } : (ones[0] ?? {});
}

function contextOf(options: EmbeddingEncodeOptions, direction: EncodeContext['direction']): EncodeContext {
  return { dialect, report: options.report, quirks: options.quirks ?? {}, direction, isOwn: false };
}

function decodeResponse(body: JsonObject): EmbeddingResponse {
  const { embedding, embeddings } = isJsonObject(body) ? body : {};
  const raws = Array.isArray(embeddings)
    ? (embeddings as readonly Json[])
    : embedding === undefined
      ? undefined
      : [embedding];
  if (raws === undefined)
    throw invalidResponse(isJsonObject(body) ? body : {}, "neither 'embedding' nor 'embeddings' is there");
  const reader = new ObjectReader(body, '', { dialect, isStrict: false });
  reader.take('embedding');
  reader.take('embeddings');
  const vectors = raws.map((raw, at) => {
    const values = isJsonObject(raw) ? raw['values'] : undefined;
    if (!Array.isArray(values)) throw invalidResponse({}, `embedding ${at} has no values`);
    return values as readonly number[];
  });
  const rests = raws.map((raw) => {
    const { values: _, ...rest } = raw as JsonObject;
    return rest as JsonObject;
  });
  if (!Array.isArray(embeddings)) reader.note('isSingle', true);
  if (rests.some((rest) => Object.keys(rest).length > 0)) reader.note('rests', rests);
  const metadata = reader.object('usageMetadata');
  const count = metadata?.['promptTokenCount'];
  const usage = typeof count === 'number' ? { inputTokens: count } : undefined;
  if (metadata !== undefined)
    reader.note(
      'usage',
      difference(metadata, usage === undefined ? {} : { promptTokenCount: count ?? 0 }) as unknown as Json,
    );
  return { embeddings: vectors, ...optional('usage', usage), ...residueOf(reader) };
}

function encodeResponse(response: EmbeddingResponse, options: EmbeddingEncodeOptions): JsonObject {
  const form = formOf(response.residue, dialect);
  const isOwn = response.residue?.dialect === dialect;
  const wasSingleAsked = formOf(options.request?.residue, dialect)['isBatch'] === false;
  const isSingle =
    (options.request === undefined ? isOwn && form['isSingle'] === true : wasSingleAsked) &&
    response.embeddings.length === 1;
  const rests = (form['rests'] as readonly JsonObject[] | undefined) ?? [];
  const vectors = response.embeddings.map((vector, at) => ({
    values: typeof vector === 'string' ? decodeVector(vector) : vector,
    ...rests[at],
  }));
  const target: MutableJson = isSingle ? { embedding: vectors[0] ?? {} } : { embeddings: vectors };
  const input = response.usage === undefined ? undefined : totalInputTokens(response.usage);
  const book = input === undefined ? {} : { promptTokenCount: input };
  const remainder = form['usage'] as unknown as UsageRemainder | undefined;
  if (remainder !== undefined) target['usageMetadata'] = applyUsageRemainder(book, remainder);
  else if (input !== undefined) target['usageMetadata'] = book;
  return addResidue(target, response.residue, '', contextOf(options, 'response'));
}

/** Gemini `embedContent` and `batchEmbedContents`; a request of another dialect always becomes a batch. */
export const geminiEmbeddings: EmbeddingCodec = { decodeRequest, encodeRequest, decodeResponse, encodeResponse };
