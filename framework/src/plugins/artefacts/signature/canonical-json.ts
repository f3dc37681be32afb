/** JSON in the one form that signatures are made over: RFC 8785. */
import { isJsonObject } from '@bifrost/sdk';
import type { Json } from '@bifrost/sdk';

/** Members by the UTF-16 code units of their names, numbers and strings as ECMAScript writes them, no white space. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(',')}]`;
  if (isJsonObject(value)) {
    const names = Object.keys(value)
      .filter((name) => value[name] !== undefined)
      // The default order is the one of code units.
      .toSorted();
    return `{${names.map((name) => `${canonicalText(name)}:${canonicalJson(value[name] ?? null)}`).join(',')}}`;
  }
  if (typeof value === 'string') return canonicalText(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new TypeError('JSON has no number that is not finite');
  return JSON.stringify(value);
}

function canonicalText(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('a text with half a surrogate pair has no canonical form');
  return JSON.stringify(text);
}
