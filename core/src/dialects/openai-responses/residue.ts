/**
 * How this codec keeps what the canonical model has no name for. Three levels: a canonical field wins over `residue.fields` (what
 * other dialects lose), and both over nothing; `residue.form` holds what only this dialect needs (ids, statuses, nulls, list or
 * string). Objects that become several parts (a message with three texts, a reasoning item with two summaries) keep the item's
 * own remainder under `item` on their first part, which also marks where an item begins.
 */
import type { Json, JsonObject, Residue } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';

/** The name of this dialect. */
export const dialect = 'openai-responses' as const;

/** The two halves of a residue, present even where empty. */
export interface Remainder {
  readonly fields: JsonObject;
  readonly form: JsonObject;
}

const nothing: Remainder = { fields: {}, form: {} };

type Defined<Value> = {
  [Key in keyof Value as undefined extends Value[Key] ? never : Key]: Value[Key];
} & {
  [Key in keyof Value as undefined extends Value[Key] ? Key : never]?: Exclude<Value[Key], undefined>;
};

/** The members of `value` that are set: undefined ones are left out, so that optional members stay absent. */
export function defined<Value extends object>(value: Value): Defined<Value> {
  const result: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) if (member !== undefined) result[key] = member;
  return result as Defined<Value>;
}

/**
 * What is left of `source` once the keys in `taken` are in canonical fields. Nulls and the keys in `formal` go to `form`. A taken
 * key whose value is null counts as form too: null says no more than absent.
 */
export function remainderOf(source: JsonObject, taken: readonly string[], formal: readonly string[] = []): Remainder {
  const fields: Record<string, Json> = {};
  const form: Record<string, Json> = {};
  for (const [key, value] of Object.entries(source)) {
    if (value === undefined) continue;
    if (value === null || formal.includes(key)) form[key] = value;
    else if (!taken.includes(key)) fields[key] = value;
  }
  return { fields, form };
}

function isEmpty(value: JsonObject): boolean {
  for (const _ in value) return false;
  return true;
}

/** A remainder as the `residue` member to spread into a canonical object; nothing when there is nothing to keep. */
export function toResidue({ fields, form }: Remainder): { readonly residue?: Residue } {
  if (isEmpty(fields) && isEmpty(form)) return {};
  return { residue: { dialect, fields, ...(isEmpty(form) ? {} : { form }) } };
}

/** True for what this dialect decoded. */
export function isOwn(value: { readonly residue?: Residue } | undefined): boolean {
  return value?.residue?.dialect === dialect;
}

/** The remainder that this dialect kept on `value`; empty halves where another dialect or nobody did. */
export function ownRemainder(value: { readonly residue?: Residue } | undefined): Remainder {
  const residue = value?.residue;
  if (residue?.dialect !== dialect) return nothing;
  return { fields: residue.fields, form: residue.form ?? {} };
}

/** A member that must be an object, else an empty one. */
export function objectMember(source: JsonObject, key: string): JsonObject {
  const value = source[key];
  return isJsonObject(value) ? value : {};
}

/** Puts the remainder of a several-part item on its first part. */
export function withItem(part: Remainder, item: Remainder): Remainder {
  // A name that both have is kept with the form, where it is at least not lost for this dialect.
  const names = Object.keys(item.fields).filter((name) => !(name in part.fields));
  const shared = Object.entries(item.fields).filter(([name]) => name in part.fields);
  return {
    fields: { ...item.fields, ...part.fields },
    form: {
      ...part.form,
      item: { ...item.form, ...Object.fromEntries(shared) },
      ...(names.length === 0 ? {} : { itemFields: names }),
    },
  };
}

/** Splits what `withItem` joined. `item` is undefined on parts that continue an item. */
export function splitItem(remainder: Remainder): { readonly part: Remainder; readonly item: JsonObject | undefined } {
  const { item: formItem, itemFields, ...form } = remainder.form;
  if (!isJsonObject(formItem)) return { part: remainder, item: undefined };
  const names: readonly unknown[] = Array.isArray(itemFields) ? itemFields : [];
  const entries = Object.entries(remainder.fields);
  const fields = Object.fromEntries(entries.filter(([name]) => !names.includes(name)));
  return {
    part: { fields, form },
    item: { ...Object.fromEntries(entries.filter(([name]) => names.includes(name))), ...formItem },
  };
}

/** The remainder as members to spread below the canonical ones. */
export function spread({ fields, form }: Remainder): JsonObject {
  return { ...fields, ...form };
}

/** Reports what another dialect said beyond the canonical fields: it cannot be said here. */
export function reportForeign(value: { readonly residue?: Residue }, report: LossReport, path = ''): void {
  const { residue } = value;
  if (residue === undefined || residue.dialect === dialect) return;
  for (const field of Object.keys(residue.fields)) {
    report.add({ action: 'dropped', field: `${path}${field}`, reason: `only ${residue.dialect} knows it` });
  }
}

/** A list of the value, or an empty one: for `flatMap` over what may be left out. */
export function listOf(value: JsonObject | undefined): JsonObject[] {
  return value === undefined ? [] : [value];
}
