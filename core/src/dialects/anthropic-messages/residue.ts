/**
 * The remainder of each wire object. `fields` has what Anthropic said beyond the canonical members, `form` how it was written
 * (`null`s, a string where a list would do, a default spelt out). Encoding merges both under the canonical members, which win.
 */
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, Residue } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import type { Fields } from './fields.ts';

/** This codec's dialect. */
export const dialect = 'anthropic-messages' as const;

/** The residue of an object whose canonical members were taken out; undefined when nothing is left. */
export function toResidue(rest: Fields, form: Fields = {}): Residue | undefined {
  const fields: Fields = {};
  const shape: Fields = { ...form };
  let hasFields = false;
  for (const key of Object.keys(rest)) {
    const value = rest[key];
    if (value === undefined) continue;
    if (value === null) shape[key] = null;
    else {
      fields[key] = value;
      hasFields = true;
    }
  }
  const hasForm = Object.keys(shape).length > 0;
  if (!hasFields && !hasForm) return undefined;
  return { dialect, fields, ...(hasForm ? { form: shape } : {}) };
}

/** True for an object that this dialect's decoder marked as its own. */
export function isOwn(object: { readonly residue?: Residue }): boolean {
  return object.residue?.dialect === dialect;
}

function mergeUnder(target: Fields, additions: JsonObject): void {
  for (const key of Object.keys(additions)) {
    const addition = additions[key];
    const given = target[key];
    if (given === undefined) target[key] = addition;
    else if (isJsonObject(given) && isJsonObject(addition)) {
      const merged: Fields = { ...given };
      mergeUnder(merged, addition);
      target[key] = merged;
    }
  }
}

/** Adds this dialect's residue to an encoded object. Members that are there already win; objects are merged. */
export function withResidue(target: Fields, residue: Residue | undefined): Fields {
  if (residue?.dialect !== dialect) return target;
  mergeUnder(target, residue.fields);
  if (residue.form !== undefined) mergeUnder(target, residue.form);
  return target;
}

/** A member of this dialect's own residue, or undefined. */
export function residueField(residue: Residue | undefined, key: string): Json | undefined {
  return residue?.dialect === dialect ? (residue.fields[key] ?? residue.form?.[key]) : undefined;
}

/** Reports what another dialect left in an object and Anthropic cannot say. */
export function reportForeign(residue: Residue | undefined, path: string, report: LossReport): void {
  if (residue === undefined || residue.dialect === dialect) return;
  for (const key of Object.keys(residue.fields)) {
    report.add({
      action: 'dropped',
      field: path === '' ? key : `${path}.${key}`,
      reason: `Anthropic Messages has no such field`,
    });
  }
}
