import type { InvalidRequestError } from '@bifrost/sdk';
import { byteClasses, jsonBytes, malformedJson, maxNesting, nestsTooDeep, shortString } from './json-bytes.ts';

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

const { quote, backslash, comma, colon, openBrace, closeBrace, openBracket, closeBracket } = jsonBytes;
const classes = byteClasses;
const [nestingLimit, shortLimit] = [maxNesting, shortString];
const noMembers: readonly undefined[] = [];

const scalar = /^(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)$/;

function malformed(body: Buffer, offset: number, expected: string): InvalidRequestError {
  return malformedJson(body[offset], offset, expected);
}

export function skipSpace(body: Buffer, from: number): number {
  let at = from;
  while (classes[body[at] as number] === 2) at += 1;
  return at;
}

/** The offset after a string's closing quote; `from` is its opening quote. */
export function skipString(body: Buffer, from: number): number {
  let at = from + 1;
  const near = Math.min(body.length, at + shortLimit);
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
const waiting = new Uint8Array(nestingLimit);

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
        if (depth === nestingLimit) {
          throw nestsTooDeep(at);
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

export function skipValue(body: Buffer, at: number): number {
  const byte = body[at];
  if (byte === quote) return skipString(body, at);
  if (byte === openBrace || byte === openBracket) return skipNested(body, at);
  return skipScalar(body, at);
}

/** A longer key is none that anybody looks for, however it is escaped (six bytes for each character): it is not read. */
export const maxKeyBytes = 120;
/** What `keyIndex` says of a key that is no JSON string. */
export const invalidKey = -2;

/** Index in `keys` of the key that stands between `start` and `end` (its quotes are around it), -1 where it is none of them. */
export function keyIndex(bytes: Buffer, start: number, end: number, keys: readonly string[]): number {
  const length = end - start;
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index] as string;
    if (key.length !== length) continue;
    let same = 0;
    while (same < length && bytes[start + same] === key.charCodeAt(same)) same += 1;
    if (same === length) return index;
  }
  if (length > maxKeyBytes) return -1;
  // An escaped key is longer than what it says: read it the slow way.
  for (let at = start; at < end; at += 1) {
    if (bytes[at] === backslash) return escapedKeyIndex(bytes.toString('utf8', start - 1, end + 1), keys);
  }
  return -1;
}

function escapedKeyIndex(text: string, keys: readonly string[]): number {
  try {
    return keys.indexOf(JSON.parse(text) as string);
  } catch {
    return invalidKey; // JSON.parse's own message would name another offset than the body's
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
    if (body[at] !== colon) throw malformed(body, at, '":" after the key');
    const valueStart = skipSpace(body, at + 1);
    const valueEnd = skipValue(body, valueStart);
    at = skipSpace(body, valueEnd);
    const isLast = body[at] === closeBrace;
    if (!isLast && body[at] !== comma) throw malformed(body, at, '"," or "}"');
    const index = keyIndex(body, keyStart + 1, keyEnd - 1, keys);
    if (index === invalidKey) throw malformed(body, keyStart, 'a valid key');
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
