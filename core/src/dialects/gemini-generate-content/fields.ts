import { parseExactly } from '../../json/exact-numbers.ts';
import { GatewayError, InvalidRequestError, isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';

const snakeNames = new Map<string, string>();
const camelNames = new Map<string, string>();
/** Wire names are few; the bound keeps a caller's invented names from filling the memory. */
const maxCachedNames = 2_000;

function cached(cache: Map<string, string>, name: string, convert: (name: string) => string): string {
  let converted = cache.get(name);
  if (converted === undefined) {
    converted = convert(name);
    if (cache.size < maxCachedNames) cache.set(name, converted);
  }
  return converted;
}

/** `thoughtSignature` -> `thought_signature`. */
export function snakeCase(name: string): string {
  return cached(snakeNames, name, (camel) => camel.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
}

/** `thought_signature` -> `thoughtSignature`; any other name comes back as it is. */
export function camelCase(name: string): string {
  return cached(camelNames, name, (snake) =>
    snake.replaceAll(/(?<=.)_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
  );
}

/**
 * A field in either spelling: the wire is proto JSON, whose parsers take lowerCamelCase and the original snake_case
 * (https://protobuf.dev/programming-guides/json/). Null counts as absent there.
 */
export function fieldOf(object: JsonObject, name: string): Json | undefined {
  return object[name] ?? object[snakeCase(name)] ?? undefined;
}

function describe(value: Json): string {
  if (Array.isArray(value)) return 'an array';
  if (value === null) return 'null';
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${JSON.stringify(value).slice(0, 40)}`;
}

/**
 * Reads one wire object by type. Strict (requests): a wrong type throws InvalidRequestError with the field's path. Lenient
 * (answers): a wrong type reads as absent, as a provider's slip should not cost the caller the rest of the answer.
 */
export class FieldReader {
  readonly object: JsonObject;
  readonly path: string;
  readonly #isStrict: boolean;

  constructor(object: JsonObject, options: { readonly path: string; readonly isStrict: boolean }) {
    this.object = object;
    this.path = options.path;
    this.#isStrict = options.isStrict;
  }

  pathOf(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  has(name: string): boolean {
    return fieldOf(this.object, name) !== undefined;
  }

  string(name: string): string | undefined {
    const value = fieldOf(this.object, name);
    return value === undefined || typeof value === 'string' ? value : this.#refuse(name, value, 'a string');
  }

  /** A number; proto JSON also takes numbers written as strings. */
  number(name: string): number | undefined {
    const value = fieldOf(this.object, name);
    if (value === undefined || typeof value === 'number') return value;
    if (typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))) return Number(value);
    return this.#refuse(name, value, 'a number');
  }

  boolean(name: string): boolean | undefined {
    const value = fieldOf(this.object, name);
    return value === undefined || typeof value === 'boolean' ? value : this.#refuse(name, value, 'a boolean');
  }

  json(name: string): JsonObject | undefined {
    const value = fieldOf(this.object, name);
    return value === undefined || isJsonObject(value) ? value : this.#refuse(name, value, 'an object');
  }

  /** A nested object as its own reader. */
  child(name: string): FieldReader | undefined {
    const value = this.json(name);
    return value === undefined ? undefined : this.#reader(value, this.pathOf(name));
  }

  /** A list of objects, each as its own reader. One object alone counts as a list of one: Google's API takes it too. */
  children(name: string): readonly FieldReader[] | undefined {
    const value = fieldOf(this.object, name);
    if (value === undefined) return undefined;
    if (isJsonObject(value)) return [this.#reader(value, `${this.pathOf(name)}[0]`)];
    if (!Array.isArray(value)) return this.#refuse(name, value, 'an array of objects');
    return (value as readonly Json[]).flatMap((item, index) => {
      if (isJsonObject(item)) return [this.#reader(item, `${this.pathOf(name)}[${index}]`)];
      this.#refuse(`${name}[${index}]`, item, 'an object');
      return [];
    });
  }

  strings(name: string): readonly string[] | undefined {
    const value = fieldOf(this.object, name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) return this.#refuse(name, value, 'an array of strings');
    const wrong = (value as readonly Json[]).find((item) => typeof item !== 'string');
    return wrong === undefined ? (value as readonly string[]) : this.#refuse(name, wrong, 'strings only');
  }

  #reader(object: JsonObject, path: string): FieldReader {
    return new FieldReader(object, { path, isStrict: this.#isStrict });
  }

  #refuse(name: string, value: Json, expected: string): undefined {
    if (!this.#isStrict) return undefined;
    const param = this.pathOf(name);
    throw new InvalidRequestError(`${param} is ${describe(value)}, expected ${expected}`, {
      code: 'BF_REQUEST_INVALID',
      param,
    });
  }
}

/** The JSON of one stream event. Throws GatewayError `BF_DIALECT_STREAM_INVALID` when it is not an object. */
export function parseChunk(data: string): JsonObject {
  let value: unknown;
  try {
    value = parseExactly(data);
  } catch (cause) {
    throw unreadable(data, cause);
  }
  // An error in a JSON array stream may stand in an array of its own.
  if (Array.isArray(value) && value.length === 1 && isJsonObject(value[0])) return value[0];
  if (!isJsonObject(value)) throw unreadable(data, undefined);
  return value;
}

function unreadable(data: string, cause: unknown): GatewayError {
  return new GatewayError(
    `the provider sent a stream event of ${data.length} characters that is not a JSON object; expected a GenerateContentResponse`,
    { code: 'BF_DIALECT_STREAM_INVALID', statusCode: 502, origin: 'provider', cause },
  );
}

/** A copy without the members that are undefined. A loop: entries and back cost twice as much in the path of every chunk. */
export function defined(object: { readonly [key: string]: Json | undefined }): JsonObject {
  const copy: Record<string, Json> = {};
  for (const name of Object.keys(object)) {
    const value = object[name];
    if (value !== undefined) copy[name] = value;
  }
  return copy;
}

/** The members whose value is defined, typed for a spread under `exactOptionalPropertyTypes`. */
export function present<T extends object>(object: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const copy: { [Key in keyof T]?: Exclude<T[Key], undefined> } = {};
  for (const name of Object.keys(object) as (keyof T)[]) {
    const value = object[name];
    if (value !== undefined) copy[name] = value as Exclude<T[keyof T], undefined>;
  }
  return copy;
}
