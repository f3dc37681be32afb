/**
 * How a wire object is kept whole although only its typed fields are decoded.
 *
 * A decoder reads the fields it knows, then encodes the result again ("made") and compares it with the wire object ("said"):
 *  - what `said` has and `made` has not is the remainder: it becomes `residue.fields` under its own names;
 *  - what differs in form only (snake_case, a number for an enum, a default left out) becomes a note in `residue.form`:
 *    "where you would write `made`, I said `said`".
 * An encoder makes the object from the typed fields alone, then applies remainder and notes. A note holds only while the
 * made value is the one it was taken for, so that a changed field always shows; nothing typed is read back from the residue.
 */
import { isJsonObject } from '@bifrost/sdk';
import type { DialectName, Json, JsonObject, Residue } from '@bifrost/sdk';
import { camelCase } from './fields.ts';

/** This dialect's name, as it stands in residues and origins. */
export const dialect = 'gemini-generate-content' satisfies DialectName;

/**
 * One note: `as` is the wire's name of the field; `made` without `said` means that the wire left the field out, `said` without
 * `made` that it has a field which says nothing.
 */
interface FormNote {
  readonly as?: string;
  readonly made?: Json;
  readonly said?: Json;
  /** The wire's value is in the remainder under the same path, where other dialects see that it is lost to them. */
  readonly isKept?: boolean;
  /** The remainder of an array's element. */
  readonly rest?: JsonObject;
}

type Notes = Record<string, FormNote>;

export interface FormOptions {
  /** Fields whose objects are compared whole. */
  readonly leaves?: readonly string[];
  /** As `leaves`; where they differ the wire's value stays visible in the remainder. */
  readonly kept?: readonly string[];
  /** Fields of the outermost object that say nothing there: a note, not a remainder. */
  readonly meaningless?: readonly string[];
  /** Other names of a made field, whose value may have another form: wire name -> made name. */
  readonly aliases?: Readonly<Record<string, string>>;
}

/** Structural equality of JSON values; members that are undefined count as absent. */
export function isEqualJson(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item: Json, index) => isEqualJson(item, right[index] as Json));
  }
  const [a, b] = [left as JsonObject, right as JsonObject];
  const keys = Object.keys(a).filter((key) => a[key] !== undefined);
  if (keys.length !== Object.keys(b).filter((key) => b[key] !== undefined).length) return false;
  return keys.every((key) => b[key] !== undefined && isEqualJson(a[key], b[key]));
}

class FormComparison {
  readonly notes: Notes = {};
  readonly #options: FormOptions;

  constructor(options: FormOptions) {
    this.#options = options;
  }

  /** Notes the differences and returns the remainder. */
  compare(made: JsonObject, said: JsonObject, prefix: string): JsonObject {
    const rest: Record<string, Json> = {};
    const seen = new Set<string>();
    for (const [wireName, value] of Object.entries(said)) {
      if (value === undefined) continue;
      const name = this.#madeName(made, said, wireName);
      if (name === undefined || seen.has(name)) {
        const isMeaningless = prefix === '' && this.#options.meaningless?.includes(wireName) === true;
        if (isMeaningless) this.notes[wireName] = { said: value };
        else rest[wireName] = value;
        continue;
      }
      seen.add(name);
      if (name !== wireName) this.notes[prefix + name] = { as: wireName };
      this.#compareValue(name, { made: made[name] as Json, said: value, prefix, rest });
    }
    for (const [name, value] of Object.entries(made)) {
      if (value !== undefined && !seen.has(name)) this.notes[prefix + name] = { made: value };
    }
    return rest;
  }

  #madeName(made: JsonObject, said: JsonObject, wireName: string): string | undefined {
    if (made[wireName] !== undefined) return wireName;
    const camel = camelCase(wireName);
    const name = made[camel] === undefined ? this.#options.aliases?.[camel] : camel;
    return name !== undefined && made[name] !== undefined && said[name] === undefined ? name : undefined;
  }

  #compareValue(
    name: string,
    pair: { readonly made: Json; readonly said: Json; readonly prefix: string; readonly rest: Record<string, Json> },
  ): void {
    const { made, said, prefix, rest } = pair;
    const path = prefix + name;
    if (isEqualJson(made, said)) return;
    const { leaves, kept } = this.#options;
    const isKept = kept?.includes(name) ?? false;
    if (!isKept && leaves?.includes(name) !== true) {
      if (isJsonObject(made) && isJsonObject(said)) {
        const remainder = this.compare(made, said, `${path}/`);
        if (Object.keys(remainder).length > 0) rest[name] = remainder;
        return;
      }
      if (isObjectList(made) && isObjectList(said) && made.length === said.length) {
        made.forEach((item, index) => this.#compareItem(item, said[index] as JsonObject, `${path}/${index}`));
        return;
      }
    }
    this.notes[path] = { ...this.notes[path], made, ...(isKept ? { isKept } : { said }) };
    if (isKept) rest[name] = said;
  }

  #compareItem(made: JsonObject, said: JsonObject, path: string): void {
    const rest = this.compare(made, said, `${path}/`);
    if (Object.keys(rest).length > 0) this.notes[path] = { rest };
  }
}

function isObjectList(value: Json): value is readonly JsonObject[] {
  return Array.isArray(value) && value.length > 0 && value.every(isJsonObject);
}

/** What of `said` the typed fields that gave `made` do not hold. */
export function residueOf(made: JsonObject, said: JsonObject, options: FormOptions = {}): Residue {
  const comparison = new FormComparison(options);
  const fields = comparison.compare(made, said, '');
  const hasNotes = Object.keys(comparison.notes).length > 0;
  return { dialect, fields, ...(hasNotes ? { form: comparison.notes as unknown as JsonObject } : {}) };
}

/** As `residueOf`, for a spread into a value that needs no residue when nothing is left. */
export function residueMember(
  made: JsonObject,
  said: JsonObject,
  options: FormOptions = {},
): { readonly residue?: Residue } {
  const residue = residueOf(made, said, options);
  return residue.form === undefined && Object.keys(residue.fields).length === 0 ? {} : { residue };
}

/** True for a value that was read from this dialect. */
export function isOwn(residue: Residue | undefined): boolean {
  return residue?.dialect === dialect;
}

function applyObject(made: JsonObject, rest: JsonObject, notes: Notes, prefix: string): JsonObject {
  const written: Record<string, Json> = {};
  for (const [name, value] of Object.entries(made)) {
    if (value === undefined) continue;
    const note = notes[prefix + name];
    if (note?.made !== undefined && isEqualJson(note.made, value)) {
      const said = note.isKept === true ? rest[name] : note.said;
      if (said !== undefined) written[note.as ?? name] = said;
      continue;
    }
    const wireName = note?.made === undefined ? (note?.as ?? name) : name;
    const remainder = rest[name];
    written[wireName] = applyValue(value, isJsonObject(remainder) ? remainder : {}, notes, prefix + name);
  }
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined || made[name] !== undefined || made[camelCase(name)] !== undefined) continue;
    if (notes[prefix + name]?.isKept !== true) written[name] = value;
  }
  return written;
}

function applyValue(value: Json, rest: JsonObject, notes: Notes, path: string): Json {
  if (isJsonObject(value)) return applyObject(value, rest, notes, `${path}/`);
  if (!Array.isArray(value)) return value;
  return (value as readonly Json[]).map((item, index) =>
    isJsonObject(item) ? applyObject(item, notes[`${path}/${index}`]?.rest ?? {}, notes, `${path}/${index}/`) : item,
  );
}

/** Writes remainder and notes of this dialect back into a made object; any other residue changes nothing. */
export function applyResidue(made: JsonObject, residue: Residue | undefined): JsonObject {
  if (residue === undefined || !isOwn(residue)) return made;
  if (residue.form === undefined && Object.keys(residue.fields).length === 0) return made;
  const notes = (residue.form ?? {}) as unknown as Notes;
  const written: Record<string, Json | undefined> = { ...applyObject(made, residue.fields, notes, '') };
  for (const [name, note] of Object.entries(notes)) {
    const isMeaningless = note.made === undefined && note.said !== undefined && !name.includes('/');
    if (isMeaningless && written[name] === undefined) written[name] = note.said;
  }
  return written;
}
