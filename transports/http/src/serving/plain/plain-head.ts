/** The head of a request that has one meaning only, to whoever reads it. */
export interface PlainHead {
  /** As it came. */
  readonly target: string;
  /** Names in lower case, each once. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body. */
  readonly contentLength: number;
}

/**
 * A POST of HTTP/1.1 whose lines all end in CRLF, are not folded and hold nothing but printable ASCII and tabs (RFC 9112 sections 3
 * and 5). The parts of the expression exclude each other, so it takes one pass.
 */
const grammar = /^POST [\x21-\x7e]+ HTTP\/1\.1(?:\r\n[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e]*)+$/;
const method = 'POST ';
const version = ' HTTP/1.1';
const contentLengthPattern = /^\d{1,15}$/;

/** Headers that change how the connection or the body is to be read, or what a browser is told. */
const notPlain = new Set([
  'access-control-request-headers',
  'access-control-request-method',
  'content-encoding',
  'expect',
  'http2-settings',
  'origin',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Names as clients write them, and in lower case: clients write few, so a look-up replaces a conversion. */
const knownNames = new Map<string, string>();
/** Most names remembered: a caller that makes names up must not fill the memory. */
const maxKnownNames = 500;

function lowerCaseOf(name: string): string {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  if (knownNames.size < maxKnownNames) knownNames.set(name, lower);
  return lower;
}

/**
 * Reads the head of a request, without the empty line that ends it. Undefined for everything that is not plain: another method, a
 * body without a stated length, a header that is there twice, any that is about the connection, any byte out of the ordinary.
 * That is no verdict: Node's parser then reads it, and decides.
 */
export function parsePlainHead(text: string): PlainHead | undefined {
  if (!grammar.test(text)) return undefined;
  let end = text.indexOf('\r\n');
  const target = text.slice(method.length, end - version.length);
  const headers: Record<string, string> = {};
  while (end !== -1) {
    const start = end + 2;
    end = text.indexOf('\r\n', start);
    const colon = text.indexOf(':', start);
    const name = lowerCaseOf(text.slice(start, colon));
    if (name in headers || notPlain.has(name)) return undefined;
    headers[name] = trimmed(text, colon + 1, end === -1 ? text.length : end);
  }
  const { connection, host, 'content-length': length } = headers;
  if (host === undefined || length === undefined || !contentLengthPattern.test(length)) return undefined;
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return undefined;
  return { target, headers, contentLength: Number(length) };
}

/** A part of the text without spaces and tabs around it. */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
