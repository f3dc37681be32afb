/** Keywords of JSON Schema that look at one value alone: type, choice, range, length, pattern, format. */
import { isDeepStrictEqual } from 'node:util';
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import { describeKind } from '../../../../config/problem.ts';
import { didYouMean } from '../../../../config/suggestion.ts';
import { testPattern } from './test-pattern.ts';

const typeNames: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'true or false',
  object: 'an object',
  array: 'an array',
  number: 'a number',
  integer: 'a whole number',
  string: 'a string',
};

function isOfType(value: Json, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'object':
      return isJsonObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function choiceProblem(schema: JsonObject, value: Json): string | undefined {
  const { enum: choices, const: only } = schema;
  if (only !== undefined && !isDeepStrictEqual(value, only))
    return `expected ${JSON.stringify(only)}, got ${describeKind(value)}`;
  if (!Array.isArray(choices) || choices.some((choice) => isDeepStrictEqual(choice, value))) return undefined;
  const words = choices.filter((choice) => typeof choice === 'string');
  const hint = typeof value === 'string' ? didYouMean(value, words) : '';
  return `expected one of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}, got ${describeKind(value)}${hint}`;
}

function numberProblem(schema: JsonObject, value: number): string | undefined {
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below, multipleOf: step } = schema;
  if (typeof minimum === 'number' && value < minimum) return `expected at least ${minimum}, got ${value}`;
  if (typeof maximum === 'number' && value > maximum) return `expected at most ${maximum}, got ${value}`;
  if (typeof above === 'number' && value <= above) return `expected more than ${above}, got ${value}`;
  if (typeof below === 'number' && value >= below) return `expected less than ${below}, got ${value}`;
  if (typeof step !== 'number') return undefined;
  // 0.3 / 0.1 is not 3 in binary: a multiple is what is near one.
  const quotient = value / step;
  const isMultiple = Math.abs(quotient - Math.round(quotient)) <= Math.abs(quotient) * Number.EPSILON * 4;
  return isMultiple ? undefined : `expected a multiple of ${step}, got ${value}`;
}

function stringProblem(schema: JsonObject, value: string): string | undefined {
  const { minLength, maxLength, pattern, format } = schema;
  if (typeof minLength === 'number' || typeof maxLength === 'number') {
    // JSON Schema counts code points.
    const length = Array.from(value).length;
    if (typeof minLength === 'number' && length < minLength) {
      return minLength === 1
        ? 'expected a string that is not empty'
        : `expected at least ${minLength} characters, got ${length}`;
    }
    if (typeof maxLength === 'number' && length > maxLength)
      return `expected at most ${maxLength} characters, got ${length}`;
  }
  if (typeof pattern === 'string') {
    const isMatch = testPattern(pattern, value);
    if (isMatch === undefined) return `could not be compared with the pattern ${pattern} in time`;
    if (!isMatch) return `expected a string that matches ${pattern}, got another one`;
  }
  if (format === 'uri' && !URL.canParse(value)) return 'expected an absolute URL, got another string';
  return undefined;
}

/** What is wrong with the value as a whole: at most one message, since the first makes the others moot. */
export function scalarProblems(schema: JsonObject, value: Json): readonly string[] {
  const { type } = schema;
  if (type !== undefined) {
    const types = (Array.isArray(type) ? type : [type]).map(String);
    if (!types.some((each) => isOfType(value, each))) {
      const expected = types.map((each) => typeNames[each] ?? each).join(' or ');
      return [`expected ${expected}, got ${describeKind(value)}`];
    }
  }
  let problem = choiceProblem(schema, value);
  if (typeof value === 'number') problem ??= numberProblem(schema, value);
  if (typeof value === 'string') problem ??= stringProblem(schema, value);
  return problem === undefined ? [] : [problem];
}

/** What is wrong with an array's length or with equal items. */
export function arrayProblems(
  schema: JsonObject,
  value: readonly Json[],
  isEqual: (a: Json, b: Json) => boolean,
): string[] {
  const { minItems, maxItems, uniqueItems } = schema;
  const problems: string[] = [];
  if (typeof minItems === 'number' && value.length < minItems)
    problems.push(`has ${value.length} items; expected at least ${minItems}`);
  if (typeof maxItems === 'number' && value.length > maxItems)
    problems.push(`has ${value.length} items; expected at most ${maxItems}`);
  if (uniqueItems === true) {
    const twice = value.findIndex((item, index) => value.slice(0, index).some((earlier) => isEqual(earlier, item)));
    if (twice !== -1) problems.push(`has item ${twice} twice; expected all to differ`);
  }
  return problems;
}
