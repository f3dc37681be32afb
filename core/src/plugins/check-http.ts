/** Validates the HTTP values that a plugin returned: no framing header, no line break in a value, no body of another kind. */
import type { HeaderChanges, HeaderMap } from '@bifrost/sdk';
import { HookResultError, objectAt } from './check-value.ts';

/** Headers that frame a message: only who writes the bytes can state them. */
const framingHeaders = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** What a byte of a header may be: no control character, and nothing beyond the 8 bits that a head is written in. */
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;
/** Together, of one result: more than clients and proxies take would cost the whole answer. */
const maxHeaderCharacters = 65_536;

function assertName(name: string, member: string): void {
  if (!headerName.test(name) || name === '__proto__')
    throw new HookResultError(`${member}.${name}`, 'a header name of RFC 9110', name);
  if (framingHeaders.has(name.toLowerCase())) {
    throw new HookResultError(`${member}.${name}`, 'left out: the gateway states it itself', name);
  }
}

function assertValue(value: unknown, member: string): asserts value is string {
  if (typeof value !== 'string') throw new HookResultError(member, 'a string', value);
  if (!headerValue.test(value)) {
    throw new HookResultError(
      member,
      'free of control characters and of characters beyond U+00FF (encode those)',
      value,
    );
  }
}

/** Counts names and values of one result. */
class HeaderSize {
  #left = maxHeaderCharacters;

  add(name: string, value: string | null, member: string): void {
    this.#left -= name.length + (value?.length ?? 0);
    if (this.#left >= 0) return;
    throw new HookResultError(member, `of at most ${maxHeaderCharacters} characters together`, value);
  }
}

/** Asserts changes and returns them with names in lower case. */
export function checkHeaderChanges(value: unknown, member: string): HeaderChanges | undefined {
  if (value === undefined) return undefined;
  const changes: Record<string, string | null> = {};
  const given = objectAt(value, member);
  const size = new HeaderSize();
  for (const name in given) {
    const change = given[name];
    if (change === undefined) continue;
    assertName(name, member);
    if (change !== null) assertValue(change, `${member}.${name}`);
    size.add(name, change, member);
    changes[name.toLowerCase()] = change;
  }
  return changes;
}

/** Asserts the headers of a whole answer and returns them with names in lower case. */
export function checkHeaderMap(value: unknown, member: string): HeaderMap {
  const headers: Record<string, string | readonly string[]> = {};
  const given = objectAt(value, member);
  const size = new HeaderSize();
  for (const name of Object.keys(given)) {
    const header = given[name];
    if (header === undefined) continue;
    assertName(name, member);
    const values: readonly unknown[] = Array.isArray(header) ? header : [header];
    for (const one of values) {
      assertValue(one, `${member}.${name}`);
      size.add(name, one, member);
    }
    headers[name.toLowerCase()] = header as string | readonly string[];
  }
  return headers;
}

/** Asserts a body: text or bytes. */
export function assertBody(value: unknown, member: string): asserts value is string | Uint8Array | undefined {
  if (value === undefined || typeof value === 'string') return;
  if (!(value instanceof Uint8Array)) throw new HookResultError(member, 'a string or a Uint8Array', value);
  const { buffer } = value;
  if (buffer instanceof ArrayBuffer && buffer.detached) {
    throw new HookResultError(member, 'bytes that are still there (its buffer was given away)', value);
  }
}

/** `headers` after `changes`. */
export function applyHeaderChanges(headers: HeaderMap, changes: HeaderChanges): HeaderMap {
  const next: Record<string, string | readonly string[]> = { ...headers };
  for (const name of Object.keys(changes)) {
    const value = changes[name];
    if (typeof value === 'string') next[name] = value;
    else delete next[name];
  }
  return next;
}

/** One set of changes after another. */
export function mergeHeaderChanges(earlier: HeaderChanges | undefined, later: HeaderChanges): HeaderChanges {
  return earlier === undefined ? later : { ...earlier, ...later };
}
