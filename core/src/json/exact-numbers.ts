/**
 * JSON whose numbers keep their digits. `JSON.parse` rounds what a double cannot hold: a tool's 64-bit id would come out as another
 * one, and `1e400` as null. Such numbers are rare, so they are values like any other to all code, and their digits are noted aside,
 * by the object that holds them; `stringifyExactly` writes them again. Whoever copies an object member by member loses the note, never
 * more: a number that was changed is written as it is.
 */

/** Digits of numbers that were rounded: holder -> key -> as it was written. */
const sources = new WeakMap<object, Map<string, string>>();
/** How many numbers were noted so far in this thread. */
let noted = 0;

/** What can be too long for a double; far more than what is. */
const suspect = /[\d.]{16}|\d[eE][+-]?\d{2}/;

/** `JSON.parse`, which notes the digits that it has to round. */
export function parseExactly(text: string): unknown {
  return suspect.test(text) ? JSON.parse(text, note) : JSON.parse(text);
}

function note(this: object, key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || !isRounded(value, source)) return value;
  noted += 1;
  const own = sources.get(this);
  if (own === undefined) sources.set(this, new Map([[key, source]]));
  else own.set(key, source);
  return value;
}

function isRounded(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return true;
  if (/^-?\d+$/.test(source)) return !Number.isSafeInteger(value) && BigInt(source) !== BigInt(value);
  const digits = source
    .replace(/[eE].*$/, '')
    .replaceAll(/[-.]/g, '')
    .replace(/^0+/, '');
  return digits.length > 15 && String(value) !== source;
}

/** `JSON.stringify`, in the digits in which numbers were read. */
export function stringifyExactly(value: unknown): string {
  return noted === 0 ? JSON.stringify(value) : JSON.stringify(value, restore);
}

function restore(this: object, key: string, value: unknown): unknown {
  if (typeof value !== 'number') return value;
  const source = sources.get(this)?.get(key);
  return source !== undefined && Number(source) === value ? rawJson(source) : value;
}

/** Part of V8 and of ECMAScript's proposal "JSON.parse source text access"; the library's types do not have it yet. */
const { rawJSON: rawJson } = JSON as unknown as { readonly rawJSON: (text: string) => object };

/** Says whether numbers were noted since it was made: a large body is then worth the slower way of writing it. */
export class RoundingWatch {
  readonly #before = noted;

  get hasNoted(): boolean {
    return noted !== this.#before;
  }

  /** The text of a body that was read or made since. */
  stringify(value: unknown): string {
    return this.hasNoted ? stringifyExactly(value) : JSON.stringify(value);
  }
}
