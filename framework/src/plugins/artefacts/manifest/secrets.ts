/**
 * Fields of a config that its schema marks with `"secret": true`: hidden wherever the config is shown, and put back when a
 * caller returns what it was shown.
 */
import { isDeepStrictEqual } from 'node:util';
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import { formatPath } from '../../../config/problem.ts';
import { isJsonSchema, resolveReference } from './json-schema/keywords.ts';
import type { JsonSchema } from './json-schema/keywords.ts';
import { testPattern } from './json-schema/test-pattern.ts';

/** What stands in the place of a secret. */
export const secretMask = '********';

const maxDepth = 64;

type Step = string | number;

/** Every schema that may speak about the value that `schema` speaks about: also those of alternatives and conditions. */
function relatedSchemas(root: JsonSchema, schema: JsonSchema): readonly JsonObject[] {
  const found = new Set<JsonObject>();
  const visit = (each: unknown): void => {
    if (!isJsonSchema(each) || typeof each === 'boolean' || found.has(each)) return;
    found.add(each);
    if (typeof each['$ref'] === 'string') visit(resolveReference(root, each['$ref']));
    for (const name of ['allOf', 'anyOf', 'oneOf']) if (Array.isArray(each[name])) each[name].forEach(visit);
    for (const name of ['if', 'then', 'else']) visit(each[name]);
    if (isJsonObject(each['dependentSchemas'])) Object.values(each['dependentSchemas']).forEach(visit);
  };
  visit(schema);
  return [...found];
}

function memberSchemas(schema: JsonObject, name: string): readonly unknown[] {
  const { properties, patternProperties, additionalProperties } = schema;
  const own = isJsonObject(properties) && Object.hasOwn(properties, name) ? [properties[name]] : [];
  const patterns = isJsonObject(patternProperties) ? Object.entries(patternProperties) : [];
  const matching = patterns.filter(([pattern]) => testPattern(pattern, name) !== false).map(([, child]) => child);
  return own.length + matching.length > 0 ? [...own, ...matching] : [additionalProperties];
}

function itemSchemas(schema: JsonObject, index: number): readonly unknown[] {
  const { prefixItems, items, contains } = schema;
  const first: unknown = Array.isArray(prefixItems) ? prefixItems[index] : undefined;
  return [first ?? items, contains];
}

type Change = (value: Json, steps: readonly Step[]) => Json;

/** Rebuilds `value` with every secret in it changed. */
class SecretWalk {
  readonly #root: JsonSchema;
  readonly #change: Change;

  constructor(root: JsonSchema, change: Change) {
    this.#root = root;
    this.#change = change;
  }

  run(schemas: readonly unknown[], value: Json, steps: readonly Step[]): Json {
    const related = schemas.filter(isJsonSchema).flatMap((schema) => relatedSchemas(this.#root, schema));
    if (related.some((schema) => schema['secret'] === true)) return this.#change(value, steps);
    if (related.length === 0 || steps.length > maxDepth) return value;
    if (Array.isArray(value)) {
      return (value as readonly Json[]).map((item, index) =>
        this.run(
          related.flatMap((schema) => itemSchemas(schema, index)),
          item,
          [...steps, index],
        ),
      );
    }
    if (!isJsonObject(value)) return value;
    const entries = Object.entries(value).map(([name, member]) => {
      const children = related.flatMap((schema) => memberSchemas(schema, name));
      return [name, member === undefined ? undefined : this.run(children, member, [...steps, name])] as const;
    });
    return Object.fromEntries(entries);
  }
}

/** A reference to the environment is no secret: it says where one is. */
function isReference(value: Json): boolean {
  return typeof value === 'string' && /^env\.[A-Za-z_][A-Za-z0-9_]*$/.test(value);
}

/** `config` with a mask in the place of every secret; an empty string, null and `env.NAME` stay as they are. */
export function maskSecrets(config: JsonObject, schema: JsonObject): JsonObject {
  const mask: Change = (value) => (value === '' || value === null || isReference(value) ? value : secretMask);
  // A walk over an object gives an object.
  return new SecretWalk(schema, mask).run([schema], config, []) as JsonObject;
}

export interface RestoredConfig {
  readonly config: JsonObject;
  /** Paths of secrets that are masked and were not in the stored config: they have to be given. */
  readonly missing: readonly string[];
}

function valueAt(root: Json | undefined, steps: readonly Step[]): Json | undefined {
  let value = root;
  for (const step of steps) {
    if (Array.isArray(value)) value = (value as readonly Json[])[Number(step)];
    else if (isJsonObject(value) && Object.hasOwn(value, step)) value = value[String(step)];
    else return undefined;
  }
  return value;
}

interface Stored {
  readonly value: Json | undefined;
  /** As it was shown. */
  readonly masked: Json | undefined;
}

/**
 * Where in the stored config the same thing stands as at `steps` of the given one. Items of lists may have moved: one counts as the
 * same when it was shown exactly so, or when it stands where it stood in a list of the same length. Another place is another
 * thing: a secret must not reach an item that it was not given for.
 */
function counterpart(given: Json, stored: Stored, steps: readonly Step[]): Json | undefined {
  let [from, have, shown]: [Json | undefined, Json | undefined, Json | undefined] = [
    given,
    stored.value,
    stored.masked,
  ];
  for (const step of steps) {
    const next = valueAt(from, [step]);
    let source: Step = step;
    if (Array.isArray(from) && Array.isArray(shown) && !isDeepStrictEqual(shown[Number(step)], next)) {
      const exact = shown.findIndex((item) => isDeepStrictEqual(item, next));
      if (exact === -1 && shown.length !== from.length) return undefined;
      if (exact !== -1) source = exact;
    }
    [from, have, shown] = [next, valueAt(have, [source]), valueAt(shown, [source])];
  }
  return have;
}

/** `given` (as a caller sends it back) with every mask replaced by the secret of `stored` that it stands for. */
export function restoreSecrets(given: JsonObject, stored: JsonObject, schema: JsonObject): RestoredConfig {
  const missing: string[] = [];
  const before: Stored = { value: stored, masked: maskSecrets(stored, schema) };
  const restore: Change = (value, steps) => {
    if (value !== secretMask) return value;
    const secret = counterpart(given, before, steps);
    if (secret === undefined || secret === secretMask) {
      missing.push(formatPath(['config', ...steps]));
      return value;
    }
    return secret;
  };
  return { config: new SecretWalk(schema, restore).run([schema], given, []) as JsonObject, missing };
}
