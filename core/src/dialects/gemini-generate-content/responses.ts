import type { Candidate, ConversationResponse, JsonObject } from '@bifrost/sdk';
import type { EncodeOptions } from '../codec.ts';
import { CallIds } from './call-ids.ts';
import { decodeCandidate, encodeCandidate, promptFeedbackOf } from './candidates.ts';
import { defined, FieldReader, present } from './fields.ts';
import { decodeBlockReason } from './finish-reason.ts';
import { adaptForeignAnswer } from './foreign-answer.ts';
import { applyResidue, dialect, isOwn, residueOf } from './form.ts';
import { decodeUsage, encodeUsage, usageLeaves } from './usage.ts';

const responseForm = { leaves: ['candidates', ...usageLeaves] };

/** `createTime` (RFC 3339, with fractions) -> seconds since 1970. */
export function decodeCreateTime(createTime: string | undefined): number | undefined {
  const milliseconds = createTime === undefined ? Number.NaN : Date.parse(createTime);
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}

/** Seconds since 1970 -> `createTime`. */
export function encodeCreateTime(createdAt: number | undefined): string | undefined {
  return createdAt === undefined ? undefined : new Date(createdAt * 1000).toISOString();
}

/** A refused prompt has no candidate; one without parts stands for it, and is written as `promptFeedback` again. */
function blockedCandidate(body: FieldReader): Candidate | undefined {
  const feedback = body.child('promptFeedback');
  const finishReason = decodeBlockReason(feedback?.object['blockReason'] ?? feedback?.object['block_reason']);
  if (feedback === undefined || finishReason === undefined) return undefined;
  return { index: 0, parts: [], finishReason, residue: { dialect, fields: { promptFeedback: feedback.object } } };
}

/** A whole answer -> canonical. */
export function decodeResponse(object: JsonObject): ConversationResponse {
  const body = new FieldReader(object, { path: '', isStrict: false });
  const ids = new CallIds(body.string('responseId'));
  const candidates = (body.children('candidates') ?? []).map((candidate, index) =>
    decodeCandidate(candidate, index, ids),
  );
  const blocked = candidates.length === 0 ? blockedCandidate(body) : undefined;
  const usage = body.child('usageMetadata');
  const response: ConversationResponse = {
    ...present({
      id: body.string('responseId'),
      model: body.string('modelVersion'),
      createdAt: decodeCreateTime(body.string('createTime')),
    }),
    candidates: blocked === undefined ? candidates : [blocked],
    ...(usage === undefined ? {} : { usage: decodeUsage(usage) }),
  };
  return { ...response, residue: residueOf(makeResponse(response), object, responseForm) };
}

function makeResponse(response: ConversationResponse): JsonObject {
  const feedback = response.candidates.length === 1 ? promptFeedbackOf(response.candidates[0] as Candidate) : undefined;
  return defined({
    candidates: feedback === undefined ? response.candidates.map(encodeCandidate) : undefined,
    promptFeedback: feedback,
    usageMetadata: response.usage === undefined ? undefined : encodeUsage(response.usage),
    modelVersion: response.model,
    createTime: encodeCreateTime(response.createdAt),
    responseId: response.id,
  });
}

/** Canonical -> a whole answer. */
export function encodeResponse(response: ConversationResponse, options: EncodeOptions): JsonObject {
  if (isOwn(response.residue)) return applyResidue(makeResponse(response), response.residue);
  const id = response.id ?? options.fallbackId;
  const model = response.model ?? options.request?.model;
  const candidates = response.candidates.map((candidate) => adaptForeignAnswer(candidate, options.report));
  return makeResponse({ ...response, ...present({ id, model }), candidates });
}
