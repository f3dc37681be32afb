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
// oxlint-disable-next-line no-control-regex -- control characters are exactly what must not be in a header
const forbiddenInValue = /[\0-\x08\x0a-\x1f\x7f]/;

function assertName(name: string, member: string): void {
  if (!headerName.test(name) || name === '__proto__')
    throw new HookResultError(`${member}.${name}`, 'a header name of RFC 9110', name);
  if (framingHeaders.has(name.toLowerCase())) {
    throw new HookResultError(`${member}.${name}`, 'left out: the gateway states it itself', name);
  }
}

function assertValue(value: unknown, member: string): void {
  if (typeof value !== 'string') throw new HookResultError(member, 'a string', value);
  if (forbiddenInValue.test(value)) throw new HookResultError(member, 'free of control characters', value);
}

/** Asserts changes and returns them with names in lower case. */
export function checkHeaderChanges(value: unknown, member: string): HeaderChanges | undefined {
  if (value === undefined) return undefined;
  const changes: Record<string, string | null> = {};
  const given = objectAt(value, member);
  for (const name in given) {
    const change = given[name];
    if (change === undefined) continue;
    assertName(name, member);
    if (change !== null) assertValue(change, `${member}.${name}`);
    changes[name.toLowerCase()] = change as string | null;
  }
  return changes;
}

/** Asserts the headers of a whole answer and returns them with names in lower case. */
export function checkHeaderMap(value: unknown, member: string): HeaderMap {
  const headers: Record<string, string | readonly string[]> = {};
  const given = objectAt(value, member);
  for (const name of Object.keys(given)) {
    const header = given[name];
    if (header === undefined) continue;
    assertName(name, member);
    const values: readonly unknown[] = Array.isArray(header) ? header : [header];
    for (const one of values) assertValue(one, `${member}.${name}`);
    headers[name.toLowerCase()] = header as string | readonly string[];
  }
  return headers;
}

/** Asserts a body: text or bytes. */
export function assertBody(value: unknown, member: string): asserts value is string | Uint8Array | undefined {
  if (value === undefined || typeof value === 'string' || value instanceof Uint8Array) return;
  throw new HookResultError(member, 'a string or a Uint8Array', value);
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
