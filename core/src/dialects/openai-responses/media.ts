/** Images, files and audio in message content: `input_image`, `input_file`, `input_audio`. */
import type { JsonObject, MediaPart, MediaSource } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { stringField } from './json-fields.ts';
import { defined, isOwn, ownRemainder, remainderOf, spread, toResidue } from './residue.ts';

const dataUrl = /^data:([^;,]+);base64,/;

interface LocatedSource {
  readonly source: MediaSource;
  readonly mediaType?: string;
}

/** A `data:` URL as bytes with their type; any other text is a URL. A data URL with parameters stays a URL: it must come back as it was. */
function sourceOfUrl(url: string): LocatedSource {
  const match = dataUrl.exec(url);
  if (match === null) return { source: { type: 'url', url } };
  return { source: { type: 'base64', data: url.slice(match[0].length) }, mediaType: match[1] ?? '' };
}

function located(source: MediaSource | undefined): LocatedSource | undefined {
  return source === undefined ? undefined : { source };
}

function fileIdSource(part: JsonObject): LocatedSource | undefined {
  const fileId = stringField(part, 'file_id');
  return located(fileId === undefined ? undefined : { type: 'file-id', fileId });
}

function urlSource(part: JsonObject, key: string): LocatedSource | undefined {
  const url = stringField(part, key);
  return url === undefined ? undefined : sourceOfUrl(url);
}

function fileSource(part: JsonObject): (LocatedSource & { readonly key: string }) | undefined {
  const data = stringField(part, 'file_data');
  if (data !== undefined) {
    const isUrl = data.startsWith('data:');
    return { ...(isUrl ? sourceOfUrl(data) : { source: { type: 'base64', data } as const }), key: 'file_data' };
  }
  const url = stringField(part, 'file_url');
  if (url !== undefined) return { source: { type: 'url', url }, key: 'file_url' };
  const byId = fileIdSource(part);
  return byId === undefined ? undefined : { ...byId, key: 'file_id' };
}

function decodeImage(part: JsonObject): MediaPart | undefined {
  const byUrl = urlSource(part, 'image_url');
  const found = byUrl ?? fileIdSource(part);
  if (found === undefined) return undefined;
  const taken = ['type', byUrl === undefined ? 'file_id' : 'image_url', 'detail'];
  return {
    type: 'media',
    kind: 'image',
    ...found,
    ...defined({ detail: stringField(part, 'detail') }),
    ...toResidue(remainderOf(part, taken, ['type'])),
  };
}

function decodeFile(part: JsonObject): MediaPart | undefined {
  const found = fileSource(part);
  if (found === undefined) return undefined;
  const { key, ...place } = found;
  return {
    type: 'media',
    kind: 'file',
    ...place,
    ...defined({ filename: stringField(part, 'filename') }),
    ...toResidue(remainderOf({ ...part, source: key }, ['type', key, 'filename'], ['type', 'source'])),
  };
}

/** The MIME type of an audio format. */
function typeOfFormat(format: string): string {
  return `audio/${format === 'mp3' ? 'mpeg' : format}`;
}

function decodeAudio(part: JsonObject): MediaPart | undefined {
  const audio = part['input_audio'];
  if (!isJsonObject(audio)) return undefined;
  const [data, format] = [stringField(audio, 'data'), stringField(audio, 'format')];
  if (
    data === undefined ||
    format === undefined ||
    format === 'mpeg' ||
    format.startsWith('x-') ||
    Object.keys(audio).length !== 2
  )
    return undefined;
  return {
    type: 'media',
    kind: 'audio',
    source: { type: 'base64', data },
    mediaType: typeOfFormat(format),
    ...toResidue(remainderOf(part, ['type', 'input_audio'], ['type'])),
  };
}

/** The media part, or undefined for content of another kind or without a source that can be named. */
export function decodeMedia(part: JsonObject): MediaPart | undefined {
  if (part['type'] === 'input_image') return decodeImage(part);
  if (part['type'] === 'input_file') return decodeFile(part);
  return part['type'] === 'input_audio' ? decodeAudio(part) : undefined;
}

function toUrl(part: MediaPart): string | undefined {
  const { source } = part;
  if (source.type === 'url') return source.url;
  if (source.type !== 'base64') return undefined;
  return `data:${part.mediaType ?? (part.kind === 'image' ? 'image/png' : 'application/pdf')};base64,${source.data}`;
}

function sourceFields(part: MediaPart, urlKey: string): JsonObject {
  const { source } = part;
  return source.type === 'file-id' ? { file_id: source.fileId } : defined({ [urlKey]: toUrl(part) });
}

function encodeFile(part: MediaPart, report: LossReport): JsonObject {
  const { form, fields } = ownRemainder(part);
  const { source: key, ...rest } = form;
  const { source } = part;
  const isNameMissing = part.filename === undefined && source.type === 'base64' && !isOwn(part);
  if (isNameMissing) report.add({ action: 'changed', field: 'filename', reason: 'files need a name here' });
  const name = defined({ filename: isNameMissing ? 'file' : part.filename });
  const base = { ...fields, ...rest, type: 'input_file', ...name };
  if (source.type === 'url') return { ...base, [key === 'file_data' ? 'file_data' : 'file_url']: source.url };
  // Bare base64 came without a type and goes out without one.
  if (source.type === 'base64' && isOwn(part) && part.mediaType === undefined)
    return { ...base, file_data: source.data };
  return { ...base, ...sourceFields(part, 'file_data') };
}

/** The media as message content, or undefined (and reported) where the API has no such content. */
export function encodeMedia(part: MediaPart, report: LossReport): JsonObject | undefined {
  const { source } = part;
  if (source.type === 'text') {
    report.add({ action: 'changed', field: '', reason: 'a text document is sent as a text part' });
    return { type: 'input_text', text: source.text };
  }
  if (source.type !== 'base64' && part.mediaType !== undefined && !isOwn(part)) {
    report.add({
      action: 'dropped',
      field: 'media_type',
      reason: 'the Responses API takes it from the address',
    });
  }
  if (source.type === 'file-id' && !isOwn(part)) {
    report.add({ action: 'dropped', field: '', reason: 'the file lives at another provider' });
    return undefined;
  }
  if (part.kind === 'image') {
    const detail = part.detail ?? (isOwn(part) ? undefined : 'auto');
    return {
      ...spread(ownRemainder(part)),
      type: 'input_image',
      ...sourceFields(part, 'image_url'),
      ...defined({ detail }),
    };
  }
  if (part.kind === 'file') return encodeFile(part, report);
  if (part.kind === 'audio' && source.type === 'base64') {
    const format = (part.mediaType ?? 'audio/wav').replace(/^audio\/(x-)?/, '').replace(/^mpeg$/, 'mp3');
    if (part.mediaType !== undefined && typeOfFormat(format) !== part.mediaType) {
      report.add({
        action: 'changed',
        field: 'format',
        reason: `${part.mediaType} is called ${format} here`,
      });
    }
    return { ...spread(ownRemainder(part)), type: 'input_audio', input_audio: { data: source.data, format } };
  }
  report.add({
    action: 'dropped',
    field: '',
    reason: `the Responses API takes no ${part.kind} from a ${source.type}`,
  });
  return undefined;
}
