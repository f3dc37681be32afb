/** Whole answers, both ways. */
import { GatewayError } from '@bifrost/sdk';
import type { Candidate, ConversationResponse, FinishReason, JsonObject, Usage } from '@bifrost/sdk';
import type { EncodeOptions, LossReport } from '../codec.ts';
import { encodeParts } from './block-encoder.ts';
import { decodeBlock } from './blocks.ts';
import { decodeErrorBody } from './errors.ts';
import { dropExpected, present, putBack, takeArray, takeObject, takeString } from './fields.ts';
import type { Fields } from './fields.ts';
import { decodeStopReason, encodeForeignStopReason, encodeOwnStopReason, refusalLoss } from './finish.ts';
import { dialect, isOwn, residueField, toResidue, withResidue } from './residue.ts';
import { encodeForeignUsage, encodeOwnUsage, takeUsage } from './usage.ts';

/** What a message object says apart from its content; takes it out of `fields`. */
export function takeMessageHead(fields: Fields): {
  readonly id?: string;
  readonly model?: string;
  readonly usage?: Usage;
  readonly finishReason?: NonNullable<Candidate['finishReason']>;
} {
  dropExpected(fields, 'type', 'message');
  dropExpected(fields, 'role', 'assistant');
  const usageFields = takeObject(fields, 'usage');
  const usage = usageFields === undefined ? undefined : takeUsage(usageFields);
  putBack(fields, 'usage', usageFields ?? {});
  const finishReason = decodeStopReason(fields['stop_reason'], fields['stop_sequence']);
  if (finishReason !== undefined) delete fields['stop_reason'];
  if (finishReason?.stopSequence !== undefined) delete fields['stop_sequence'];
  return present({ id: takeString(fields, 'id'), model: takeString(fields, 'model'), usage, finishReason });
}

/** An answer of status 200 that is no message: the provider's error in its place, or something else altogether. */
function invalidAnswer(body: JsonObject): GatewayError {
  const error = body['type'] === 'error' ? decodeErrorBody(200, body) : undefined;
  const message =
    error?.message ?? 'the provider answered with JSON that is no Anthropic message: it has no content list';
  const { statusCode = 502, ...info } = error ?? {};
  return new GatewayError(message, {
    code: 'BF_DIALECT_RESPONSE_INVALID',
    statusCode,
    origin: 'provider',
    isRetryable: statusCode >= 429,
    info,
  });
}

/** A message object to the canonical answer. Throws `BF_DIALECT_RESPONSE_INVALID` for a body that is none. */
export function decodeResponseBody(body: JsonObject): ConversationResponse {
  if (!Array.isArray(body['content'])) throw invalidAnswer(body);
  const rest: Fields = { ...body };
  const { id, model, usage, finishReason } = takeMessageHead(rest);
  const parts = (takeArray(rest, 'content') ?? []).map(decodeBlock);
  return present({
    id,
    model,
    candidates: [present({ index: 0, parts, finishReason })],
    usage,
    residue: toResidue(rest) ?? { dialect, fields: {} },
  });
}

function encodeContent(candidate: Candidate, own: boolean, options: EncodeOptions): readonly JsonObject[] {
  return encodeParts(candidate.parts, (_part, index) => {
    return { direction: 'response', isOwn: own, role: 'assistant', path: `content[${index}]`, report: options.report };
  });
}

function encodeOwn(response: ConversationResponse, options: EncodeOptions): JsonObject {
  const [candidate] = response.candidates;
  const reason = candidate?.finishReason;
  const encoded: Fields = present({
    id: response.id,
    type: 'message',
    role: 'assistant',
    model: response.model,
    content: candidate === undefined ? [] : encodeContent(candidate, true, options),
    stop_reason: reason === undefined ? undefined : encodeOwnStopReason(reason),
    stop_sequence: reason?.stopSequence,
    usage:
      response.usage === undefined
        ? undefined
        : encodeOwnUsage(response.usage, residueField(response.residue, 'usage')),
  });
  return withResidue(encoded, response.residue);
}

/** Dialects that have refusals as parts end them with an ordinary stop. */
function withRefusal(candidate: Candidate | undefined, report: LossReport): FinishReason | undefined {
  const reason = candidate?.finishReason;
  const isRefused = candidate?.parts.some((part) => part.type === 'refusal') === true;
  if (!isRefused || (reason !== undefined && reason.kind !== 'stop')) return reason;
  report.add(refusalLoss);
  return { kind: 'refusal' };
}

/** The canonical answer as a message object. */
export function encodeResponseBody(response: ConversationResponse, options: EncodeOptions): JsonObject {
  if (isOwn(response)) return encodeOwn(response, options);
  const [candidate, ...others] = response.candidates;
  for (const other of others) {
    options.report.add({ action: 'dropped', field: `choices[${other.index}]`, reason: 'Anthropic gives one answer' });
  }
  const content = candidate === undefined ? [] : encodeContent(candidate, false, options);
  const hasToolCall = content.some((block) => block['type'] === 'tool_use');
  return {
    id: response.id ?? options.fallbackId ?? '',
    type: 'message',
    role: 'assistant',
    model: response.model ?? options.request?.model ?? '',
    content,
    stop_reason: encodeForeignStopReason(withRefusal(candidate, options.report), hasToolCall),
    stop_sequence: candidate?.finishReason?.stopSequence ?? null,
    usage: encodeForeignUsage(response.usage),
  };
}
