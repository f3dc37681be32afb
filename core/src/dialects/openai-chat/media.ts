import type { MediaSource } from '@bifrost/sdk';

const dataUrl = /^data:([^;,]+);base64,/;

/** A source and its media type, from what stands where this dialect expects a URL: a data URL or a link. */
export function parseMediaUrl(url: string): { readonly source: MediaSource; readonly mediaType?: string } {
  const match = dataUrl.exec(url.length > 200 ? url.slice(0, 200) : url);
  const mediaType = match?.[1];
  if (match === null || mediaType === undefined) return { source: { type: 'url', url } };
  return { source: { type: 'base64', data: url.slice(match[0].length) }, mediaType };
}

/** The reverse of `parseMediaUrl`; undefined for a source without bytes or link. */
export function formatMediaUrl(source: MediaSource, mediaType: string | undefined): string | undefined {
  if (source.type === 'url') return source.url;
  if (source.type === 'base64') return `data:${mediaType ?? 'application/octet-stream'};base64,${source.data}`;
  return undefined;
}

const audioTypes: Readonly<Record<string, string>> = { mp3: 'audio/mpeg', pcm16: 'audio/pcm' };

/** `mp3` -> `audio/mpeg`. */
export function audioMediaType(format: string): string {
  return audioTypes[format] ?? `audio/${format}`;
}

/** `audio/mpeg` -> `mp3`, `audio/x-wav` -> `wav`. */
export function audioFormat(mediaType: string | undefined): string {
  if (mediaType === undefined) return 'wav';
  const known = Object.entries(audioTypes).find(([, type]) => type === mediaType);
  if (known !== undefined) return known[0];
  return (mediaType.split('/')[1] ?? 'wav').split(';')[0]?.replace(/^x-/, '') ?? 'wav';
}
