import { isJsonObject } from '@bifrost/sdk';
import type { Citation, Json, JsonObject, TextPart } from '@bifrost/sdk';
import { addResidue, setField } from './encode-context.ts';
import type { EncodeContext } from './encode-context.ts';
import { ObjectReader, optional, residueOf } from './object-reader.ts';
import type { MutableJson, ReadMode } from './object-reader.ts';

/** One entry of `annotations`: `{type: 'url_citation', url_citation: {url, title, start_index, end_index}}`; undefined for others. */
export function decodeAnnotation(raw: Json, path: string, mode: ReadMode): Citation | undefined {
  if (!isJsonObject(raw) || raw['type'] !== 'url_citation' || !isJsonObject(raw['url_citation'])) return undefined;
  if (Object.keys(raw).length !== 2) return undefined;
  const reader = new ObjectReader(raw['url_citation'], `${path}.url_citation`, mode);
  return {
    ...optional('url', reader.string('url')),
    ...optional('title', reader.string('title')),
    ...optional('citedText', reader.string('content')),
    ...optional('startIndex', reader.number('start_index')),
    ...optional('endIndex', reader.number('end_index')),
    ...residueOf(reader),
  };
}

/** One entry of `annotations`. `shift`: where the cited part's text begins in the message's text. */
export function encodeAnnotation(citation: Citation, shift: number, path: string, context: EncodeContext): JsonObject {
  const target: MutableJson = {};
  setField(target, 'url', citation.url);
  setField(target, 'title', citation.title);
  setField(target, 'content', citation.citedText);
  setField(target, 'start_index', citation.startIndex === undefined ? undefined : citation.startIndex + shift);
  setField(target, 'end_index', citation.endIndex === undefined ? undefined : citation.endIndex + shift);
  if (citation.fileId !== undefined || citation.documentIndex !== undefined) {
    context.report.add({ action: 'changed', field: path, reason: 'an annotation cites a URL, not a file or document' });
  }
  return { type: 'url_citation', url_citation: addResidue(target, citation.residue, path, context) };
}

/** Reads `annotations` where all of them are understood; otherwise they stay in the remainder as they are. */
export function decodeAnnotations(reader: ObjectReader): readonly Citation[] {
  const raw = reader.peek('annotations');
  if (!Array.isArray(raw) || raw.length === 0) return [];
  const citations = (raw as readonly Json[]).map((one, index) =>
    decodeAnnotation(one, `${reader.pathOf('annotations')}[${index}]`, reader.mode),
  );
  if (!citations.every((citation) => citation !== undefined)) return [];
  reader.take('annotations');
  return citations;
}

/** The `annotations` of a message whose text is that of `parts`, joined. */
export function encodeAnnotations(
  parts: readonly TextPart[],
  path: string,
  context: EncodeContext,
): readonly JsonObject[] {
  const annotations: JsonObject[] = [];
  let shift = 0;
  for (const part of parts) {
    for (const citation of part.citations ?? []) {
      annotations.push(encodeAnnotation(citation, shift, `${path}.annotations[${annotations.length}]`, context));
    }
    shift += part.text.length;
  }
  return annotations;
}
