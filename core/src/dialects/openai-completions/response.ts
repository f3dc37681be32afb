import { isJsonObject } from '@bifrost/sdk';
import type { Candidate, ConversationResponse, Json, JsonObject, Part } from '@bifrost/sdk';
import type { EncodeOptions } from '../codec.ts';
import { addResidue, formOf } from '../openai-chat/encode-context.ts';
import type { EncodeContext } from '../openai-chat/encode-context.ts';
import { ObjectReader, optional, residueOf } from '../openai-chat/object-reader.ts';
import type { MutableJson, ReadMode } from '../openai-chat/object-reader.ts';
import { invalidResponse, readFinishReason, readUsage } from '../openai-chat/response-decode.ts';
import { encodeFinishReason, envelope, responseContext } from '../openai-chat/response-encode.ts';
import { applyUsageRemainder, encodeUsage, reportUsageLosses } from '../openai-chat/usage.ts';
import type { UsageRemainder } from '../openai-chat/usage.ts';

const dialect = 'openai-completions';
const mode: ReadMode = { dialect, isStrict: false };

function decodeChoice(raw: Json, at: number): Candidate {
  if (!isJsonObject(raw)) throw invalidResponse({}, `'choices[${at}]' is not an object`);
  const reader = new ObjectReader(raw, `choices[${at}]`, mode);
  const text = reader.string('text');
  const finish = readFinishReason(reader);
  const index = reader.number('index');
  reader.noteAbsent('index');
  const parts: readonly Part[] = text === undefined ? [] : [{ type: 'text', text }];
  return { index: index ?? at, parts, ...finish, ...residueOf(reader) };
}

/** Legacy completions answer -> canonical. Throws `BF_DIALECT_RESPONSE_INVALID` for a body that is none. */
export function decodeResponse(body: JsonObject): ConversationResponse {
  const choices = isJsonObject(body) ? body['choices'] : undefined;
  if (!Array.isArray(choices)) throw invalidResponse(isJsonObject(body) ? body : {}, "'choices' is missing");
  const reader = new ObjectReader(body, '', mode);
  reader.take('choices');
  reader.take('object');
  if (body['object'] !== 'text_completion' && body['object'] !== undefined) reader.note('object', body['object']);
  reader.noteAbsent('object', 'created', 'id', 'model');
  return {
    ...optional('id', reader.string('id')),
    ...optional('model', reader.string('model')),
    ...optional('createdAt', reader.number('created')),
    candidates: (choices as readonly Json[]).map((choice, index) => decodeChoice(choice, index)),
    ...readUsage(reader),
    ...residueOf(reader),
  };
}

/** The text of an answer's parts; whatever a completion cannot hold is reported. */
export function textOf(parts: readonly Part[], path: string, context: EncodeContext): string {
  return parts
    .flatMap((part) => {
      if (part.type === 'text' || part.type === 'refusal') return [part.text];
      context.report.add({ action: 'dropped', field: `${path}.${part.type}`, reason: 'a completion holds only text' });
      return [];
    })
    .join('');
}

function encodeChoice(candidate: Candidate, at: number, context: EncodeContext): JsonObject {
  const path = `choices[${at}]`;
  const isOwn = candidate.residue?.dialect === dialect;
  const target: MutableJson = { text: textOf(candidate.parts, path, context), index: candidate.index };
  if (!isOwn) target['logprobs'] = null;
  target['finish_reason'] = encodeFinishReason(candidate, path, context);
  return addResidue(target, candidate.residue, path, context);
}

/** Canonical -> legacy completions answer. */
export function encodeResponse(response: ConversationResponse, options: EncodeOptions): JsonObject {
  const context = responseContext(dialect, response.residue, options);
  const form = formOf(response.residue, dialect);
  const target: MutableJson = { ...envelope(response, options, context), object: form['object'] ?? 'text_completion' };
  target['choices'] = response.candidates.map((candidate, at) => encodeChoice(candidate, at, context));
  if (response.usage !== undefined) {
    const book = encodeUsage(response.usage);
    reportUsageLosses(response.usage, context.report);
    const remainder = form['usage'] as unknown as UsageRemainder | undefined;
    target['usage'] = remainder === undefined ? book : applyUsageRemainder(book, remainder);
  }
  return addResidue(target, response.residue, '', context);
}
