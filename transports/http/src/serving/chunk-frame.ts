const [carriageReturn, lineFeed] = [0x0d, 0x0a];

/** What ends a body in the framing of `transfer-encoding: chunked`. */
export const lastChunk = '0\r\n\r\n';

/** A chunk of `bytes` bytes in the framing of `transfer-encoding: chunked` (RFC 9112 section 7.1), in one piece. */
export function frameChunk(chunk: Uint8Array | string, bytes: number): Buffer {
  const size = bytes.toString(16);
  const start = size.length + 2;
  const framed = Buffer.allocUnsafe(start + bytes + 2);
  framed.write(size, 0, 'latin1');
  framed[start - 2] = carriageReturn;
  framed[start - 1] = lineFeed;
  if (typeof chunk === 'string') framed.write(chunk, start, 'utf8');
  else framed.set(chunk, start);
  framed[start + bytes] = carriageReturn;
  framed[start + bytes + 1] = lineFeed;
  return framed;
}
