import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import type { TransportError } from './error-shape.ts';
import type { HeldBodyListener } from './read-body.ts';

type Decompress = (
  body: Buffer,
  options: { readonly maxOutputLength: number },
  done: (error: Error | null, result: Buffer) => void,
) => void;

/** Codex compresses its bodies with zstd, other clients and proxies with the older ones. */
const decompressors: ReadonlyMap<string, Decompress> = new Map<string, Decompress>([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', inflate],
  ['br', brotliDecompress],
  ['zstd', zstdDecompress],
]);

/** What RFC 9110, section 12.5.3, has a 415 say. */
export const acceptedEncodings = { 'accept-encoding': 'gzip, deflate, br, zstd' } as const;

const empty = Buffer.alloc(0);

function encodingOf(header: string | undefined): string | undefined {
  const encoding = header?.trim().toLowerCase();
  return encoding === 'identity' || encoding === '' ? undefined : encoding;
}

/** Why a body of this `content-encoding` is not taken, or undefined. `isDecoded`: the route takes compressed bodies. */
export function refuseEncoding(header: string | undefined, isDecoded: boolean): TransportError | undefined {
  const encoding = encodingOf(header);
  if (encoding === undefined || (isDecoded && decompressors.has(encoding))) return undefined;
  const message = isDecoded
    ? 'the content-encoding of the request body is not one of gzip, deflate, br and zstd; use one of these, or send it as it is'
    : 'this route takes no compressed bodies (content-encoding); send it as it is';
  return { statusCode: 415, code: 'BF_HTTP_BODY_ENCODED', message };
}

/**
 * Undoes a body's `content-encoding`, in another thread than this one. What comes out is bounded as an uncompressed body is: a body
 * that says little and unpacks to much ends there.
 */
export function decodeBody(body: Buffer, header: string | undefined, limit: number, listener: HeldBodyListener): void {
  const decompress = decompressors.get(encodingOf(header) ?? '');
  if (decompress === undefined || body.length === 0) {
    listener(null, body);
    return;
  }
  decompress(body, { maxOutputLength: limit }, (error, result) => {
    if (error === null) listener(null, result);
    else
      listener((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'undecodable', empty);
  });
}
