/**
 * The part of JSON Schema 2020-12 that manifests' config schemas are held to. Written here and not taken from a library: a schema
 * comes with a plugin that nobody may trust yet, so no code is made of it, its regular expressions have a deadline, and its
 * references stay inside it; and messages have to name paths and suggest what was meant.
 */
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';

/** Keywords whose value is a schema. */
export const schemaKeywords = [
  'additionalProperties',
  'propertyNames',
  'items',
  'contains',
  'not',
  'if',
  'then',
  'else',
] as const;

/** Keywords whose value is a list of schemas. */
export const schemaListKeywords = ['prefixItems', 'allOf', 'anyOf', 'oneOf'] as const;

/** Keywords whose value has a schema for each name. */
export const schemaMapKeywords = [
  'properties',
  'patternProperties',
  'dependentSchemas',
  '$defs',
  'definitions',
] as const;

const assertions = [
  'type',
  'enum',
  'const',
  'required',
  'minProperties',
  'maxProperties',
  'dependentRequired',
  'minContains',
  'maxContains',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'format',
];

const annotations = [
  '$schema',
  '$id',
  '$comment',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'contentEncoding',
  'contentMediaType',
  // Ours: the field is masked wherever a config is shown.
  'secret',
];

/** All that is known, for suggestions. */
export const knownKeywords: readonly string[] = [
  ...schemaKeywords,
  ...schemaListKeywords,
  ...schemaMapKeywords,
  ...assertions,
  ...annotations,
  '$ref',
];

/** Keywords that mean something in 2020-12 and are not carried out here: to ignore them would let through what they forbid. */
export const unsupportedKeywords: readonly string[] = [
  '$dynamicRef',
  '$dynamicAnchor',
  '$recursiveRef',
  '$anchor',
  '$vocabulary',
  'unevaluatedProperties',
  'unevaluatedItems',
];

/** A schema is an object, or true (anything) or false (nothing). */
export type JsonSchema = JsonObject | boolean;

export function isJsonSchema(value: unknown): value is JsonSchema {
  return typeof value === 'boolean' || isJsonObject(value);
}

/** The schema that a local reference (`#`, `#/$defs/name`) names; undefined for one that leads nowhere or out of `root`. */
export function resolveReference(root: JsonSchema, reference: string): JsonSchema | undefined {
  if (reference !== '#' && !reference.startsWith('#/')) return undefined;
  let value: Json | undefined = root;
  for (const step of reference.split('/').slice(1)) {
    const key = decodePointer(step);
    if (key === undefined) return undefined;
    if (Array.isArray(value)) value = (value as readonly Json[])[Number(key)];
    else if (isJsonObject(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return isJsonSchema(value) ? value : undefined;
}

function decodePointer(step: string): string | undefined {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    // A percent sign that is none of an escape.
    return undefined;
  }
}
