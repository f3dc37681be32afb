/** The difference of two values as steps of RFC 6902, bounded in number and size, without bytes and credentials. */
import { createHash } from 'node:crypto';
import type { Json, ValueChange } from '@bifrost/sdk';

const maxChanges = 32;
const maxTextCharacters = 500;
const maxDepth = 12;

/** Header names whose values are secrets. */
const secretNames =
  /^(?:authorization|proxy-authorization|cookie|set-cookie|.*api[-_]?key|x-bf-vk|.*secret.*|.*token)$/i;

type Members = Readonly<Record<string, unknown>>;

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** What turns `before` into `after`; empty where they say the same. Beyond 32 steps the rest is left out. */
export function valueChanges(before: unknown, after: unknown): readonly ValueChange[] {
  const changes: ValueChange[] = [];
  compare({ changes, path: '', depth: 0, isHeaders: false }, before, after);
  return changes;
}

interface Place {
  readonly changes: ValueChange[];
  readonly path: string;
  readonly depth: number;
  /** The members here are headers: their names say which values are secrets. */
  readonly isHeaders: boolean;
}

function compare(place: Place, before: unknown, after: unknown): void {
  const { changes, path, depth } = place;
  if (before === after || changes.length >= maxChanges) return;
  if (depth < maxDepth && Array.isArray(before) && Array.isArray(after)) compareLists(place, before, after);
  else if (depth < maxDepth && isMembers(before) && isMembers(after)) compareMembers(place, before, after);
  else if (!isSameBytes(before, after)) changes.push({ op: 'replace', path, value: shortened(after, 0) });
}

function isSameBytes(before: unknown, after: unknown): boolean {
  if (!(before instanceof Uint8Array) || !(after instanceof Uint8Array)) return false;
  return Buffer.compare(before, after) === 0;
}

function compareMembers(place: Place, before: Members, after: Members): void {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (place.changes.length >= maxChanges) return;
    const path = `${place.path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const [old, next] = [before[name], after[name]];
    if (old === next) continue;
    const isSecret = place.isHeaders && secretNames.test(name);
    const value = isSecret ? '***' : shortened(next, place.depth);
    if (next === undefined) place.changes.push({ op: 'remove', path });
    else if (old === undefined)
      place.changes.push({ op: 'add', path, value: name === 'headers' ? withoutSecrets(next) : value });
    else if (isSecret) place.changes.push({ op: 'replace', path, value });
    else compare({ ...place, path, depth: place.depth + 1, isHeaders: name === 'headers' }, old, next);
  }
}

function compareLists(place: Place, before: readonly unknown[], after: readonly unknown[]): void {
  const shared = Math.min(before.length, after.length);
  for (let index = 0; index < shared && place.changes.length < maxChanges; index += 1) {
    compare(
      { ...place, path: `${place.path}/${index}`, depth: place.depth + 1, isHeaders: false },
      before[index],
      after[index],
    );
  }
  for (let index = shared; index < after.length && place.changes.length < maxChanges; index += 1) {
    place.changes.push({ op: 'add', path: `${place.path}/-`, value: shortened(after[index], place.depth) });
  }
  // From the end: each step leaves the numbers of the others alone.
  for (let index = before.length - 1; index >= shared && place.changes.length < maxChanges; index -= 1) {
    place.changes.push({ op: 'remove', path: `${place.path}/${index}` });
  }
}

function withoutSecrets(headers: unknown): Json {
  if (!isMembers(headers)) return shortened(headers, 0);
  const shown = Object.entries(headers).map(([name, value]) => [
    name,
    secretNames.test(name) ? '***' : shortened(value, 1),
  ]);
  return Object.fromEntries(shown) as Json;
}

/** A value as a step may show it. */
function shortened(value: unknown, depth: number): Json {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'string') return cutText(value);
  if (value instanceof Uint8Array) {
    return { bytes: value.length, sha256: createHash('sha256').update(value).digest('hex') };
  }
  if (depth >= maxDepth || typeof value !== 'object') return `(${typeof value})`;
  if (Array.isArray(value)) {
    const shown = value.slice(0, maxChanges).map((one) => shortened(one, depth + 1));
    return value.length > maxChanges ? [...shown, `(and ${value.length - maxChanges} more)`] : shown;
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(
    members
      .slice(0, maxChanges)
      .map(([name, member]) => [name, name === 'headers' ? withoutSecrets(member) : shortened(member, depth + 1)]),
  );
}

function cutText(text: string): string {
  if (text.length <= maxTextCharacters) return text;
  return `${text.slice(0, maxTextCharacters).toWellFormed()}... (${text.length} characters)`;
}
