/** Image and document blocks. */
import { isJsonObject } from '@bifrost/sdk';
import type { JsonObject, MediaPart, MediaSource } from '@bifrost/sdk';
import { encodeCacheControl, takeCacheControl } from './cache-control.ts';
import { present, putBack, takeObject, takeString } from './fields.ts';
import type { Fields } from './fields.ts';
import { isOwn, toResidue, withResidue } from './residue.ts';

function takeSource(source: Fields): MediaSource | undefined {
  const data = source['data'];
  switch (source['type']) {
    case 'base64':
      if (typeof data !== 'string') return undefined;
      delete source['data'];
      return { type: 'base64', data };
    case 'text':
      if (typeof data !== 'string') return undefined;
      delete source['data'];
      return { type: 'text', text: data };
    case 'url': {
      const url = takeString(source, 'url');
      return url === undefined ? undefined : { type: 'url', url };
    }
    case 'file': {
      const fileId = takeString(source, 'file_id');
      return fileId === undefined ? undefined : { type: 'file-id', fileId };
    }
    default:
      return undefined; // `content`: a document of blocks, kept whole for its own dialect
  }
}

/** An `image` or `document` block; undefined for a source that the canonical model has no name for. */
export function decodeMedia(block: JsonObject): MediaPart | undefined {
  const rest: Fields = { ...block };
  const sourceFields = takeObject(rest, 'source') ?? {};
  const source = takeSource(sourceFields);
  if (source === undefined) return undefined;
  delete sourceFields['type'];
  const mediaType = takeString(sourceFields, 'media_type');
  putBack(rest, 'source', sourceFields);
  delete rest['type'];
  return present({
    type: 'media',
    kind: block['type'] === 'image' ? 'image' : 'file',
    source,
    mediaType,
    title: takeString(rest, 'title'),
    cacheControl: takeCacheControl(rest),
    residue: toResidue(rest),
  } as const);
}

const imageMagic: readonly (readonly [string, string])[] = [
  ['/9j/', 'image/jpeg'],
  ['iVBOR', 'image/png'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
];

function imageType(part: MediaPart, data: string): string {
  return part.mediaType ?? imageMagic.find(([magic]) => data.startsWith(magic))?.[1] ?? 'image/png';
}

function isTextType(mediaType: string | undefined): boolean {
  return mediaType !== undefined && (mediaType.startsWith('text/') || mediaType === 'application/json');
}

function fileSource(part: MediaPart, data: string): JsonObject | string {
  if (isTextType(part.mediaType)) {
    return { type: 'text', media_type: 'text/plain', data: Buffer.from(data, 'base64').toString('utf8') };
  }
  const mediaType = part.mediaType ?? (data.startsWith('JVBERi') ? 'application/pdf' : undefined);
  if (mediaType === 'application/pdf') return { type: 'base64', media_type: mediaType, data };
  return `Anthropic takes PDF and text documents, not ${mediaType ?? 'files of an unknown type'}`;
}

const dataUrl = /^data:([^;,]+)?(?:;[^;,]+)*;base64,/;

/** The `source` object for foreign media, or in words why there is none. */
function foreignSource(part: MediaPart): JsonObject | string {
  const { source } = part;
  switch (source.type) {
    case 'base64':
      if (part.kind === 'file') return fileSource(part, source.data);
      return { type: 'base64', media_type: imageType(part, source.data), data: source.data };
    case 'url': {
      const inline = dataUrl.exec(source.url);
      if (inline !== null) {
        const data = source.url.slice(inline[0].length);
        const mediaType = part.mediaType ?? inline[1];
        return foreignSource({ ...part, ...present({ mediaType }), source: { type: 'base64', data } });
      }
      if (/^https?:/i.test(source.url)) return { type: 'url', url: source.url };
      return 'Anthropic fetches http and https URLs only';
    }
    case 'file-id':
      if (source.fileId.startsWith('file_')) return { type: 'file', file_id: source.fileId };
      return "the file id is not one of Anthropic's (file_...)";
    case 'text':
      if (part.kind === 'image') return 'Anthropic takes images as bytes, URL or file id';
      return { type: 'text', media_type: 'text/plain', data: source.text };
  }
}

function ownSource(part: MediaPart): JsonObject {
  const { source, mediaType } = part;
  const type = present({ media_type: mediaType });
  switch (source.type) {
    case 'base64':
      return { type: 'base64', ...type, data: source.data };
    case 'text':
      return { type: 'text', ...type, data: source.text };
    case 'url':
      return { type: 'url', ...type, url: source.url };
    case 'file-id':
      return { type: 'file', ...type, file_id: source.fileId };
  }
}

/** True for a media part whose members are exactly what Anthropic said: those are written back as they are. */
function isUnchangedOwn(part: MediaPart, isOwnRequest: boolean): boolean {
  return isOwn(part) || isOwnRequest;
}

/** The block, or in words why Anthropic cannot have it. */
export function encodeMedia(part: MediaPart, isOwnRequest: boolean): JsonObject | string {
  if (part.kind !== 'image' && part.kind !== 'file') return `Anthropic takes no ${part.kind}`;
  const source = isUnchangedOwn(part, isOwnRequest) ? ownSource(part) : foreignSource(part);
  if (typeof source === 'string') return source;
  const title = part.title ?? part.filename;
  const encoded = present({
    type: part.kind === 'image' ? 'image' : 'document',
    source,
    title: part.kind === 'file' ? title : part.title,
    cache_control: part.cacheControl === undefined ? undefined : encodeCacheControl(part.cacheControl),
  });
  return withResidue(encoded, part.residue);
}

/** True where the block says the part's media type: for bytes it does, behind a URL or a file id it is Anthropic's to find out. */
export function hasMediaType(block: JsonObject): boolean {
  const { source } = block;
  return isJsonObject(source) && source['type'] !== 'url' && source['type'] !== 'file';
}
