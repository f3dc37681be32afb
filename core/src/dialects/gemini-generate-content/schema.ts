import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import { camelCase } from './fields.ts';

/** Members of Google's Schema that hold schemas by name, one schema, or a list of them. */
const maps = ['properties', 'defs', '$defs'];
const singles = ['items', 'additionalProperties', 'not'];
const lists = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];
/** int64 fields, which proto JSON writes as strings. */
const counts = ['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'];
/** Google's names for members that JSON Schema calls otherwise. */
const renamed: Readonly<Record<string, string>> = { defs: '$defs', ref: '$ref', example: 'examples' };

/**
 * Google's Schema (an OpenAPI 3.0 subset: upper-case `type`, `nullable`, `propertyOrdering`, counts as strings, either spelling)
 * as JSON Schema, which every other dialect speaks. Key order is kept.
 */
export function toJsonSchema(schema: JsonObject): JsonObject {
  const converted: Record<string, Json> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (value === undefined) continue;
    const name = camelCase(key);
    if (name === 'nullable' || name === 'propertyOrdering') continue;
    converted[renamed[name] ?? name] = convertMember(name, value);
  }
  const isNullable = schema['nullable'] === true;
  if (isNullable && typeof converted['type'] === 'string') converted['type'] = [converted['type'], 'null'];
  if (isNullable && Array.isArray(converted['enum']) && !converted['enum'].includes(null)) {
    converted['enum'] = [...(converted['enum'] as readonly Json[]), null];
  }
  return converted;
}

function convertMember(name: string, value: Json): Json {
  if (name === 'type') return convertType(value);
  if (name === 'example') return [value];
  if (counts.includes(name) && typeof value === 'string' && Number.isSafeInteger(Number(value))) return Number(value);
  if (maps.includes(name) && isJsonObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, convertSchema(one as Json)]));
  }
  if (singles.includes(name)) return convertSchema(value);
  if (lists.includes(name) && Array.isArray(value)) return (value as readonly Json[]).map(convertSchema);
  return value;
}

function convertSchema(value: Json): Json {
  return isJsonObject(value) ? toJsonSchema(value) : value;
}

function convertType(value: Json): Json {
  if (typeof value === 'string') return value.toLowerCase();
  return Array.isArray(value) ? (value as readonly Json[]).map(convertType) : value;
}
