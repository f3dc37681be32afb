/** Checks a value against a schema, fills in defaults, and says what is wrong in the words of the configuration's messages. */
import { isDeepStrictEqual } from 'node:util';
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import { describeKind, formatPath } from '../../../../config/problem.ts';
import type { ConfigProblem } from '../../../../config/problem.ts';
import { didYouMean } from '../../../../config/suggestion.ts';
import { isJsonSchema, resolveReference } from './keywords.ts';
import type { JsonSchema } from './keywords.ts';
import { arrayProblems, scalarProblems } from './value-assertions.ts';
import { testPattern } from './test-pattern.ts';

export type ValidationResult = { readonly value: Json } | { readonly problems: readonly ConfigProblem[] };

type Steps = readonly (string | number)[];

/** Schemas within schemas and references, for one value: a schema that refers to itself ends here. */
const maxDepth = 256;
const maxProblems = 50;

interface Outcome {
  readonly value: Json;
  readonly problems: readonly ConfigProblem[];
}

function schemaOf(value: Json | undefined): JsonSchema | undefined {
  return isJsonSchema(value) ? value : undefined;
}

function schemasOf(value: Json | undefined): readonly JsonSchema[] {
  return Array.isArray(value) ? value.filter(isJsonSchema) : [];
}

function mapOf(value: Json | undefined): Readonly<Record<string, Json | undefined>> {
  return isJsonObject(value) ? value : {};
}

function namesOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}

class Validation {
  readonly #root: JsonSchema;

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  run(schema: JsonSchema, value: Json, steps: Steps, depth: number): Outcome {
    if (schema === true) return { value, problems: [] };
    if (schema === false) return { value, problems: [this.#problem(steps, 'must not be given')] };
    if (depth > maxDepth)
      return { value, problems: [this.#problem(steps, 'its schema refers to itself without an end')] };
    const own = scalarProblems(schema, value).map((message) => this.#problem(steps, message));
    // What is wrong in kind has no members to look at.
    if (own.length > 0) return { value, problems: own };
    let current = value;
    const problems: ConfigProblem[] = [];
    const apply = (outcome: Outcome): void => {
      current = outcome.value;
      problems.push(...outcome.problems.slice(0, maxProblems - problems.length));
    };
    const reference = typeof schema['$ref'] === 'string' ? resolveReference(this.#root, schema['$ref']) : undefined;
    if (reference !== undefined) apply(this.run(reference, current, steps, depth + 1));
    if (isJsonObject(current)) apply(this.#object(schema, current, steps, depth));
    if (Array.isArray(current)) apply(this.#array(schema, current as readonly Json[], steps, depth));
    for (const each of schemasOf(schema['allOf'])) apply(this.run(each, current, steps, depth + 1));
    problems.push(...this.#choices(schema, current, steps, depth));
    return { value: current, problems };
  }

  #problem(steps: Steps, message: string): ConfigProblem {
    return { path: formatPath(steps), message };
  }

  #fits(schema: JsonSchema, value: Json, depth: number): boolean {
    return this.run(schema, value, [], depth + 1).problems.length === 0;
  }

  #choices(schema: JsonObject, value: Json, steps: Steps, depth: number): readonly ConfigProblem[] {
    const problems: ConfigProblem[] = [];
    const [any, one] = [schemasOf(schema['anyOf']), schemasOf(schema['oneOf'])];
    if (any.length > 0 && !any.some((each) => this.#fits(each, value, depth))) {
      problems.push(...this.#nearest(any, value, steps, depth));
    }
    if (one.length > 0) {
      const count = one.filter((each) => this.#fits(each, value, depth)).length;
      if (count === 0) problems.push(...this.#nearest(one, value, steps, depth));
      if (count > 1) problems.push(this.#problem(steps, `fits ${count} of its alternatives, and must fit one only`));
    }
    const not = schemaOf(schema['not']);
    if (not !== undefined && this.#fits(not, value, depth)) {
      problems.push(this.#problem(steps, 'is what the schema excludes (`not`)'));
    }
    const condition = schemaOf(schema['if']);
    if (condition !== undefined) {
      const branch = schemaOf(schema[this.#fits(condition, value, depth) ? 'then' : 'else']);
      if (branch !== undefined) problems.push(...this.run(branch, value, steps, depth + 1).problems);
    }
    return problems;
  }

  /** Of several alternatives, the problems of the one that the value was most likely meant to be. */
  #nearest(schemas: readonly JsonSchema[], value: Json, steps: Steps, depth: number): readonly ConfigProblem[] {
    const outcomes = schemas.map((each) => this.run(each, value, steps, depth + 1).problems);
    const own = formatPath(steps);
    const inside = outcomes.filter((problems) => problems.every(({ path }) => path !== own));
    const [only] = inside;
    if (inside.length === 1 && only !== undefined) return only;
    const expected = outcomes.map((problems) => problems[0]?.message.replace(/^expected (.*), got .*$/, '$1') ?? '');
    const isSimple = outcomes.every(
      (problems) => problems[0]?.path === own && problems[0].message.startsWith('expected '),
    );
    const message = isSimple
      ? `expected ${[...new Set(expected)].join(' or ')}, got ${describeKind(value)}`
      : `fits none of its ${schemas.length} alternatives`;
    return [this.#problem(steps, message)];
  }

  #object(schema: JsonObject, value: JsonObject, steps: Steps, depth: number): Outcome {
    const properties = mapOf(schema['properties']);
    const result: Record<string, Json | undefined> = { ...value };
    const problems: ConfigProblem[] = [];
    for (const [name, child] of Object.entries(properties)) {
      const isMissing = !Object.hasOwn(result, name) || result[name] === undefined;
      if (isMissing && isJsonObject(child) && child['default'] !== undefined) result[name] = child['default'];
    }
    for (const name of namesOf(schema['required'])) {
      if (Object.hasOwn(result, name) && result[name] !== undefined) continue;
      const description = isJsonObject(properties[name]) ? properties[name]['description'] : undefined;
      const what = typeof description === 'string' ? ` (${description})` : '';
      problems.push(this.#problem([...steps, name], `is missing${what}`));
    }
    for (const [name, needs] of Object.entries(mapOf(schema['dependentRequired']))) {
      if (!Object.hasOwn(result, name)) continue;
      for (const need of namesOf(needs).filter((each) => !Object.hasOwn(result, each))) {
        problems.push(this.#problem([...steps, need], `is missing; ${name} needs it`));
      }
    }
    for (const [name, member] of Object.entries(result)) {
      if (member === undefined) continue;
      const outcome = this.#member(schema, name, member, { steps: [...steps, name], depth });
      // A name such as __proto__ must become a member, not a prototype.
      Object.defineProperty(result, name, {
        value: outcome.value,
        enumerable: true,
        writable: true,
        configurable: true,
      });
      problems.push(...outcome.problems);
    }
    problems.push(...this.#wholeObject(schema, result, steps, depth));
    return { value: result, problems };
  }

  #member(
    schema: JsonObject,
    name: string,
    value: Json,
    at: { readonly steps: Steps; readonly depth: number },
  ): Outcome {
    const properties = mapOf(schema['properties']);
    const patterns = Object.entries(mapOf(schema['patternProperties']));
    const matching = patterns.filter(([pattern]) => testPattern(pattern, name) === true).map(([, child]) => child);
    const own = Object.hasOwn(properties, name) ? [properties[name]] : [];
    const schemas = [...own, ...matching].map(schemaOf).filter((each) => each !== undefined);
    const problems: ConfigProblem[] = [];
    const names = schemaOf(schema['propertyNames']);
    if (names !== undefined && !this.#fits(names, name, at.depth)) {
      problems.push(this.#problem(at.steps, 'is a name that is not allowed here'));
    }
    const rest = schemaOf(schema['additionalProperties']);
    if (schemas.length === 0 && rest === false) {
      problems.push(this.#problem(at.steps, `unknown key${didYouMean(name, Object.keys(properties))}`));
      return { value, problems };
    }
    if (schemas.length === 0 && rest !== undefined) schemas.push(rest);
    let current = value;
    for (const each of schemas) {
      const outcome = this.run(each, current, at.steps, at.depth + 1);
      current = outcome.value;
      problems.push(...outcome.problems);
    }
    return { value: current, problems };
  }

  #wholeObject(schema: JsonObject, value: JsonObject, steps: Steps, depth: number): readonly ConfigProblem[] {
    const count = Object.keys(value).length;
    const problems: ConfigProblem[] = [];
    const [least, most] = [schema['minProperties'], schema['maxProperties']];
    if (typeof least === 'number' && count < least)
      problems.push(this.#problem(steps, `has ${count} members; expected at least ${least}`));
    if (typeof most === 'number' && count > most)
      problems.push(this.#problem(steps, `has ${count} members; expected at most ${most}`));
    for (const [name, child] of Object.entries(mapOf(schema['dependentSchemas']))) {
      const dependent = schemaOf(child);
      if (dependent === undefined || !Object.hasOwn(value, name)) continue;
      problems.push(...this.run(dependent, value, steps, depth + 1).problems);
    }
    return problems;
  }

  #array(schema: JsonObject, value: readonly Json[], steps: Steps, depth: number): Outcome {
    const problems = arrayProblems(schema, value, isDeepStrictEqual).map((message) => this.#problem(steps, message));
    const first = schemasOf(schema['prefixItems']);
    const rest = schemaOf(schema['items']) ?? true;
    const items = value.map((item, index) => {
      const outcome = this.run(first[index] ?? rest, item, [...steps, index], depth + 1);
      if (problems.length < maxProblems) problems.push(...outcome.problems);
      return outcome.value;
    });
    const contains = schemaOf(schema['contains']);
    if (contains !== undefined) {
      const count = value.filter((item) => this.#fits(contains, item, depth)).length;
      const least = typeof schema['minContains'] === 'number' ? schema['minContains'] : 1;
      const most = typeof schema['maxContains'] === 'number' ? schema['maxContains'] : Infinity;
      if (count < least || count > most) {
        const range = most === Infinity ? `at least ${least}` : `${least} to ${most}`;
        problems.push(this.#problem(steps, `has ${count} of the items that the schema asks for; expected ${range}`));
      }
    }
    return { value: items, problems };
  }
}

/** Checks `value`; paths begin with `at` (`config.limits[1].max`). `schema` is one that `checkJsonSchema` has passed. */
export function validateJson(schema: JsonSchema, value: Json, at: string): ValidationResult {
  const outcome = new Validation(schema).run(schema, value, [at], 0);
  return outcome.problems.length === 0
    ? { value: outcome.value }
    : { problems: outcome.problems.slice(0, maxProblems) };
}
