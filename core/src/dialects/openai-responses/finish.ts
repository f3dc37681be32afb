/** Why an answer ended: the API says it by status, `incomplete_details` and what was answered. */
import type { FinishReason, FinishReasonKind, JsonObject, Part } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { objectField, stringField } from './json-fields.ts';

/** What of the answer decides how it ended. */
export interface Answered {
  readonly hasToolCall: boolean;
  readonly hasRefusal: boolean;
}

/** What a list of parts answers. */
export function answeredBy(parts: readonly Part[]): Answered {
  return {
    hasToolCall: parts.some((part) => part.type === 'tool-call'),
    hasRefusal: parts.some((part) => part.type === 'refusal'),
  };
}

function kindOf(status: string | undefined, reason: string | undefined, answered: Answered): FinishReasonKind {
  switch (status) {
    case 'completed':
      if (answered.hasToolCall) return 'tool-calls';
      return answered.hasRefusal ? 'refusal' : 'stop';
    case 'incomplete':
      if (reason === 'max_output_tokens') return 'length';
      return reason === 'content_filter' ? 'content-filter' : 'other';
    case 'failed':
      return 'error';
    default:
      return 'other';
  }
}

const reasons: ReadonlySet<unknown> = new Set(['max_output_tokens', 'content_filter']);

/** True where `incomplete_details` says nothing but a reason that the canonical model has a word for. */
export function isReasonCanonical(response: JsonObject): boolean {
  const details = objectField(response, 'incomplete_details');
  if (details === undefined || response['status'] !== 'incomplete') return false;
  return reasons.has(details['reason']) && Object.keys(details).length === 1;
}

/** Reads status and `incomplete_details`; undefined for a response without status. `raw` is the reason where it is known, else the status. */
export function decodeFinish(response: JsonObject, answered: Answered): FinishReason | undefined {
  const status = stringField(response, 'status');
  if (status === undefined) return undefined;
  const reason = stringField(objectField(response, 'incomplete_details') ?? {}, 'reason');
  return {
    kind: kindOf(status, reason, answered),
    raw: status === 'incomplete' && reasons.has(reason) ? String(reason) : status,
  };
}

/** Status and reason of an answer's end. */
export interface FinishStatus {
  readonly status: string;
  /** `incomplete_details.reason`; absent where the answer is whole. */
  readonly reason?: string;
}

const statuses: ReadonlySet<unknown> = new Set([
  'completed',
  'failed',
  'in_progress',
  'cancelled',
  'queued',
  'incomplete',
]);

/** The status of a canonical end. The provider's own word is used where it is a word of this API and still says the same. */
export function encodeFinish(finish: FinishReason | undefined): FinishStatus {
  const { kind, raw } = finish ?? { kind: 'stop' };
  switch (kind) {
    case 'length':
      return { status: 'incomplete', reason: 'max_output_tokens' };
    case 'content-filter':
      return { status: 'incomplete', reason: 'content_filter' };
    case 'error':
      return { status: 'failed' };
    case 'other':
      if (raw === 'incomplete') return { status: 'incomplete' };
      return { status: raw !== undefined && statuses.has(raw) ? raw : 'completed' };
    default:
      return { status: 'completed' };
  }
}

/** Reports an end that reads differently in this API: a paused turn, a stop sequence, calls that the provider ran itself. */
export function reportFinish(
  finish: FinishReason | undefined,
  status: FinishStatus | undefined,
  answered: Answered,
  report: LossReport,
): void {
  if (finish === undefined) return;
  const kind = kindOf(status?.status, status?.reason, answered);
  if (kind !== finish.kind) {
    report.add({ action: 'changed', field: 'finish_reason', reason: `${finish.kind} reads as ${kind} here` });
  }
  if (finish.stopSequence !== undefined) {
    report.add({ action: 'dropped', field: 'stop_sequence', reason: 'the Responses API has no stop sequences' });
  }
}
