import type { DialectName, Json, JsonObject, Residue } from '@bifrost/sdk';
import type { DialectQuirks, LossReport } from '../codec.ts';
import type { MutableJson } from './object-reader.ts';

/** What every encoding function needs to know. */
export interface EncodeContext {
  readonly dialect: DialectName;
  readonly report: LossReport;
  readonly quirks: DialectQuirks;
  /** `request` goes to a provider, `response` to a client: opaque values of other makers are dropped in one, tagged in the other. */
  readonly direction: 'request' | 'response';
  /** The request was decoded from this very dialect: what goes beyond the book was the caller's own wish. */
  readonly isOwn: boolean;
}

/** What `residue` remembers of the spelling, for its own dialect only. */
export function formOf(residue: Residue | undefined, dialect: DialectName): JsonObject {
  return residue?.dialect === dialect ? (residue.form ?? {}) : {};
}

/** Fields whose value follows from where they stand: left away again where the wire had left them away. */
const constants: ReadonlySet<string> = new Set(['type', 'object', 'role', 'index']);

/** True for a field that the wire had left away; the encoder then makes up no value for it. */
export function isAbsent(residue: Residue | undefined, key: string, dialect: DialectName): boolean {
  return (formOf(residue, dialect)['absent'] as readonly string[] | undefined)?.includes(key) === true;
}

/**
 * Completes an encoded object with its remainder: unknown fields, nulls and empties go back where nothing canonical was
 * written. The remainder of another dialect is reported, field by field.
 */
export function addResidue(
  target: MutableJson,
  residue: Residue | undefined,
  path: string,
  context: EncodeContext,
): MutableJson {
  if (residue === undefined) return target;
  if (residue.dialect !== context.dialect) {
    for (const key of Object.keys(residue.fields)) {
      context.report.add({
        action: 'dropped',
        field: joinPath(path, key),
        reason: `${context.dialect} has no such field`,
      });
    }
    return target;
  }
  for (const key of (residue.form?.['absent'] as readonly string[] | undefined) ?? []) {
    if (target[key] === null || constants.has(key)) delete target[key];
  }
  addMissing(target, residue.fields);
  addMissing(target, (residue.form?.['plain'] as JsonObject | undefined) ?? {});
  return target;
}

function addMissing(target: MutableJson, fields: JsonObject): void {
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined && target[key] === undefined) target[key] = value;
  }
}

/** `a` + `b` -> `a.b`. */
export function joinPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** Sets a field unless the value is undefined. */
export function setField(target: MutableJson, key: string, value: Json | undefined): void {
  if (value !== undefined) target[key] = value;
}
