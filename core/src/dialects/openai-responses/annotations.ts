/** Annotations of output text and token log probabilities, both ways. */
import { isDeepStrictEqual } from 'node:util';
import type { Citation, Json, JsonObject, TokenLogprob } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { numberField, stringField } from './json-fields.ts';
import { defined, isOwn, listOf, ownRemainder, remainderOf, spread, toResidue } from './residue.ts';

/** A `url_citation`, `file_citation`, `container_file_citation` or `file_path`; other types keep everything in the residue. */
export function decodeAnnotation(annotation: JsonObject): Citation {
  const url = stringField(annotation, 'url');
  const fileId = stringField(annotation, 'file_id');
  const titleKey = url === undefined && fileId !== undefined ? 'filename' : 'title';
  const citation = {
    url,
    title: stringField(annotation, titleKey),
    fileId,
    startIndex: numberField(annotation, 'start_index'),
    endIndex: numberField(annotation, 'end_index'),
  };
  const taken = ['url', titleKey, 'file_id', 'start_index', 'end_index'].filter((key) => {
    const type = key.endsWith('_index') ? 'number' : 'string';
    return typeof annotation[key] === type;
  });
  return { ...defined(citation), ...toResidue(remainderOf(annotation, taken, ['type'])) };
}

/** The annotation of a citation, or undefined where the dialect has none for it (a quotation without URL and file). */
export function encodeAnnotation(citation: Citation, report: LossReport): JsonObject | undefined {
  const { url, title, fileId, startIndex, endIndex } = citation;
  if (isOwn(citation)) {
    const titleKey = url === undefined && fileId !== undefined ? 'filename' : 'title';
    return {
      ...spread(ownRemainder(citation)),
      ...defined({ url, file_id: fileId, [titleKey]: title, start_index: startIndex, end_index: endIndex }),
    };
  }
  const lost = [
    ...(citation.citedText === undefined ? [] : ['cited_text']),
    ...Object.keys(citation.residue?.fields ?? {}),
  ];
  if (lost.length > 0) {
    report.add({
      action: 'changed',
      field: 'citations',
      reason: `the Responses API has no ${lost.join(', ')} in them`,
    });
  }
  if (url !== undefined) {
    return { type: 'url_citation', url, title: title ?? '', start_index: startIndex ?? 0, end_index: endIndex ?? 0 };
  }
  if (fileId !== undefined) {
    return { type: 'file_citation', file_id: fileId, filename: title ?? '', index: startIndex ?? 0 };
  }
  report.add({ action: 'dropped', field: 'citations', reason: 'the Responses API cites only URLs and files' });
  return undefined;
}

/** All annotations that can be said. */
export function encodeAnnotations(citations: readonly Citation[] | undefined, report: LossReport): JsonObject[] {
  return (citations ?? []).flatMap((citation) => listOf(encodeAnnotation(citation, report)));
}

function decodeLogprob(value: JsonObject): TokenLogprob {
  const bytes = value['bytes'] as readonly number[] | null | undefined;
  const top = value['top_logprobs'] as readonly JsonObject[] | undefined;
  return {
    token: stringField(value, 'token') ?? '',
    logprob: numberField(value, 'logprob') ?? 0,
    ...defined({ bytes }),
    ...(top === undefined ? {} : { top: top.map(decodeLogprob) }),
  };
}

/** Token log probabilities as `output_text.logprobs` has them. */
export function encodeLogprobs(logprobs: readonly TokenLogprob[]): JsonObject[] {
  return logprobs.map(({ token, logprob, bytes, top }) => ({
    token,
    logprob,
    ...defined({ bytes }),
    ...(top === undefined ? {} : { top_logprobs: encodeLogprobs(top) }),
  }));
}

/** Log probabilities in canonical form; undefined for an empty list and for one with members that have no canonical name. */
export function decodeLogprobs(value: Json | undefined): readonly TokenLogprob[] | undefined {
  if (!Array.isArray(value) || value.length === 0 || !value.every((one) => isJsonObject(one))) return undefined;
  const hasLists = value.every((one) => one['top_logprobs'] === undefined || Array.isArray(one['top_logprobs']));
  if (!hasLists) return undefined;
  const logprobs = value.map((one) => decodeLogprob(one as JsonObject));
  return isDeepStrictEqual(encodeLogprobs(logprobs), value) ? logprobs : undefined;
}
