/** Building blocks of the hand-written validators: they run on every changed value, so they allocate nothing when it is right. */
import type { Json } from '@bifrost/sdk';

/** A hook returned something that its contract does not know; `member` is the place, e.g. `conversation.messages[2].role`. */
export class HookResultError extends Error {
  readonly member: string;
  constructor(member: string, expected: string, value: unknown) {
    super(`${member === '' ? 'it' : `\`${member}\``} must be ${expected}, got ${describe(value)}`);
    this.name = 'HookResultError';
    this.member = member;
  }
}

/** Short words, as an author misspells them; anything longer might be a credential or a prompt and is not shown. */
const showable = /^[\w./-]{1,24}$/;

/** Names the kind of a value for a message. */
export function describe(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return showable.test(value) ? `"${value}"` : `a text of ${value.length} characters`;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return `a${typeof value === 'object' ? 'n object' : ` ${typeof value}`}`;
}

/** A value as an object with members to look at. Class instances pass; arrays and null do not. */
export function objectAt(value: unknown, member: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HookResultError(member, 'an object', value);
  }
  // An object that is no array: its members can be read by name.
  return value as Readonly<Record<string, unknown>>;
}

/** `status` for `statusCode`, `Headers` for `headers`. */
function isBegun(short: string, long: string): boolean {
  return short.length > 2 && long.toLowerCase().startsWith(short.toLowerCase());
}

/** Refuses members that the contract does not know: a misspelt one would otherwise be ignored in silence. */
export function onlyMembers(value: Readonly<Record<string, unknown>>, known: readonly string[], member: string): void {
  for (const name in value) {
    if (known.includes(name) || value[name] === undefined) continue;
    const near = known.find((word) => isBegun(name, word) || isBegun(word, name));
    throw new HookResultError(
      member === '' ? name : `${member}.${name}`,
      `absent${near === undefined ? '' : `: did you mean ${near}?`} (known: ${known.join(', ')})`,
      value[name],
    );
  }
}

/** Refuses two decisions at once: of the members `known`, one at most is stated. */
export function oneMember(value: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  const stated = known.filter((name) => value[name] !== undefined);
  if (stated.length > 1) throw new HookResultError(stated.join(' and '), 'stated alone: one member at most', value);
}

export function stringAt(value: unknown, member: string): asserts value is string {
  if (typeof value !== 'string') throw new HookResultError(member, 'a string', value);
}

export function optionalString(value: unknown, member: string): void {
  if (value !== undefined) stringAt(value, member);
}

export function arrayAt(value: unknown, member: string, expected = 'an array'): readonly unknown[] {
  if (!Array.isArray(value)) throw new HookResultError(member, expected, value);
  return value;
}

export function statusCodeAt(value: unknown, member: string): asserts value is number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 200 || value > 599) {
    throw new HookResultError(member, 'an HTTP status from 200 to 599', value);
  }
}

const maxDepth = 200;

/** Asserts plain JSON data of bounded depth: what a codec can write without failing half way. Absent members may be `undefined`. */
export function assertJson(value: unknown, member: string, depth = 0): asserts value is Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return;
    throw new HookResultError(member, 'a finite number', value);
  }
  if (typeof value !== 'object') throw new HookResultError(member, 'plain JSON data', value);
  if (depth > maxDepth) throw new HookResultError(member, `nested at most ${maxDepth} deep, without cycles`, value);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) assertJson(value[index], `${member}[${index}]`, depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new HookResultError(member, 'plain JSON data, not an instance of a class', value);
  }
  assertJsonMembers(objectAt(value, member), member, depth);
}

function assertJsonMembers(value: Readonly<Record<string, unknown>>, member: string, depth: number): void {
  for (const name in value) {
    const inner = value[name];
    // Strings are the bulk of a conversation: no path is built for them.
    if (inner === undefined || typeof inner === 'string') continue;
    assertJson(inner, member === '' ? name : `${member}.${name}`, depth + 1);
  }
}
