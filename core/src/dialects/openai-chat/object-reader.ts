import { InvalidRequestError, isJsonObject } from '@bifrost/sdk';
import type { DialectName, Json, JsonObject, Residue } from '@bifrost/sdk';

/** A JSON object under construction. */
export type MutableJson = Record<string, Json>;

/** How to read: which dialect the remainder belongs to, and whether a wrong type is the caller's error or is left alone. */
export interface ReadMode {
  readonly dialect: DialectName;
  /** True for a caller's request: a wrong type throws. False for a provider's answer: the value stays in the remainder. */
  readonly isStrict: boolean;
}

function describe(value: Json): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (isJsonObject(value)) return 'an object';
  const text = JSON.stringify(value);
  return `${typeof value === 'string' ? 'the string' : `the ${typeof value}`} ${text.length > 40 ? `${text.slice(0, 40)}...` : text}`;
}

/** The error for a request field of the wrong type: names the field, what was given and what was expected. */
export function wrongType(path: string, value: Json | undefined, expected: string): InvalidRequestError {
  const given = value === undefined ? 'is missing' : `is ${describe(value)}`;
  return new InvalidRequestError(`'${path}' ${given}; expected ${expected}`, {
    code: 'BF_REQUEST_INVALID',
    param: path,
  });
}

/** Null, an empty string or list, or an object of nothing but those: servers fill answers with them. */
function isNothing(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.values(value).every(isNothing);
}

/**
 * Reads one wire object field by field and keeps the remainder: what nobody took becomes the residue, with nulls and empties
 * in `form.plain` (they say nothing, so another dialect loses nothing) and everything else in `fields`.
 */
export class ObjectReader {
  readonly path: string;
  readonly mode: ReadMode;
  readonly #raw: JsonObject;
  readonly #taken = new Set<string>();
  readonly #form: MutableJson = {};
  readonly #plain: MutableJson = {};
  readonly #extra: MutableJson = {};

  constructor(raw: JsonObject, path: string, mode: ReadMode) {
    this.#raw = raw;
    this.path = path;
    this.mode = mode;
  }

  pathOf(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }

  /** The value without taking it. */
  peek(key: string): Json | undefined {
    return this.#raw[key];
  }

  /** The value, whatever it is; it is no longer part of the remainder. */
  take(key: string): Json | undefined {
    this.#taken.add(key);
    return this.#raw[key];
  }

  string(key: string): string | undefined {
    return this.#typed(key, 'a string', (value) => typeof value === 'string') as string | undefined;
  }

  number(key: string): number | undefined {
    return this.#typed(key, 'a number', (value) => typeof value === 'number') as number | undefined;
  }

  boolean(key: string): boolean | undefined {
    return this.#typed(key, 'true or false', (value) => typeof value === 'boolean') as boolean | undefined;
  }

  object(key: string): JsonObject | undefined {
    return this.#typed(key, 'an object', isJsonObject) as JsonObject | undefined;
  }

  array(key: string): readonly Json[] | undefined {
    return this.#typed(key, 'an array', Array.isArray) as readonly Json[] | undefined;
  }

  /** Remembers how something was spelled. */
  note(name: string, value: Json): void {
    this.#form[name] = value;
  }

  /** Takes a value that the canonical model says by leaving the field away (`stream: false`, `content: ""`). */
  plain(key: string): void {
    const value = this.take(key);
    if (value !== undefined) this.#plain[key] = value;
  }

  /** Keeps a value in the remainder under `key`, beside or in place of what was there. */
  keep(key: string, value: Json): void {
    this.#extra[key] = value;
  }

  /** Notes that a field which this dialect's encoder writes by itself was not there. */
  noteAbsent(...keys: readonly string[]): void {
    const absent = keys.filter((key) => this.#raw[key] === undefined);
    if (absent.length > 0)
      this.#form['absent'] = [...((this.#form['absent'] as string[] | undefined) ?? []), ...absent];
  }

  /** What nobody took; undefined when nothing is left and nothing was noted. */
  rest(): Residue | undefined {
    const fields: MutableJson = {};
    for (const [key, value] of Object.entries(this.#raw)) {
      if (value === undefined || this.#taken.has(key)) continue;
      if (isNothing(value)) this.#plain[key] = value;
      else fields[key] = value;
    }
    Object.assign(fields, this.#extra);
    const form: MutableJson = { ...this.#form };
    if (Object.keys(this.#plain).length > 0) form['plain'] = this.#plain;
    const hasForm = Object.keys(form).length > 0;
    if (!hasForm && Object.keys(fields).length === 0) return undefined;
    return { dialect: this.mode.dialect, fields, ...(hasForm ? { form } : {}) };
  }

  #typed(key: string, expected: string, isRight: (value: Json) => boolean): Json | undefined {
    const value = this.#raw[key];
    if (value === undefined || value === null) return undefined;
    if (isRight(value)) return this.take(key);
    if (this.mode.isStrict) throw wrongType(this.pathOf(key), value, expected);
    return undefined;
  }
}

/** `{ residue }` or nothing, for spreading. */
export function residueOf(reader: ObjectReader): { readonly residue?: Residue } {
  const residue = reader.rest();
  return residue === undefined ? {} : { residue };
}

/** `{ [key]: value }` or nothing when the value is undefined, for spreading. */
export function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: V });
}
