/* oxlint-disable unicorn/no-thenable -- `then` is a keyword of JSON Schema */
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Json, JsonObject } from '@bifrost/sdk';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { checkJsonSchema } from './check-json-schema.ts';
import { testPattern } from './test-pattern.ts';
import { validateJson } from './validate-json.ts';

/** `path: message` of each problem; none for a value that fits. */
function problemsOf(schema: JsonObject, value: Json): readonly string[] {
  expect(checkJsonSchema(schema, 'configSchema')).toEqual([]);
  const result = validateJson(schema, value, 'config');
  return 'problems' in result ? result.problems.map(({ path, message }) => `${path}: ${message}`) : [];
}

const limits: JsonObject = {
  type: 'object',
  additionalProperties: false,
  required: ['url'],
  properties: {
    url: { type: 'string', format: 'uri', description: 'where the log goes' },
    level: { enum: ['low', 'high'], default: 'low' },
    limits: {
      type: 'array',
      minItems: 1,
      items: { type: 'object', required: ['max'], properties: { max: { type: 'integer', minimum: 1 } } },
    },
    nested: { type: 'object', properties: { on: { type: 'boolean', default: true } } },
    token: { type: 'string', minLength: 1, secret: true },
  },
};

describe('a config that does not fit', () => {
  it('has every problem at once, each with its path', () => {
    const value = {
      urll: 'https://a.example',
      level: 'hihg',
      limits: [{ max: 1 }, { max: 'x' }, { max: 0 }, {}],
      token: '',
    };
    expect(problemsOf(limits, value)).toEqual([
      'config.url: is missing (where the log goes)',
      'config.urll: unknown key; did you mean "url"?',
      'config.level: expected one of "low", "high", got a string; did you mean "high"?',
      'config.limits[1].max: expected a whole number, got a string',
      'config.limits[2].max: expected at least 1, got 0',
      'config.limits[3].max: is missing',
      'config.token: expected a string that is not empty',
    ]);
  });

  it('never shows a value that may be a secret', () => {
    const schema = { properties: { token: { type: 'string', pattern: '^sk-', maxLength: 3, secret: true } } };
    expect(problemsOf(schema, { token: 'hunter2hunter2' }).join()).not.toContain('hunter2');
  });

  it.each<[string, JsonObject, Json, string]>([
    ['a wrong type', { type: ['string', 'null'] }, 5, 'config: expected a string or null, got the number 5'],
    ['another constant', { const: 'v1' }, 'v2', 'config: expected "v1", got a string'],
    ['a number out of range', { exclusiveMaximum: 1 }, 1, 'config: expected less than 1, got 1'],
    ['no multiple', { multipleOf: 5 }, 7, 'config: expected a multiple of 5, got 7'],
    ['a list too short', { minItems: 2 }, [1], 'config: has 1 items; expected at least 2'],
    ['equal items', { uniqueItems: true }, [{ a: 1 }, { a: 1 }], 'config: has item 1 twice; expected all to differ'],
    ['no URL', { format: 'uri' }, 'a b', 'config: expected an absolute URL, got another string'],
    [
      'a string for one of two',
      { anyOf: [{ type: 'number' }, { type: 'boolean' }] },
      'x',
      'config: expected a number or true or false, got a string',
    ],
    [
      'an object that was meant for the second choice',
      { oneOf: [{ type: 'string' }, { type: 'object', required: ['a'] }] },
      {},
      'config.a: is missing',
    ],
    [
      'both of two',
      { oneOf: [{ type: 'number' }, { minimum: 0 }] },
      1,
      'config: fits 2 of its alternatives, and must fit one only',
    ],
    ['what is excluded', { not: { const: 1 } }, 1, 'config: is what the schema excludes (`not`)'],
    [
      'the branch of a condition',
      { if: { properties: { a: { const: 1 } }, required: ['a'] }, then: { required: ['b'] } },
      { a: 1 },
      'config.b: is missing',
    ],
    ['a member that another needs', { dependentRequired: { a: ['b'] } }, { a: 1 }, 'config.b: is missing; a needs it'],
    ['a member that is forbidden', { properties: { a: false } }, { a: 1 }, 'config.a: must not be given'],
    ['a name', { propertyNames: { pattern: '^a' } }, { b: 1 }, 'config.b: is a name that is not allowed here'],
    [
      'a reference',
      { $defs: { n: { type: 'number' } }, properties: { a: { $ref: '#/$defs/n' } } },
      { a: 'x' },
      'config.a: expected a number, got a string',
    ],
    [
      'too few of what a list has to contain',
      { contains: { const: 1 }, minContains: 2 },
      [1, 2],
      'config: has 1 of the items that the schema asks for; expected at least 2',
    ],
  ])('is told for %s', (_what, schema, value, message) => {
    expect(problemsOf(schema, value)).toContain(message);
  });
});

describe('a config that fits', () => {
  it('gets the defaults of its schema, also in objects that are there', () => {
    const value = { url: 'https://a.example', nested: {} };
    expect(validateJson(limits, value, 'config')).toEqual({
      value: { url: 'https://a.example', nested: { on: true }, level: 'low' },
    });
    expect(value).toEqual({ url: 'https://a.example', nested: {} });
  });

  it('may have a member called __proto__ without changing a prototype', () => {
    const value = JSON.parse('{"__proto__": {"a": 1}}') as JsonObject;
    const result = validateJson({ additionalProperties: { type: 'object' } }, value, 'config');
    expect(JSON.stringify(result)).toBe('{"value":{"__proto__":{"a":1}}}');
    expect(({} as Record<string, unknown>)['a']).toBeUndefined();
  });
});

describe('a schema', () => {
  it.each<[string, JsonObject, string]>([
    [
      'with a keyword that is not carried out',
      { unevaluatedProperties: false },
      'configSchema.unevaluatedProperties: this keyword',
    ],
    ['with a misspelt keyword', { requird: ['a'] }, 'configSchema.requird: unknown keyword; did you mean "required"?'],
    [
      'with a type that is none',
      { properties: { a: { type: 'int' } } },
      'configSchema.properties.a.type: expected one of null, boolean',
    ],
    ['with a reference out of it', { $ref: 'https://example.com/s.json' }, 'configSchema.$ref: leads nowhere'],
    ['with a reference to nothing', { $ref: '#/$defs/a' }, 'configSchema.$ref: leads nowhere'],
    ['with a broken pattern', { pattern: '(' }, 'configSchema.pattern: expected a regular expression'],
    [
      'with a list for a schema',
      { items: [] },
      'configSchema.items: expected a schema (an object, true or false), got an array',
    ],
    ['with an object for a list', { anyOf: {} }, 'configSchema.anyOf: expected a list of schemas, got an object'],
    ['with a count that is none', { minLength: -1 }, 'configSchema.minLength: expected a count'],
  ])('%s is refused', (_what, schema, message) => {
    expect(
      checkJsonSchema(schema, 'configSchema')
        .map(({ path, message: text }) => `${path}: ${text}`)
        .join(),
    ).toContain(message);
  });

  it('may have members of its own, such as x-order', () => {
    expect(checkJsonSchema({ 'x-order': 1, properties: { a: { markdownDescription: 'b' } } }, 's')).toEqual([]);
  });

  it('that refers to itself without an end ends', () => {
    expect(problemsOf({ $ref: '#' }, 1)).toEqual(['config: its schema refers to itself without an end']);
    expect(problemsOf({ type: 'object', additionalProperties: { $ref: '#' } }, { a: { b: {} } })).toEqual([]);
  });

  it('with a pattern that takes for ever is cut short', () => {
    expect(testPattern('^(a+)+$', `${'a'.repeat(40)}b`)).toBeUndefined();
    expect(problemsOf({ pattern: '^(a+)+$' }, `${'a'.repeat(40)}b`)).toEqual([
      'config: could not be compared with the pattern ^(a+)+$ in time',
    ]);
    expect(testPattern('^a', 'ab')).toBe(true);
  });
});

describe('next to another validator', () => {
  const scalar = fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.integer({ min: -3, max: 6 }),
    fc.constantFrom('', 'a', 'ab', 'b'),
  );
  const { json } = fc.letrec<{ json: Json }>((tie) => ({
    json: fc.oneof(
      { depthSize: 'small' },
      scalar,
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('json'), { maxKeys: 3 }),
    ),
  }));
  const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 2 });
  const count = fc.integer({ min: 0, max: 3 });
  const type = fc.constantFrom('null', 'boolean', 'object', 'array', 'number', 'integer', 'string');
  const { schema } = fc.letrec<{ schema: Json }>((tie) => {
    const some = fc.array(tie('schema'), { minLength: 1, maxLength: 2 });
    const map = fc.dictionary(fc.constantFrom('a', 'b'), tie('schema'), { maxKeys: 2 });
    const keywords = fc.record(
      {
        type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 2 })),
        enum: fc.uniqueArray(scalar, { minLength: 1, maxLength: 3 }),
        const: scalar,
        minimum: fc.integer({ min: -2, max: 3 }),
        exclusiveMaximum: fc.integer({ min: 0, max: 5 }),
        multipleOf: fc.integer({ min: 1, max: 3 }),
        minLength: count,
        maxLength: count,
        pattern: fc.constantFrom('^a', 'b$', '^$'),
        required: names,
        minProperties: count,
        maxProperties: count,
        dependentRequired: fc.dictionary(fc.constantFrom('a', 'b'), names, { maxKeys: 1 }),
        dependentSchemas: map,
        properties: map,
        patternProperties: fc.dictionary(fc.constantFrom('^a', 'c'), tie('schema'), { maxKeys: 1 }),
        additionalProperties: tie('schema'),
        propertyNames: fc.record({ pattern: fc.constantFrom('^[ab]', 'c') }),
        prefixItems: some,
        items: tie('schema'),
        contains: tie('schema'),
        minItems: count,
        maxItems: count,
        uniqueItems: fc.boolean(),
        allOf: some,
        anyOf: some,
        oneOf: some,
        not: tie('schema'),
        if: tie('schema'),
        then: tie('schema'),
        else: tie('schema'),
        $ref: fc.constantFrom('#/$defs/x', '#/$defs/y'),
      },
      { requiredKeys: [] },
    );
    // Few keywords at a time, else hardly a value fits.
    const few = keywords.chain((all) =>
      fc
        .subarray(Object.keys(all), { maxLength: 3 })
        .map((kept) => Object.fromEntries(Object.entries(all).filter(([key]) => kept.includes(key))) as JsonObject),
    );
    return { schema: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.boolean(), few) };
  });

  it('says the same of every value and schema', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: false });
    const seen = { fits: 0, fails: 0 };
    fc.assert(
      fc.property(schema, json, (inner, value) => {
        const whole: JsonObject = { $defs: { x: { type: 'string' }, y: { minimum: 2 } }, allOf: [inner] };
        const isValid = ajv.compile(whole)(value) as boolean;
        expect(checkJsonSchema(whole, 's')).toEqual([]);
        const result = validateJson(whole, value, 'config');
        expect('value' in result).toBe(isValid);
        seen[isValid ? 'fits' : 'fails'] += 1;
      }),
      { numRuns: 300 },
    );
    expect(Math.min(seen.fits, seen.fails)).toBeGreaterThan(25);
  });
});
