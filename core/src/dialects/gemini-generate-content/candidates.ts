import type { Candidate, Citation, JsonObject, Part, TextPart, TokenLogprob } from '@bifrost/sdk';
import type { CallIds } from './call-ids.ts';
import { defined } from './fields.ts';
import type { FieldReader } from './fields.ts';
import { decodeFinishReason, encodeFinishReason } from './finish-reason.ts';
import { applyResidue, isOwn, residueMember } from './form.ts';
import { decodeCitations, encodeCitations } from './grounding.ts';
import { decodeLogprobs, encodeLogprobs } from './logprobs.ts';
import { encodeParts } from './messages.ts';
import { decodePart } from './parts.ts';

const candidateForm = { leaves: ['parts', 'logprobsResult'], kept: ['groundingMetadata'] };

function isVisibleText(part: Part): part is TextPart {
  return part.type === 'text';
}

/** The visible text of an answer, which citations point into. */
function visibleText(parts: readonly Part[]): string {
  return parts.filter(isVisibleText).reduce((text, part) => text + part.text, '');
}

/** Puts each citation on the text part it points into, with positions in that part; those without a position on the last one. */
function attachCitations(parts: readonly Part[], citations: readonly Citation[]): readonly Part[] {
  const last = parts.findLastIndex(isVisibleText);
  if (citations.length === 0 || last === -1) return parts;
  let offset = 0;
  return parts.map((part, index) => {
    if (!isVisibleText(part)) return part;
    const [start, end] = [offset, offset + part.text.length];
    offset = end;
    const own = citations.flatMap((citation): readonly Citation[] => {
      if (citation.startIndex === undefined || citation.endIndex === undefined) return index === last ? [citation] : [];
      const isHere = citation.startIndex >= start && (citation.startIndex < end || index === last);
      if (!isHere) return [];
      return [{ ...citation, startIndex: citation.startIndex - start, endIndex: citation.endIndex - start }];
    });
    return own.length === 0 ? part : { ...part, citations: own };
  });
}

/** All citations of the parts, with positions in the whole visible text. */
function collectCitations(parts: readonly Part[]): readonly Citation[] {
  let offset = 0;
  return parts.filter(isVisibleText).flatMap((part) => {
    const start = offset;
    offset += part.text.length;
    return (part.citations ?? []).map((citation) =>
      citation.startIndex === undefined || citation.endIndex === undefined
        ? citation
        : { ...citation, startIndex: citation.startIndex + start, endIndex: citation.endIndex + start },
    );
  });
}

function attachLogprobs(parts: readonly Part[], logprobs: readonly TokenLogprob[] | undefined): readonly Part[] {
  const first = parts.findIndex(isVisibleText);
  if (logprobs === undefined || first === -1) return parts;
  return parts.map((part, index) => (index === first ? ({ ...part, logprobs } as TextPart) : part));
}

/** Reads one candidate. Calls among its parts turn a STOP into `tool-calls`. */
export function decodeCandidate(reader: FieldReader, position: number, ids: CallIds): Candidate {
  const bare = (reader.child('content')?.children('parts') ?? []).map((part) => decodePart(part, ids));
  const logprobs = reader.child('logprobsResult');
  const parts = attachLogprobs(
    attachCitations(bare, decodeCitations(reader, visibleText(bare))),
    logprobs === undefined ? undefined : decodeLogprobs(logprobs),
  );
  const hasCalls = parts.some((part) => part.type === 'tool-call');
  const finishReason = decodeFinishReason(reader.object['finishReason'] ?? reader.object['finish_reason'], hasCalls);
  const candidate: Candidate = {
    index: reader.number('index') ?? position,
    parts,
    ...(finishReason === undefined ? {} : { finishReason }),
  };
  return { ...candidate, ...residueMember(makeCandidate(candidate), reader.object, candidateForm) };
}

function makeCandidate(candidate: Candidate): JsonObject {
  const { parts, finishReason } = candidate;
  const logprobs = parts.filter(isVisibleText).flatMap((part) => part.logprobs ?? []);
  return defined({
    content: { role: 'model', parts: encodeParts(parts) },
    finishReason: finishReason === undefined ? undefined : encodeFinishReason(finishReason),
    index: candidate.index,
    groundingMetadata: encodeCitations(collectCitations(parts), visibleText(parts)),
    logprobsResult: logprobs.length === 0 ? undefined : encodeLogprobs(logprobs),
  });
}

/** Writes one candidate. */
export function encodeCandidate(candidate: Candidate): JsonObject {
  return applyResidue(makeCandidate(candidate), candidate.residue);
}

/** `promptFeedback` of a candidate that stands for a refused prompt; undefined for a real one. */
export function promptFeedbackOf(candidate: Candidate): JsonObject | undefined {
  const feedback = isOwn(candidate.residue) ? candidate.residue?.fields['promptFeedback'] : undefined;
  const isBlock = candidate.finishReason?.kind === 'content-filter' && candidate.parts.length === 0;
  return isBlock ? (feedback as JsonObject | undefined) : undefined;
}
