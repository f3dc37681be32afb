import type { JsonObject, MediaPart } from '@bifrost/sdk';
import { defined } from './fields.ts';
import type { FieldReader } from './fields.ts';

const typeOfExtension: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  heic: 'image/heic',
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  html: 'text/html',
  csv: 'text/csv',
  json: 'application/json',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  flac: 'audio/flac',
  ogg: 'audio/ogg',
  mp4: 'video/mp4',
  mov: 'video/mov',
  webm: 'video/webm',
};

const typeOfKind = { image: 'image/jpeg', audio: 'audio/mpeg', video: 'video/mp4', file: 'application/pdf' } as const;

/** Addresses of the Gemini Files API: only Google's own key can read them, so they are ids rather than URLs. */
const filesApi = /^(https:\/\/generativelanguage\.googleapis\.com\/[^/]+\/files\/|files\/)/;
const youTube = /^https:\/\/(www\.|m\.)?(youtube\.com|youtu\.be)\//;
const dataUrl = /^data:([^;,]*)[^,]*;base64,/;

function kindOf(mediaType: string | undefined, uri = ''): MediaPart['kind'] {
  const family = mediaType?.slice(0, mediaType.indexOf('/'));
  if (family === 'image' || family === 'audio' || family === 'video') return family;
  return youTube.test(uri) ? 'video' : 'file';
}

/** The MIME type to state for a part that has none: Gemini wants one with every file and blob. */
function mediaTypeOf(part: MediaPart): string {
  if (part.mediaType !== undefined && part.mediaType !== '') return part.mediaType;
  const name = part.filename ?? (part.source.type === 'url' ? part.source.url.replace(/[?#].*$/, '') : '');
  return typeOfExtension[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] ?? typeOfKind[part.kind];
}

/** proto JSON takes base64 of both alphabets; the other dialects only know the plain one. */
function plainBase64(data: string): string {
  if (!data.includes('-') && !data.includes('_')) return data;
  const plain = data.replaceAll('-', '+').replaceAll('_', '/');
  return plain.padEnd(Math.ceil(plain.length / 4) * 4, '=');
}

/** Reads `inlineData`. */
export function decodeInlineData(blob: FieldReader): MediaPart {
  const mediaType = blob.string('mimeType');
  return {
    type: 'media',
    kind: kindOf(mediaType),
    source: { type: 'base64', data: plainBase64(blob.string('data') ?? '') },
    ...(mediaType === undefined ? {} : { mediaType }),
  };
}

/** Reads `fileData`: a web or Cloud Storage address, a YouTube video, or a file of the Files API. */
export function decodeFileData(file: FieldReader): MediaPart {
  const uri = file.string('fileUri') ?? '';
  const mediaType = file.string('mimeType');
  return {
    type: 'media',
    kind: kindOf(mediaType, uri),
    source: filesApi.test(uri) ? { type: 'file-id', fileId: uri } : { type: 'url', url: uri },
    ...(mediaType === undefined ? {} : { mediaType }),
  };
}

/** The part as `inlineData` or `fileData`; undefined for a file id of another provider, which Google cannot read. */
export function encodeMedia(part: MediaPart): JsonObject | undefined {
  const { source } = part;
  switch (source.type) {
    case 'base64':
      return { inlineData: { mimeType: mediaTypeOf(part), data: source.data } };
    case 'text':
      return {
        inlineData: { mimeType: part.mediaType ?? 'text/plain', data: Buffer.from(source.text).toString('base64') },
      };
    case 'file-id':
      if (!filesApi.test(source.fileId)) return undefined;
      return { fileData: defined({ fileUri: source.fileId, mimeType: part.mediaType }) };
    case 'url': {
      const data = dataUrl.exec(source.url);
      if (data !== null) {
        const mimeType = data[1] === '' || data[1] === undefined ? mediaTypeOf(part) : data[1];
        return { inlineData: { mimeType, data: source.url.slice(data[0].length) } };
      }
      const mimeType = youTube.test(source.url) ? part.mediaType : mediaTypeOf(part);
      return { fileData: defined({ fileUri: source.url, mimeType }) };
    }
  }
}
