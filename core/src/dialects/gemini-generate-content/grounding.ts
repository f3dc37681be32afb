/**
 * Sources of an answer: `groundingMetadata` (search, maps, file search) and `citationMetadata` (quoted works) as citations, and
 * citations of other dialects as `groundingMetadata`. Google counts in UTF-8 bytes of the visible text, the model in UTF-16 units.
 */
import type { Citation, Json, JsonObject } from '@bifrost/sdk';
import { defined, present } from './fields.ts';
import type { FieldReader } from './fields.ts';
import { isEqualJson } from './form.ts';

interface Span {
  readonly startIndex: number;
  readonly endIndex: number;
}

/** A range of bytes as a range of UTF-16 units; undefined when it is no range of this text. */
function spanOfBytes(text: string, start: number, end: number): Span | undefined {
  const bytes = Buffer.from(text);
  if (start < 0 || end > bytes.length || start >= end) return undefined;
  const startIndex = bytes.toString('utf8', 0, start).length;
  return { startIndex, endIndex: startIndex + bytes.toString('utf8', start, end).length };
}

/**
 * Where a segment stands in the text. Its own copy of the text decides: providers were seen to count a little off, and in streams
 * the count may begin with another part.
 */
function spanOfSegment(segment: FieldReader | undefined, text: string): Span | undefined {
  const start = segment?.number('startIndex') ?? 0;
  const end = segment?.number('endIndex');
  const span = end === undefined ? undefined : spanOfBytes(text, start, end);
  const quoted = segment?.string('text');
  if (quoted === undefined || quoted === '') return span;
  if (span !== undefined && text.slice(span.startIndex, span.endIndex) === quoted) return span;
  const at = text.indexOf(quoted);
  return at === -1 ? undefined : { startIndex: at, endIndex: at + quoted.length };
}

/** One grounding chunk: a web page, a place, an image or a piece of a file store. */
function decodeSource(chunk: FieldReader): Citation {
  const source = ['web', 'retrievedContext', 'maps', 'image'].flatMap((kind) => chunk.child(kind) ?? [])[0];
  return present({
    url: source?.string('uri') ?? source?.string('sourceUri'),
    title: source?.string('title'),
    citedText: chunk.child('retrievedContext')?.string('text'),
    fileId: chunk.child('retrievedContext')?.string('fileSearchStore'),
  });
}

function decodeGrounding(metadata: FieldReader, text: string): readonly Citation[] {
  const sources = (metadata.children('groundingChunks') ?? []).map(decodeSource);
  const supports = metadata.children('groundingSupports') ?? [];
  const used = new Set<number>();
  const supported = supports.flatMap((support) => {
    const indices = support.object['groundingChunkIndices'] ?? support.object['grounding_chunk_indices'];
    const span = spanOfSegment(support.child('segment'), text);
    return (Array.isArray(indices) ? (indices as readonly Json[]) : []).flatMap((index): readonly Citation[] => {
      const source = typeof index === 'number' ? sources[index] : undefined;
      if (source === undefined) return [];
      used.add(Number(index));
      return [{ ...source, ...span }];
    });
  });
  return [...supported, ...sources.filter((_, index) => !used.has(index))];
}

function decodeQuotations(metadata: FieldReader, text: string): readonly Citation[] {
  const quotations = metadata.children('citations') ?? metadata.children('citationSources') ?? [];
  const seen = new Set<string>();
  return quotations.flatMap((quotation): readonly Citation[] => {
    const end = quotation.number('endIndex');
    const span = end === undefined ? undefined : spanOfBytes(text, quotation.number('startIndex') ?? 0, end);
    const citation = { ...present({ url: quotation.string('uri'), title: quotation.string('title') }), ...span };
    // Google lists one work once for each place, and works without a name; where places are missing they say nothing new.
    const key = JSON.stringify(citation);
    if (seen.has(key) || (citation.url === undefined && citation.title === undefined)) return [];
    seen.add(key);
    return [citation];
  });
}

/** All citations of one candidate; positions are in `text`, its visible text. */
export function decodeCitations(candidate: FieldReader, text: string): readonly Citation[] {
  const grounding = candidate.child('groundingMetadata');
  const quotations = candidate.child('citationMetadata');
  return [
    ...(grounding === undefined ? [] : decodeGrounding(grounding, text)),
    ...(quotations === undefined ? [] : decodeQuotations(quotations, text)),
  ];
}

function encodeSource(citation: Citation): JsonObject {
  if (citation.citedText === undefined && citation.fileId === undefined) {
    return { web: defined({ uri: citation.url, title: citation.title }) };
  }
  return {
    retrievedContext: defined({
      uri: citation.url,
      title: citation.title,
      text: citation.citedText,
      fileSearchStore: citation.fileId,
    }),
  };
}

/** Citations as `groundingMetadata`; undefined when there are none. `text` is the visible text they point into. */
export function encodeCitations(citations: readonly Citation[], text: string): JsonObject | undefined {
  if (citations.length === 0) return undefined;
  const chunks: JsonObject[] = [];
  const supports = citations.flatMap((citation): readonly JsonObject[] => {
    const source = encodeSource(citation);
    const { startIndex, endIndex } = citation;
    const isPlaced = startIndex !== undefined && endIndex !== undefined;
    // A source without a place is an entry of its own each time, as nothing else would say that it was named twice.
    let index = isPlaced ? chunks.findIndex((chunk) => isEqualJson(chunk, source)) : -1;
    if (index === -1) index = chunks.push(source) - 1;
    if (!isPlaced) return [];
    const segment = {
      startIndex: Buffer.byteLength(text.slice(0, startIndex)),
      endIndex: Buffer.byteLength(text.slice(0, endIndex)),
      text: text.slice(startIndex, endIndex),
    };
    return [{ segment, groundingChunkIndices: [index] }];
  });
  return { groundingChunks: chunks, ...(supports.length === 0 ? {} : { groundingSupports: supports }) };
}
