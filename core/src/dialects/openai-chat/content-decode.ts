import { isJsonObject } from '@bifrost/sdk';
import type {
  CacheControl,
  Json,
  JsonObject,
  MediaPart,
  MediaSource,
  Part,
  ReasoningPart,
  TextPart,
} from '@bifrost/sdk';
import { audioMediaType, parseMediaUrl } from './media.ts';
import { ObjectReader, optional, residueOf, wrongType } from './object-reader.ts';
import type { ReadMode } from './object-reader.ts';

/** Reads `cache_control: {type: 'ephemeral', ttl?}`; another form stays in the remainder. */
export function readCacheControl(reader: ObjectReader): { readonly cacheControl?: CacheControl } {
  const raw = reader.peek('cache_control');
  if (!isJsonObject(raw) || raw['type'] !== 'ephemeral') return {};
  const ttl = raw['ttl'];
  const isKnown = ttl === undefined || ttl === '5m' || ttl === '1h';
  if (!isKnown || Object.keys(raw).length > (ttl === undefined ? 1 : 2)) return {};
  reader.take('cache_control');
  return { cacheControl: ttl === undefined ? {} : { ttl } };
}

function media(
  reader: ObjectReader,
  kind: MediaPart['kind'],
  fields: Partial<MediaPart> & { readonly source: MediaSource },
): MediaPart {
  return { type: 'media', kind, ...fields, ...readCacheControl(reader), ...residueOf(reader) };
}

/** `image_url` and `video_url`: an object with `url`, or (Mistral) the URL itself. */
function decodeUrlPart(reader: ObjectReader, key: string, kind: MediaPart['kind']): MediaPart {
  const raw = reader.peek(key);
  if (typeof raw === 'string') {
    reader.take(key);
    reader.note('shape', 'string');
    return media(reader, kind, parseMediaUrl(raw));
  }
  const inner = isJsonObject(raw) ? new ObjectReader(raw, reader.pathOf(key), reader.mode) : undefined;
  const url = inner?.string('url');
  if (inner === undefined || url === undefined)
    throw wrongType(`${reader.pathOf(key)}.url`, inner?.peek('url'), 'a URL or a data URL');
  reader.take(key);
  const detail = inner.string('detail');
  keepInner(reader, key, inner);
  return media(reader, kind, { ...parseMediaUrl(url), ...optional('detail', detail) });
}

/** The remainder of a nested object stays in the part's own remainder, under the nested object's name. */
function keepInner(reader: ObjectReader, key: string, inner: ObjectReader): void {
  const rest = inner.rest();
  if (rest !== undefined) reader.note('inner', { ...(rest.form?.['plain'] as JsonObject | undefined), ...rest.fields });
  reader.note('shape', key);
}

function decodeAudio(reader: ObjectReader): MediaPart {
  const raw = reader.object('input_audio');
  const inner = new ObjectReader(raw ?? {}, reader.pathOf('input_audio'), reader.mode);
  const data = inner.string('data');
  if (data === undefined) throw wrongType(inner.pathOf('data'), inner.peek('data'), 'the audio as base64');
  const format = inner.string('format');
  const source: MediaSource = /^https?:\/\//.test(data) ? { type: 'url', url: data } : { type: 'base64', data };
  if (format !== undefined) reader.note('format', format);
  keepInner(reader, 'input_audio', inner);
  return media(reader, 'audio', { source, ...(format === undefined ? {} : { mediaType: audioMediaType(format) }) });
}

function decodeFile(reader: ObjectReader): MediaPart {
  const inner = new ObjectReader(reader.object('file') ?? {}, reader.pathOf('file'), reader.mode);
  const [data, fileId, filename] = [inner.string('file_data'), inner.string('file_id'), inner.string('filename')];
  if (data === undefined && fileId === undefined) {
    throw wrongType(reader.pathOf('file'), reader.peek('file'), "an object with 'file_data' (a data URL) or 'file_id'");
  }
  let parsed: { readonly source: MediaSource; readonly mediaType?: string };
  if (data === undefined) parsed = { source: { type: 'file-id', fileId: fileId ?? '' } };
  else if (/^[a-z][a-z0-9+.-]*:/i.test(data)) parsed = parseMediaUrl(data);
  else {
    parsed = { source: { type: 'base64', data } };
    reader.note('isBare', true);
  }
  if (data !== undefined && fileId !== undefined) inner.keep('file_id', fileId);
  keepInner(reader, 'file', inner);
  return media(reader, 'file', { ...parsed, ...optional('filename', filename) });
}

/** Mistral's `{type: 'thinking', thinking: [{type: 'text', text}]}`. */
function decodeThinking(reader: ObjectReader): ReasoningPart | undefined {
  const chunks = reader.peek('thinking');
  if (typeof chunks === 'string') {
    reader.take('thinking');
    reader.note('shape', 'string');
    return { type: 'reasoning', text: chunks, origin: 'openai-chat', ...withForm(reader) };
  }
  const texts: string[] = [];
  for (const chunk of Array.isArray(chunks) ? (chunks as readonly Json[]) : [null]) {
    const isPlain =
      isJsonObject(chunk) &&
      chunk['type'] === 'text' &&
      typeof chunk['text'] === 'string' &&
      Object.keys(chunk).length === 2;
    if (!isPlain) return undefined;
    texts.push(chunk['text'] as string);
  }
  reader.take('thinking');
  if (texts.length !== 1)
    reader.note(
      'lengths',
      texts.map((text) => text.length),
    );
  return { type: 'reasoning', text: texts.join(''), origin: 'openai-chat', ...withForm(reader) };
}

function withForm(reader: ObjectReader): { readonly residue?: NonNullable<ReturnType<ObjectReader['rest']>> } {
  reader.note('field', 'content');
  return residueOf(reader);
}

/** One entry of a `content` array. An entry of an unknown type is kept whole. */
export function decodeContentPart(raw: Json, path: string, mode: ReadMode): Part {
  if (!isJsonObject(raw)) {
    if (mode.isStrict) throw wrongType(path, raw, 'an object with a type, such as {"type":"text","text":"..."}');
    return { type: 'opaque', dialect: mode.dialect, value: raw };
  }
  const reader = new ObjectReader(raw, path, mode);
  const type = reader.take('type');
  if (type === undefined && mode.isStrict) throw wrongType(`${path}.type`, type, "the part's type, such as 'text'");
  switch (type) {
    case 'text': {
      const text = reader.string('text');
      if (text === undefined) {
        if (mode.isStrict) throw wrongType(`${path}.text`, reader.peek('text'), 'a string');
        break;
      }
      return { type: 'text', text, ...readCacheControl(reader), ...residueOf(reader) } satisfies TextPart;
    }
    case 'refusal': {
      const refusal = reader.string('refusal');
      if (refusal === undefined) break;
      reader.note('field', 'content');
      return { type: 'refusal', text: refusal, ...residueOf(reader) };
    }
    case 'image_url':
      return decodeUrlPart(reader, 'image_url', 'image');
    case 'video_url':
      return decodeUrlPart(reader, 'video_url', 'video');
    case 'document_url':
      return decodeUrlPart(reader, 'document_url', 'file');
    case 'input_audio':
      return decodeAudio(reader);
    case 'file':
      return decodeFile(reader);
    case 'thinking':
      return decodeThinking(reader) ?? { type: 'opaque', dialect: mode.dialect, value: raw };
    default:
      break;
  }
  return { type: 'opaque', dialect: mode.dialect, value: raw };
}
