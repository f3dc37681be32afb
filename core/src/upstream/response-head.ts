/**
 * Status line and headers of an answer, strictly: lines end with CRLF, names are tokens, no line is folded, no length is stated
 * twice. The bytes are looked at once (`scan`); only a whole head becomes one string, which names and values are slices of.
 */
import { headerName } from './header-names.ts';
import {
  carriageReturn,
  colon,
  lineFeed,
  responseError,
  space,
  tab,
  tokenBytes,
  valueBytes,
} from './response-syntax.ts';

/** `bodyBytes` of a body in chunks, and of one that ends with the connection. */
export const chunkedBody = -1;
export const bodyUntilClose = -2;

export interface ResponseHead {
  readonly statusCode: number;
  readonly headers: Record<string, string | string[]>;
  /** The length of the body, `chunkedBody` or `bodyUntilClose`. */
  readonly bodyBytes: number;
  /** False where the server closes the connection, or where it cannot be relied upon that nothing follows the body. */
  readonly isReusable: boolean;
}

const maxHeaders = 512;
const versionPrefix = Buffer.from('HTTP/1.');
/** Of each header of the head that was scanned last: start and end of the name, start and end of the value, all from the head's start. */
const marks = new Int32Array(maxHeaders * 4);
let headerCount = 0;

/**
 * A plain object without the names that objects have by nature. Unlike one made by `Object.create(null)` it is not a dictionary: heads
 * with the same names share a hidden class.
 */
class HeaderMap {}
Object.setPrototypeOf(HeaderMap.prototype, null);
delete (HeaderMap.prototype as { constructor?: unknown }).constructor;

function invalid(what: string): Error {
  return responseError(`has ${what}`, 'RESPONSE_HEAD_INVALID');
}

/** The end of the head that begins at `start`, or -1 where `end` comes before it. Throws ConnectionError as soon as it is no head. */
export function scanHead(bytes: Uint8Array, start: number, end: number): number {
  let at = scanStatusLine(bytes, start, end);
  headerCount = 0;
  for (;;) {
    if (at === -1 || at >= end) return -1;
    if (bytes[at] === carriageReturn) {
      if (at + 1 >= end) return -1;
      if (bytes[at + 1] !== lineFeed) throw invalid('a carriage return without a line feed');
      return at + 2;
    }
    at = scanHeader(bytes, at, start, end);
  }
}

function scanStatusLine(bytes: Uint8Array, start: number, end: number): number {
  for (let index = 0; index < versionPrefix.length && start + index < end; index += 1) {
    if (bytes[start + index] !== versionPrefix[index]) throw invalid('no status line of HTTP/1');
  }
  if (end - start < 13) return -1;
  const minor = bytes[start + 7];
  if ((minor !== 48 && minor !== 49) || bytes[start + 8] !== space) throw invalid('a version that is not known');
  for (let index = start + 9; index < start + 12; index += 1) {
    if (!isDigit(bytes[index] as number)) throw invalid('a status that is no number');
  }
  const after = bytes[start + 12];
  if (bytes[start + 9] === 48 || (after !== space && after !== carriageReturn)) throw invalid('a status that is none');
  return scanLineEnd(bytes, start + 12, end);
}

/** The start of the next line, where from `at` on there is nothing but what a value may have; -1 where it is not there yet. */
function scanLineEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && valueBytes[bytes[at] as number] === 1) at += 1;
  if (at >= end) return -1;
  if (bytes[at] !== carriageReturn) throw invalid('a control character');
  if (at + 1 >= end) return -1;
  if (bytes[at + 1] !== lineFeed) throw invalid('a carriage return without a line feed');
  return at + 2;
}

function scanHeader(bytes: Uint8Array, from: number, start: number, end: number): number {
  if (headerCount === maxHeaders) throw responseError(`has more than ${maxHeaders} headers`, 'RESPONSE_HEAD_TOO_LARGE');
  let at = from;
  while (at < end && tokenBytes[bytes[at] as number] !== 0) at += 1;
  if (at >= end) return -1;
  if (bytes[at] !== colon || at === from) throw invalid('a line that is no header');
  const nameEnd = at;
  at += 1;
  while (at < end && (bytes[at] === space || bytes[at] === tab)) at += 1;
  const next = scanLineEnd(bytes, at, end);
  if (next === -1) return -1;
  let valueEnd = next - 2;
  while (valueEnd > at && (bytes[valueEnd - 1] === space || bytes[valueEnd - 1] === tab)) valueEnd -= 1;
  const mark = headerCount * 4;
  marks[mark] = from - start;
  marks[mark + 1] = nameEnd - start;
  marks[mark + 2] = at - start;
  marks[mark + 3] = valueEnd - start;
  headerCount += 1;
  return next;
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** The head that `scanHead` has just found between `start` and `end`. Throws ConnectionError where the body's length is in doubt. */
export function readHead(bytes: Buffer, start: number, end: number): ResponseHead {
  const text = bytes.toString('latin1', start, end);
  const headers = new HeaderMap() as Record<string, string | string[]>;
  for (let mark = 0; mark < headerCount * 4; mark += 4) {
    const name = headerName(text, marks[mark] as number, marks[mark + 1] as number);
    const value = text.slice(marks[mark + 2], marks[mark + 3]);
    const earlier = headers[name];
    if (earlier === undefined) headers[name] = value;
    else if (typeof earlier === 'string') headers[name] = [earlier, value];
    else earlier.push(value);
  }
  const statusCode = (text.charCodeAt(9) - 48) * 100 + (text.charCodeAt(10) - 48) * 10 + (text.charCodeAt(11) - 48);
  const stated = statedBodyBytes(headers['content-length'], headers['transfer-encoding']);
  const hasBody = statusCode >= 200 && statusCode !== 204 && statusCode !== 304;
  const isHttp10 = text.charCodeAt(7) === 48;
  const isReusable =
    staysOpen(headers['connection'], isHttp10) &&
    // An HTTP/1.0 answer in chunks, or a body announced where there can be none: its sender may mean something else by it.
    (hasBody
      ? stated !== bodyUntilClose && !(isHttp10 && stated === chunkedBody)
      : stated === 0 || stated === bodyUntilClose);
  return { statusCode, headers, bodyBytes: hasBody ? stated : 0, isReusable };
}

type HeaderValue = string | string[] | undefined;

function statedBodyBytes(contentLength: HeaderValue, transferEncoding: HeaderValue): number {
  if (transferEncoding !== undefined) {
    // Whoever sends both means two different ends of the body.
    if (contentLength !== undefined) throw invalid('a length and a transfer encoding');
    if (typeof transferEncoding !== 'string' || transferEncoding.toLowerCase() !== 'chunked') {
      throw invalid('a transfer encoding other than chunked');
    }
    return chunkedBody;
  }
  if (contentLength === undefined) return bodyUntilClose;
  // Two lengths are refused even where they are equal, as llhttp does.
  if (typeof contentLength !== 'string' || !/^\d{1,16}$/.test(contentLength))
    throw invalid('a length that is no number');
  const length = Number(contentLength);
  if (!Number.isSafeInteger(length)) throw invalid('a length that is no number');
  return length;
}

function staysOpen(connection: HeaderValue, isHttp10: boolean): boolean {
  if (connection === undefined) return !isHttp10;
  if (connection === 'keep-alive') return true;
  const options = String(connection);
  if (/(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(options)) return false;
  return !isHttp10 || /(?:^|,)[\t ]*keep-alive[\t ]*(?:,|$)/i.test(options);
}
