/** Whether a schema is one that `validateJson` carries out in full. */
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import { describeKind, formatPath } from '../../../../config/problem.ts';
import type { ConfigProblem } from '../../../../config/problem.ts';
import { didYouMean, nearestWord } from '../../../../config/suggestion.ts';
import {
  isJsonSchema,
  knownKeywords,
  resolveReference,
  schemaKeywords,
  schemaListKeywords,
  schemaMapKeywords,
  unsupportedKeywords,
} from './keywords.ts';
import type { JsonSchema } from './keywords.ts';

const typeNames = ['null', 'boolean', 'object', 'array', 'number', 'integer', 'string'];
const maxDepth = 64;

type Steps = readonly (string | number)[];

/** Expected types of keywords that are not schemas. */
const shapes: Readonly<Record<string, (value: Json) => string | undefined>> = {
  type: (value) =>
    (Array.isArray(value) ? value : [value]).every((name) => typeNames.includes(String(name)))
      ? undefined
      : `one of ${typeNames.join(', ')}, or a list of them`,
  enum: (value) => (Array.isArray(value) ? undefined : 'a list of values'),
  required: (value) => (isStringList(value) ? undefined : 'a list of names'),
  dependentRequired: (value) =>
    isJsonObject(value) && Object.values(value).every(isStringList) ? undefined : 'a list of names for each name',
  pattern: (value) => (typeof value === 'string' && isPattern(value) ? undefined : 'a regular expression'),
  $ref: (value) => (typeof value === 'string' ? undefined : 'a string'),
  uniqueItems: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
  secret: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
  multipleOf: (value) => (typeof value === 'number' && value > 0 ? undefined : 'a number above 0'),
  ...Object.fromEntries(
    ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'].map((name) => [
      name,
      (value: Json) => (typeof value === 'number' ? undefined : 'a number'),
    ]),
  ),
  ...Object.fromEntries(
    [
      'minProperties',
      'maxProperties',
      'minContains',
      'maxContains',
      'minItems',
      'maxItems',
      'minLength',
      'maxLength',
    ].map((name) => [name, (value: Json) => (Number.isInteger(value) && Number(value) >= 0 ? undefined : 'a count')]),
  ),
};

function isStringList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u').source !== '';
  } catch {
    return false;
  }
}

class SchemaCheck {
  readonly problems: ConfigProblem[] = [];
  readonly #root: JsonSchema;

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  schema(value: unknown, steps: Steps): void {
    if (!isJsonSchema(value)) {
      this.#add(steps, `expected a schema (an object, true or false), got ${describeKind(value)}`);
      return;
    }
    if (typeof value === 'boolean') return;
    if (steps.length > maxDepth) {
      this.#add(steps, 'the schema is nested too deeply');
      return;
    }
    for (const [name, child] of Object.entries(value)) if (child !== undefined) this.#keyword(name, child, steps);
  }

  #add(steps: Steps, message: string): void {
    this.problems.push({ path: formatPath(steps), message });
  }

  #keyword(name: string, value: Json, above: Steps): void {
    const steps = [...above, name];
    if (unsupportedKeywords.includes(name)) {
      this.#add(steps, 'this keyword of JSON Schema is not supported here; write the schema without it');
    } else if ((schemaKeywords as readonly string[]).includes(name)) this.schema(value, steps);
    else if ((schemaListKeywords as readonly string[]).includes(name)) this.#list(value, steps);
    else if ((schemaMapKeywords as readonly string[]).includes(name)) this.#map(name, value, steps);
    else this.#plain(name, value, steps);
  }

  #list(value: Json, steps: Steps): void {
    if (Array.isArray(value) && value.length > 0) {
      value.forEach((item, index) => this.schema(item, [...steps, index]));
    } else this.#add(steps, `expected a list of schemas, got ${describeKind(value)}`);
  }

  #map(name: string, value: Json, steps: Steps): void {
    if (!isJsonObject(value)) {
      this.#add(steps, `expected an object of schemas, got ${describeKind(value)}`);
      return;
    }
    for (const [key, child] of Object.entries(value)) {
      if (name === 'patternProperties' && !isPattern(key)) this.#add([...steps, key], 'expected a regular expression');
      this.schema(child, [...steps, key]);
    }
  }

  #plain(name: string, value: Json, steps: Steps): void {
    const expected = shapes[name]?.(value);
    if (expected !== undefined) this.#add(steps, `expected ${expected}, got ${describeKind(value)}`);
    else if (name === '$ref' && typeof value === 'string' && resolveReference(this.#root, value) === undefined) {
      this.#add(steps, `leads nowhere: ${JSON.stringify(value)}; expected "#" or "#/$defs/name" within this schema`);
    } else if (!knownKeywords.includes(name) && nearestWord(name, knownKeywords) !== undefined) {
      // Other unknown keywords are annotations, as the standard has it.
      this.#add(steps, `unknown keyword${didYouMean(name, knownKeywords)}`);
    }
  }
}

/** What keeps `schema` from being carried out; paths begin with `at`. */
export function checkJsonSchema(schema: JsonObject, at: string): readonly ConfigProblem[] {
  const check = new SchemaCheck(schema);
  check.schema(schema, [at]);
  return check.problems;
}
