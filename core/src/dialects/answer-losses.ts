/**
 * What a client of another dialect cannot be told of an answer, whatever the two dialects are: the fields that only the provider's
 * dialect has, usage buckets that the client's dialect counts together, finish reasons that it has no word for. Codecs report what depends on them themselves.
 */
import type {
  ConversationResponse,
  DialectName,
  ErrorInfo,
  FinishReason,
  FinishReasonKind,
  Part,
  Residue,
  StreamEvent,
  StreamFrame,
  Usage,
} from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { SseEvent } from '../sse/event.ts';
import type { EncodeOptions, LossReport, StreamEncoder } from './codec.ts';

/** A count of tokens of one kind. The total is derived and never lost. */
export type UsageBucket = Exclude<keyof Usage, 'totalTokens'>;

/** What an answer's dialect can say. */
export interface AnswerForm {
  readonly dialect: DialectName;
  /** Buckets that its usage object shows apart. */
  readonly usageBuckets: ReadonlySet<UsageBucket>;
  /** Finish reasons that a client of the dialect reads as what they were. */
  readonly finishKinds: ReadonlySet<FinishReasonKind>;
  /** It says that a tool is called by the call alone: an answer that holds one and yet stopped reads as one that waits for it. */
  readonly isToolCallDerived: boolean;
  /** Whether it names the stop sequence that was hit. */
  readonly hasStopSequence: boolean;
}

const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Reports a foreign residue, field by field; of an object whose known members were taken out, member by member. */
function reportResidue(residue: Residue | undefined, path: string, form: AnswerForm, report: LossReport): void {
  if (residue === undefined || residue.dialect === form.dialect) return;
  const reason = `${form.dialect} has no such field`;
  for (const [key, value] of Object.entries(residue.fields)) {
    const field = path === '' ? key : `${path}.${key}`;
    const members = value !== undefined && isJsonObject(value) ? Object.keys(value) : [];
    if (members.length === 0) report.add({ action: 'dropped', field, reason });
    for (const member of members) report.add({ action: 'dropped', field: `${field}.${member}`, reason });
  }
}

function reportPart(part: Part, path: string, form: AnswerForm, report: LossReport): void {
  if ('residue' in part) reportResidue(part.residue, path, form, report);
  if (part.type !== 'text') return;
  for (const [at, citation] of (part.citations ?? []).entries()) {
    reportResidue(citation.residue, `${path}.citations[${at}]`, form, report);
  }
}

/** Reports the buckets that are counted under another name, so that a bill made from the answer would differ. */
export function reportUsageLosses(usage: Usage | undefined, form: AnswerForm, report: LossReport): void {
  for (const [bucket, count] of Object.entries(usage ?? {})) {
    if (bucket === 'totalTokens' || count === 0 || count === undefined) continue;
    if (form.usageBuckets.has(bucket as UsageBucket)) continue;
    const reason = `${form.dialect} does not count them apart`;
    report.add({ action: 'changed', field: `usage.${snakeCase(bucket)}`, reason });
  }
}

interface Ending {
  readonly reason: FinishReason | undefined;
  readonly hasToolCall: boolean;
  readonly path: string;
}

function reportFinishLosses({ reason, hasToolCall, path }: Ending, form: AnswerForm, report: LossReport): void {
  if (reason === undefined) return;
  const isMisread = reason.kind === 'stop' && hasToolCall && form.isToolCallDerived;
  if (isMisread || !form.finishKinds.has(reason.kind)) {
    const why = `${form.dialect} has no word for ${reason.raw ?? reason.kind} here`;
    report.add({ action: 'changed', field: `${path}.finish_reason`, reason: why });
  }
  if (reason.stopSequence === undefined || form.hasStopSequence) return;
  report.add({
    action: 'dropped',
    field: `${path}.stop_sequence`,
    reason: `${form.dialect} does not name the sequence`,
  });
}

/** Reports what of the usage and the finish reasons of a whole answer is said otherwise. */
export function reportEndingLosses(response: ConversationResponse, form: AnswerForm, report: LossReport): void {
  if (response.residue?.dialect === form.dialect) return;
  for (const { index, parts, finishReason: reason } of response.candidates) {
    const hasToolCall = parts.some((part) => part.type === 'tool-call');
    reportFinishLosses({ reason, hasToolCall, path: `candidates[${index}]` }, form, report);
  }
  reportUsageLosses(response.usage, form, report);
}

/** Reports the foreign fields, the usage and the finish reasons of a whole answer. */
export function reportAnswerLosses(response: ConversationResponse, form: AnswerForm, report: LossReport): void {
  if (response.residue?.dialect === form.dialect) return;
  reportResidue(response.residue, '', form, report);
  for (const candidate of response.candidates) {
    const path = `candidates[${candidate.index}]`;
    reportResidue(candidate.residue, path, form, report);
    for (const [at, part] of candidate.parts.entries()) reportPart(part, `${path}.parts[${at}]`, form, report);
  }
  reportEndingLosses(response, form, report);
}

/** A stream encoder that reports the usage and the finish reasons of foreign frames, in front of the encoder that writes them. */
export class LossReportingEncoder implements StreamEncoder {
  readonly #encoder: StreamEncoder;
  readonly #form: AnswerForm;
  readonly #report: LossReport;
  readonly #calling = new Set<number>();
  #usage: Usage | undefined;

  constructor(encoder: StreamEncoder, form: AnswerForm, options: EncodeOptions) {
    this.#encoder = encoder;
    this.#form = form;
    this.#report = options.report;
  }

  push(frame: StreamFrame): readonly SseEvent[] {
    if (frame.residue?.dialect !== this.#form.dialect) for (const event of frame.events) this.#note(event);
    return this.#encoder.push(frame);
  }

  finish(): readonly SseEvent[] {
    reportUsageLosses(this.#usage, this.#form, this.#report);
    return this.#encoder.finish();
  }

  fail(error: ErrorInfo): readonly SseEvent[] {
    reportUsageLosses(this.#usage, this.#form, this.#report);
    return this.#encoder.fail(error);
  }

  #note(event: StreamEvent): void {
    if (event.type === 'usage') this.#usage = { ...this.#usage, ...event.usage };
    else if (event.type === 'tool-call-start') this.#calling.add(event.candidate ?? 0);
    else if (event.type === 'finish') {
      const index = event.candidate ?? 0;
      const ending = { reason: event.reason, hasToolCall: this.#calling.has(index), path: `candidates[${index}]` };
      reportFinishLosses(ending, this.#form, this.#report);
    }
  }
}
