/** Reading JSON objects member by member: what is taken becomes canonical, what is left over becomes residue. */
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';

/** A shallow, mutable copy of a wire object, from which the readers below remove what they understand. */
export type Fields = Record<string, Json | undefined>;

/** Removes and returns a member that is a string; anything else stays. */
export function takeString(fields: Fields, key: string): string | undefined {
  const value = fields[key];
  if (typeof value !== 'string') return undefined;
  delete fields[key];
  return value;
}

/** Removes and returns a member that is a number; anything else stays. */
export function takeNumber(fields: Fields, key: string): number | undefined {
  const value = fields[key];
  if (typeof value !== 'number') return undefined;
  delete fields[key];
  return value;
}

/** Removes and returns a member that is a boolean; anything else stays. */
export function takeBoolean(fields: Fields, key: string): boolean | undefined {
  const value = fields[key];
  if (typeof value !== 'boolean') return undefined;
  delete fields[key];
  return value;
}

/** Removes and returns a shallow copy of a member that is an object; anything else stays. */
export function takeObject(fields: Fields, key: string): Fields | undefined {
  const value = fields[key];
  if (!isJsonObject(value)) return undefined;
  delete fields[key];
  return { ...value };
}

/** Removes and returns a member that is an array; anything else stays. */
export function takeArray(fields: Fields, key: string): readonly Json[] | undefined {
  const value = fields[key];
  if (!Array.isArray(value)) return undefined;
  delete fields[key];
  return value as readonly Json[];
}

/** Removes a member that has exactly the value that the encoder writes anyway. */
export function dropExpected(fields: Fields, key: string, expected: Json): void {
  if (fields[key] === expected) delete fields[key];
}

/** Puts back what is left of a nested object, if anything is. */
export function putBack(fields: Fields, key: string, rest: Fields): void {
  for (const name in rest) {
    if (rest[name] !== undefined) {
      fields[key] = rest;
      return;
    }
  }
}

type Present<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The object without its `undefined` members. */
export function present<T extends object>(object: T): Present<T> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) if (value !== undefined) result[key] = value;
  return result as Present<T>;
}

/** `JSON.parse` that returns undefined for text that is not a JSON object. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined; // the caller decides what a text that is no JSON object means
  }
}
