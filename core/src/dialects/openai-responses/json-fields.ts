/** Typed reads of JSON members: the value where it has the wanted type, undefined otherwise. */
import type { Json, JsonObject } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';

/** A string member. */
export function stringField(source: JsonObject, key: string): string | undefined {
  const value = source[key];
  return typeof value === 'string' ? value : undefined;
}

/** A number member. */
export function numberField(source: JsonObject, key: string): number | undefined {
  const value = source[key];
  return typeof value === 'number' ? value : undefined;
}

/** A boolean member. */
export function booleanField(source: JsonObject, key: string): boolean | undefined {
  const value = source[key];
  return typeof value === 'boolean' ? value : undefined;
}

/** A list member. */
export function listField(source: JsonObject, key: string): readonly Json[] | undefined {
  const value = source[key];
  return Array.isArray(value) ? (value as readonly Json[]) : undefined;
}

/** An object member. */
export function objectField(source: JsonObject, key: string): JsonObject | undefined {
  const value = source[key];
  return isJsonObject(value) ? value : undefined;
}
