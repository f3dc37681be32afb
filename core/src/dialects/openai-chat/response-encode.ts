import type { Candidate, ConversationResponse, Json, JsonObject, Part, Residue } from '@bifrost/sdk';
import type { EncodeOptions } from '../codec.ts';
import { encodeAssistant } from './assistant-encode.ts';
import { addResidue, formOf, isAbsent, setField } from './encode-context.ts';
import type { EncodeContext } from './encode-context.ts';
import { formatFinishReason, isFinishReasonChanged, mapFinishReason } from './finish-reason.ts';
import { encodeLogprobs } from './logprobs.ts';
import type { MutableJson } from './object-reader.ts';
import { applyUsageRemainder, encodeUsage, reportUsageLosses } from './usage.ts';
import type { UsageRemainder } from './usage.ts';

/** The context of an answer that goes to a client. */
export function responseContext(
  dialect: EncodeContext['dialect'],
  residue: Residue | undefined,
  options: EncodeOptions,
): EncodeContext {
  return {
    dialect,
    report: options.report,
    quirks: options.quirks ?? {},
    direction: 'response',
    isOwn: residue?.dialect === dialect,
  };
}

/** The finish reason: the noted word while it still says the same. */
export function encodeFinishReason(
  candidate: Pick<Candidate, 'finishReason' | 'residue'>,
  path: string,
  context: EncodeContext,
): string | null {
  const reason = candidate.finishReason;
  if (reason === undefined) return null;
  const noted = formOf(candidate.residue, context.dialect)['finishReason'];
  if (typeof noted === 'string' && mapFinishReason(noted).kind === reason.kind) return noted;
  if (isFinishReasonChanged(reason)) {
    context.report.add({
      action: 'changed',
      field: `${path}.finish_reason`,
      reason: `no word for ${reason.raw ?? reason.kind}`,
    });
  }
  return formatFinishReason(reason);
}

function messageResidue(candidate: Candidate, dialect: EncodeContext['dialect']): Residue | undefined {
  if (candidate.residue?.dialect !== dialect) return undefined;
  const form = candidate.residue.form?.['message'] as JsonObject | undefined;
  const fields = (candidate.residue.fields['message'] as JsonObject | undefined) ?? {};
  return { dialect, fields, ...(form === undefined ? {} : { form }) };
}

function splitTopCitations(
  parts: readonly Part[],
  dialect: EncodeContext['dialect'],
): { readonly parts: readonly Part[]; readonly top: readonly string[] } {
  const top: string[] = [];
  const kept = parts.map((part) => {
    if (part.type !== 'text' || part.citations === undefined) return part;
    const citations = part.citations.filter((citation) => {
      const isTop = formOf(citation.residue, dialect)['field'] === 'citations';
      if (isTop && citation.url !== undefined) top.push(citation.url);
      return !isTop;
    });
    return { ...part, citations };
  });
  return { parts: kept, top };
}

function encodeChoice(candidate: Candidate, parts: readonly Part[], place: number, context: EncodeContext): JsonObject {
  const path = `choices[${place}]`;
  const residue = messageResidue(candidate, context.dialect);
  const form = residue?.form ?? {};
  const message = encodeAssistant(
    parts,
    { path: `${path}.message`, form, ...(residue === undefined ? {} : { residue }) },
    context,
  );
  if (form['role'] !== undefined && message['role'] !== undefined) message['role'] = form['role'];
  const target: MutableJson = {
    index: candidate.index,
    message,
    finish_reason: encodeFinishReason(candidate, path, context),
  };
  const logprobs = parts.flatMap((part) => (part.type === 'text' ? (part.logprobs ?? []) : []));
  if (logprobs.length > 0) {
    const rest = (formOf(candidate.residue, context.dialect)['logprobs'] as JsonObject | undefined) ?? {
      refusal: null,
    };
    target['logprobs'] = { content: encodeLogprobs(logprobs), ...rest } as Json;
  }
  setField(target, 'stop_reason', candidate.finishReason?.stopSequence);
  return addChoiceResidue(target, candidate.residue, path, context);
}

/** As `addResidue`, where a `finish_reason` that is null because nothing is known gives way to what the wire had. */
function addChoiceResidue(
  target: MutableJson,
  residue: Residue | undefined,
  path: string,
  context: EncodeContext,
): JsonObject {
  const plain = residue?.dialect === context.dialect ? (residue.form?.['plain'] as JsonObject | undefined) : undefined;
  if (target['finish_reason'] === null && typeof plain?.['finish_reason'] === 'string') delete target['finish_reason'];
  return addResidue(target, residue, path, context);
}

/** Id, model and time: the answer's own, else stand-ins, but none for a field that this dialect's provider left away. */
export function envelope(response: ConversationResponse, options: EncodeOptions, context: EncodeContext): MutableJson {
  const target: MutableJson = {};
  const standIns = {
    id: response.id ?? options.fallbackId ?? 'chatcmpl-unknown',
    created: response.createdAt ?? Math.floor(Date.now() / 1000),
    model: response.model ?? options.request?.model ?? '',
  };
  const own = { id: response.id, created: response.createdAt, model: response.model };
  for (const key of ['id', 'created', 'model'] as const) {
    if (own[key] !== undefined || !isAbsent(response.residue, key, context.dialect)) target[key] = standIns[key];
  }
  return target;
}

/** Canonical -> Chat Completions answer. */
export function encodeResponse(response: ConversationResponse, options: EncodeOptions): JsonObject {
  const context = responseContext('openai-chat', response.residue, options);
  const form = formOf(response.residue, context.dialect);
  const target: MutableJson = { ...envelope(response, options, context), object: 'chat.completion' };
  const citations: string[] = [];
  target['choices'] = response.candidates.map((candidate, place) => {
    const { parts, top } = splitTopCitations(candidate.parts, context.dialect);
    citations.push(...top);
    return encodeChoice(candidate, parts, place, context);
  });
  if (citations.length > 0) target['citations'] = citations;
  if (response.usage !== undefined) {
    const remainder = form['usage'] as unknown as UsageRemainder | undefined;
    const book = encodeUsage(response.usage);
    reportUsageLosses(response.usage, context.report);
    setField(target, 'usage', remainder === undefined ? book : applyUsageRemainder(book, remainder));
  }
  const object = response.residue?.dialect === context.dialect ? response.residue.fields['object'] : undefined;
  setField(target, 'object', object);
  return addResidue(target, response.residue, '', context);
}
