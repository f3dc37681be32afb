import { InvalidRequestError } from '@bifrost/sdk';

/** One top-level member of a JSON object, as byte offsets into the body. */
export interface Member {
  /** Offset of the key's opening quote. */
  readonly keyStart: number;
  readonly valueStart: number;
  /** Offset after the value's last byte. */
  readonly valueEnd: number;
  /** Offset of the comma before the member, or -1 for the first one. */
  readonly commaBefore: number;
  /** Offset of the comma after the member, or -1 for the last one. */
  readonly commaAfter: number;
}

/** What a peek found: members by their position in `keys`, duplicates in body order (`JSON.parse` lets the last one win). */
export interface TopLevel {
  readonly members: readonly (readonly Member[] | undefined)[];
  /** Offset of the object's `{`. */
  readonly objectStart: number;
  /** Offset of the object's `}`. */
  readonly objectEnd: number;
  readonly isEmpty: boolean;
}

/** Deeper nesting is refused: no request of any dialect comes near it, and parsers behind us may recurse. */
export const maxNesting = 4096;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const shortString = 48;
const noMembers: readonly undefined[] = [];

/** Byte classes outside strings: 0 refused, 1 part of a number or literal, 2 white space, 3 quote, 4 opens, 5 closes, 6 comma or colon. */
const classes = new Uint8Array(256);
for (const character of '+-.0123456789Eaeflnrstu') classes[character.charCodeAt(0)] = 1;
for (const character of ' \t\r\n') classes[character.charCodeAt(0)] = 2;
classes[quote] = 3;
classes[openBrace] = classes[openBracket] = 4;
classes[closeBrace] = classes[closeBracket] = 5;
classes[comma] = classes[0x3a] = 6;

const scalar = /^(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)$/;

function describe(body: Buffer, offset: number): string {
  const byte = body[offset];
  if (byte === undefined) return 'the end of the body';
  if (byte > 0x20 && byte < 0x7f) return `"${String.fromCharCode(byte)}"`;
  return `byte 0x${byte.toString(16).padStart(2, '0')}`;
}

function malformed(body: Buffer, offset: number, expected: string): InvalidRequestError {
  return new InvalidRequestError(
    `the body is not valid JSON: found ${describe(body, offset)} at byte offset ${offset}, expected ${expected}`,
    { code: 'BF_REQUEST_INVALID_JSON' },
  );
}

function skipSpace(body: Buffer, from: number): number {
  let at = from;
  while (classes[body[at] as number] === 2) at += 1;
  return at;
}

/** The offset after a string's closing quote; `from` is its opening quote. */
function skipString(body: Buffer, from: number): number {
  let at = from + 1;
  const near = Math.min(body.length, at + shortString);
  for (; at < near; at += 1) {
    const byte = body[at] as number;
    if (byte === quote) return at + 1;
    if (byte === backslash) at += 1;
    else if (byte < 0x20) throw malformed(body, at, 'no control character inside a string');
  }
  let end = body.indexOf(quote, at);
  while (end !== -1) {
    let slashes = 0;
    while (body[end - 1 - slashes] === backslash && end - 1 - slashes >= at) slashes += 1;
    if (slashes % 2 === 0) return end + 1;
    end = body.indexOf(quote, end + 1);
  }
  throw malformed(body, body.length, `the closing quote of the string at byte offset ${from}`);
}

/** Which bracket each open level waits for; used within one synchronous call only. */
const waiting = new Uint8Array(maxNesting);

function skipNested(body: Buffer, from: number): number {
  let depth = 0;
  let at = from;
  while (at < body.length) {
    const byte = body[at] as number;
    switch (classes[byte]) {
      case 3:
        at = skipString(body, at);
        continue;
      case 4:
        if (depth === maxNesting) {
          throw new InvalidRequestError(`the body nests deeper than ${maxNesting} levels at byte offset ${at}`, {
            code: 'BF_REQUEST_TOO_DEEP',
          });
        }
        waiting[depth] = byte === openBrace ? closeBrace : closeBracket;
        depth += 1;
        break;
      case 5:
        depth -= 1;
        if (waiting[depth] !== byte) {
          throw malformed(body, at, `"${String.fromCharCode(waiting[depth] as number)}"`);
        }
        if (depth === 0) return at + 1;
        break;
      case 0:
        throw malformed(body, at, 'a JSON value');
    }
    at += 1;
  }
  throw malformed(body, body.length, `the end of the value that began at byte offset ${from}`);
}

function skipScalar(body: Buffer, from: number): number {
  let at = from;
  while (classes[body[at] as number] === 1) at += 1;
  if (at === from || !scalar.test(body.toString('latin1', from, at))) throw malformed(body, from, 'a JSON value');
  return at;
}

function skipValue(body: Buffer, at: number): number {
  const byte = body[at];
  if (byte === quote) return skipString(body, at);
  if (byte === openBrace || byte === openBracket) return skipNested(body, at);
  return skipScalar(body, at);
}

/** Index in `keys` of the key between `start` and `end` (without quotes), or -1. */
function keyIndex(body: Buffer, start: number, end: number, keys: readonly string[]): number {
  const length = end - start;
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index] as string;
    if (key.length !== length) continue;
    let same = 0;
    while (same < length && body[start + same] === key.charCodeAt(same)) same += 1;
    if (same === length) return index;
  }
  // An escaped key is longer than what it says: read it the slow way.
  for (let at = start; at < end; at += 1) {
    if (body[at] === backslash) return keys.indexOf(parseKey(body, start - 1, end + 1));
  }
  return -1;
}

function parseKey(body: Buffer, start: number, end: number): string {
  try {
    return JSON.parse(body.toString('utf8', start, end)) as string;
  } catch {
    // JSON.parse's own message would name another offset.
    throw malformed(body, start, 'a valid key');
  }
}

/**
 * Finds top-level fields of a JSON object without parsing the rest: strings are skipped by searching for the next quote,
 * nested values by counting brackets. `keys` are ASCII. Throws InvalidRequestError (`BF_REQUEST_INVALID_JSON`,
 * `BF_REQUEST_TOO_DEEP`) that names the byte offset, for what it can see: it does not check the inside of nested values
 * beyond strings, brackets and allowed bytes.
 */
export function peekTopLevel(body: Buffer, keys: readonly string[]): TopLevel {
  let members: (Member[] | undefined)[] | undefined;
  const hasMark = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf;
  const objectStart = skipSpace(body, hasMark ? 3 : 0);
  if (body[objectStart] !== openBrace) throw malformed(body, objectStart, 'a JSON object ("{")');
  let at = skipSpace(body, objectStart + 1);
  let commaBefore = -1;
  const isEmpty = body[at] === closeBrace;
  while (!isEmpty) {
    if (body[at] !== quote) throw malformed(body, at, 'a quoted key');
    const keyStart = at;
    const keyEnd = skipString(body, at);
    at = skipSpace(body, keyEnd);
    if (body[at] !== 0x3a) throw malformed(body, at, '":" after the key');
    const valueStart = skipSpace(body, at + 1);
    const valueEnd = skipValue(body, valueStart);
    at = skipSpace(body, valueEnd);
    const isLast = body[at] === closeBrace;
    if (!isLast && body[at] !== comma) throw malformed(body, at, '"," or "}"');
    const index = keyIndex(body, keyStart + 1, keyEnd - 1, keys);
    if (index !== -1) {
      const member = { keyStart, valueStart, valueEnd, commaBefore, commaAfter: isLast ? -1 : at };
      members ??= keys.map(() => undefined);
      const found = members[index];
      // Duplicates are rare: a list that is made with its one member takes no more than that.
      if (found === undefined) members[index] = [member];
      else found.push(member);
    }
    if (isLast) break;
    commaBefore = at;
    at = skipSpace(body, at + 1);
  }
  const rest = skipSpace(body, at + 1);
  if (rest < body.length) throw malformed(body, rest, 'nothing after the closing "}"');
  return { members: members ?? noMembers, objectStart, objectEnd: at, isEmpty };
}

/** How far from the end a key is looked for byte by byte: on so short a way a call into native code costs more. */
const nearEnd = 1024;

/** Offset of the last `"key"` in the body, -1 where there is none. */
function lastQuoted(body: Buffer, key: string): number {
  const { length } = key;
  const first = key.charCodeAt(0);
  const stop = Math.max(0, body.length - nearEnd);
  for (let at = body.length - length - 2; at >= stop; at -= 1) {
    if (body[at] !== quote || body[at + 1] !== first || body[at + length + 1] !== quote) continue;
    let same = 1;
    while (same < length && body[at + 1 + same] === key.charCodeAt(same)) same += 1;
    if (same === length) return at;
  }
  return stop === 0 ? -1 : body.lastIndexOf(`"${key}"`, stop - 1);
}

/**
 * Finds a top-level member that stands near the end, searching from there: what comes before its key is not looked at. Returns
 * the range of its value, or undefined where that cannot be told without reading the whole (then `peekTopLevel` can): the key
 * is absent, or what follows it does not end in exactly one closing brace.
 */
export function peekLastMember(
  body: Buffer,
  key: string,
): { readonly start: number; readonly end: number } | undefined {
  const keyStart = lastQuoted(body, key);
  if (keyStart === -1) return undefined;
  try {
    let at = skipSpace(body, keyStart + key.length + 2);
    if (body[at] !== 0x3a) return undefined;
    const start = skipSpace(body, at + 1);
    const end = skipValue(body, start);
    at = skipSpace(body, end);
    while (body[at] === comma) {
      at = skipSpace(body, at + 1);
      if (body[at] !== quote) return undefined;
      at = skipSpace(body, skipString(body, at));
      if (body[at] !== 0x3a) return undefined;
      at = skipSpace(body, skipValue(body, skipSpace(body, at + 1)));
    }
    const isTopLevel = body[at] === closeBrace && skipSpace(body, at + 1) === body.length;
    return isTopLevel ? { start, end } : undefined;
  } catch {
    return undefined; // malformed, or the key's text stood elsewhere: the whole scan decides
  }
}

/**
 * `true`, `false`, or a short string without escapes, which are most of what is peeked at, without the parser (0.4 µs); undefined for
 * all else. The scan has made sure that a short string has no control character.
 */
function plainValue(body: Buffer, { valueStart, valueEnd }: Member): string | boolean | undefined {
  const first = body[valueStart];
  // The scan has accepted the value: no other begins with these letters.
  if (first === 0x74) return true;
  if (first === 0x66) return false;
  if (first !== quote || valueEnd - valueStart > shortString) return undefined;
  for (let at = valueStart + 1; at < valueEnd - 1; at += 1) if (body[at] === backslash) return undefined;
  return body.toString('utf8', valueStart + 1, valueEnd - 1);
}

/** The parsed value of a member's last occurrence; undefined when the key is absent. Throws like `peekTopLevel`. */
export function memberValue(body: Buffer, found: readonly Member[] | undefined): unknown {
  const member = found?.[found.length - 1];
  if (member === undefined) return undefined;
  const plain = plainValue(body, member);
  if (plain !== undefined) return plain;
  try {
    return JSON.parse(body.toString('utf8', member.valueStart, member.valueEnd));
  } catch {
    // JSON.parse's own message would name another offset.
    throw malformed(body, member.valueStart, 'a valid JSON value');
  }
}
