/** Entries of plugins as they are written, and changes to them. */
import { isDeepStrictEqual } from 'node:util';
import { GatewayError, isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';

/** The error of a call whose body is wrong: 400. */
export function invalid(message: string): GatewayError {
  return new GatewayError(message, { code: 'BF_ADMIN_INVALID', statusCode: 400 });
}

/** The name by which an entry goes. Throws GatewayError where it has none. */
export function nameOf(file: JsonObject): string {
  const { name } = file;
  if (typeof name === 'string' && name !== '') return name;
  throw invalid('`name` is missing: give the plugin a name (letters, digits, ".", "_", "-")');
}

/** What stands behind `/api/plugins/` otherwise: a plugin of that name could not be asked for. */
const reservedNames = ['builtins', 'loaded', 'sequence', 'upload'];

/** The name of an entry that is to be added. Throws GatewayError also where the admin API could not call it by that name. */
export function freeNameOf(file: JsonObject): string {
  const name = nameOf(file);
  if (!reservedNames.includes(name)) return name;
  throw invalid(`name: "${name}" is a path of the admin API (/api/plugins/${name}); give the plugin another name`);
}

/** `patch` over `base`: null removes a member, and of `config` single members may be given. */
export function mergeEntry(base: JsonObject, patch: JsonObject): JsonObject {
  const merged: Record<string, Json | undefined> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    const before = merged[key];
    if (value === null) delete merged[key];
    else
      merged[key] = key === 'config' && isJsonObject(before) && isJsonObject(value) ? { ...before, ...value } : value;
  }
  return merged;
}

/** The members that have a value. */
export function statedOf<Members extends object>(members: Members | undefined): Partial<Members> {
  const entries = Object.entries(members ?? {}).filter(([, value]) => value !== undefined);
  // Filtering by value leaves each member's type.
  return Object.fromEntries(entries) as Partial<Members>;
}

/** Members of an entry that are the place's, not the candidate's. */
const placeMembers = ['placement', 'order', 'required', 'watch', 'rollback', 'probation_seconds'] as const;

/** Members in which the entries differ, but for those of the place. */
export function changesBeyondPlace(before: JsonObject, after: JsonObject): readonly string[] {
  const place: readonly string[] = placeMembers;
  const members = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...members].filter((name) => !place.includes(name) && !isDeepStrictEqual(before[name], after[name]));
}

/** A candidate's entry at the place of the plugin whose entry is `before`. */
export function inPlaceOf(before: JsonObject, candidate: JsonObject): JsonObject {
  const place = Object.fromEntries(placeMembers.map((member) => [member, before[member]]));
  return mergeEntry(candidate, statedOf(place) as JsonObject);
}
