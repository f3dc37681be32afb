import type { Json, JsonObject, MediaPart, OpaquePart, ReasoningPart, RefusalPart, TextPart } from '@bifrost/sdk';
import type { CacheControl } from '@bifrost/sdk';
import { addResidue, formOf, joinPath, setField } from './encode-context.ts';
import type { EncodeContext } from './encode-context.ts';
import { audioFormat, audioMediaType, formatMediaUrl } from './media.ts';
import type { MutableJson } from './object-reader.ts';

/** Writes a cache marker where the caller or the provider knows them; reports it otherwise. */
export function addCacheControl(
  target: MutableJson,
  marker: CacheControl | undefined,
  path: string,
  context: EncodeContext,
): void {
  if (marker === undefined) return;
  if (context.isOwn || context.quirks.extraFields?.includes('cache_control') === true) {
    target['cache_control'] = { type: 'ephemeral', ...marker };
  } else {
    context.report.add({
      action: 'dropped',
      field: joinPath(path, 'cache_control'),
      reason: 'the provider caches prompts by itself',
    });
  }
}

function drop(path: string, reason: string, context: EncodeContext): undefined {
  context.report.add({ action: 'dropped', field: path, reason });
  return undefined;
}

function addInner(target: MutableJson, form: JsonObject): MutableJson {
  for (const [key, value] of Object.entries((form['inner'] as JsonObject | undefined) ?? {})) {
    if (value !== undefined && target[key] === undefined) target[key] = value;
  }
  return target;
}

function encodeFile(part: MediaPart, form: JsonObject, path: string, context: EncodeContext): JsonObject | undefined {
  const file: MutableJson = {};
  const { source } = part;
  const isOwnPart = part.residue?.dialect === context.dialect;
  if (source.type === 'text') {
    context.report.add({ action: 'changed', field: path, reason: 'the document is sent as a text part' });
    if (part.filename !== undefined) drop(`${path}.filename`, 'a text part has no name', context);
    return { type: 'text', text: source.text };
  }
  if (source.type === 'file-id') file['file_id'] = source.fileId;
  else
    file['file_data'] =
      form['isBare'] === true && source.type === 'base64'
        ? source.data
        : (formatMediaUrl(source, part.mediaType) ?? '');
  if (source.type === 'url' && !isOwnPart) {
    context.report.add({
      action: 'changed',
      field: path,
      reason: 'the file is sent as a link, which not every server opens',
    });
  }
  // The API wants a name beside data; a caller of this dialect who gave none has reasons of his own.
  const name = part.filename ?? part.title;
  const filename = name ?? (!isOwnPart && source.type === 'base64' ? defaultFilename(part) : undefined);
  setField(file, 'filename', filename);
  return { type: 'file', file: addInner(file, form) };
}

function defaultFilename(part: MediaPart): string {
  const extension = part.mediaType?.split('/')[1]?.replace(/[^a-z0-9]/gi, '') ?? 'bin';
  return `document.${extension === 'plain' ? 'txt' : extension}`;
}

function encodeUrl(part: MediaPart, form: JsonObject, path: string, context: EncodeContext): JsonObject | undefined {
  const url = formatMediaUrl(part.source, part.mediaType);
  if (url === undefined) return drop(path, `an ${part.kind} can only be sent as data or as a URL`, context);
  const key =
    form['shape'] === 'document_url'
      ? 'document_url'
      : part.kind === 'video'
        ? 'video_url'
        : part.kind === 'file'
          ? 'document_url'
          : 'image_url';
  if (form['shape'] === 'string') return { type: key, [key]: url };
  const inner: MutableJson = { url };
  setField(inner, 'detail', part.detail);
  return { type: key, [key]: addInner(inner, form) };
}

function encodeAudio(part: MediaPart, form: JsonObject, path: string, context: EncodeContext): JsonObject | undefined {
  const { source } = part;
  if (source.type !== 'base64' && source.type !== 'url') return drop(path, 'audio can only be sent as base64', context);
  if (source.type === 'url' && !context.isOwn)
    return drop(path, 'audio can only be sent as base64, not as a link', context);
  const inner: MutableJson = { data: source.type === 'base64' ? source.data : source.url };
  const isNamed = part.residue?.dialect !== context.dialect || part.mediaType !== undefined;
  if (isNamed) inner['format'] = typeof form['format'] === 'string' ? form['format'] : audioFormat(part.mediaType);
  return { type: 'input_audio', input_audio: addInner(inner, form) };
}

/** A link carries no media type, and audio formats have one name where media types have several. */
function reportMediaType(part: MediaPart, path: string, context: EncodeContext): void {
  const { mediaType, source } = part;
  if (mediaType === undefined || part.residue?.dialect === context.dialect) return;
  const hasNone = source.type === 'url' || source.type === 'file-id';
  const isRenamed = part.kind === 'audio' && audioMediaType(audioFormat(mediaType)) !== mediaType;
  if (hasNone) drop(`${path}.media_type`, 'a link carries no media type', context);
  else if (isRenamed)
    context.report.add({
      action: 'changed',
      field: `${path}.input_audio.format`,
      reason: `${mediaType} is named ${audioFormat(mediaType)}`,
    });
}

function encodeMedia(part: MediaPart, path: string, context: EncodeContext): JsonObject | undefined {
  const form = formOf(part.residue, context.dialect);
  let body: JsonObject | undefined;
  if (part.kind === 'audio') body = encodeAudio(part, form, path, context);
  else if (part.kind === 'file' && form['shape'] !== 'document_url' && form['shape'] !== 'string')
    body = encodeFile(part, form, path, context);
  else body = encodeUrl(part, form, path, context);
  if (body === undefined) return undefined;
  reportMediaType(part, path, context);
  const target = { ...body } as MutableJson;
  addCacheControl(target, part.cacheControl, path, context);
  if (part.signature !== undefined) drop(`${path}.signature`, 'no field for a signature of media', context);
  return addResidue(target, part.residue, path, context);
}

function encodeThinking(part: ReasoningPart, path: string, context: EncodeContext): JsonObject {
  const form = formOf(part.residue, context.dialect);
  const target: MutableJson = { type: 'thinking' };
  const lengths = form['lengths'] as readonly number[] | undefined;
  if (form['shape'] === 'string') target['thinking'] = part.text;
  else if (lengths !== undefined && lengths.reduce((sum, length) => sum + length, 0) === part.text.length) {
    let at = 0;
    target['thinking'] = lengths.map((length) => ({ type: 'text', text: part.text.slice(at, (at += length)) }));
  } else target['thinking'] = [{ type: 'text', text: part.text }];
  return addResidue(target, part.residue, path, context);
}

/** The parts that stand in `content`. */
export type ContentPart = TextPart | MediaPart | OpaquePart | ReasoningPart | RefusalPart;

/** One entry of a `content` array; undefined where the dialect has none for it (reported). */
export function encodeContentPart(part: ContentPart, path: string, context: EncodeContext): Json | undefined {
  switch (part.type) {
    case 'text': {
      const target: MutableJson = { type: 'text', text: part.text };
      addCacheControl(target, part.cacheControl, path, context);
      return addResidue(target, part.residue, path, context);
    }
    case 'refusal':
      return addResidue({ type: 'refusal', refusal: part.text }, part.residue, path, context);
    case 'media':
      return encodeMedia(part, path, context);
    case 'reasoning':
      return encodeThinking(part, path, context);
    case 'opaque':
      return part.dialect === context.dialect
        ? part.value
        : drop(path, `only ${part.dialect} knows this part`, context);
  }
}
