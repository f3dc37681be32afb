import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseGoDuration } from './duration.ts';
import { toConfigJsonSchema } from './file-schema.ts';
import { parseJsonText } from './json-text.ts';
import { formatPath } from './problem.ts';
import { nearestWord } from './suggestion.ts';

describe('Go durations', () => {
  it.each([
    ['500ms', 500],
    ['1.5s', 1500],
    ['1h2m3s', 3_723_000],
    ['100us', 0.1],
    ['.5s', 500],
    ['0', 0],
    ['-2s', -2000],
    ['5', undefined],
    ['5 s', undefined],
    ['s', undefined],
    ['', undefined],
  ])('%s is %s ms', (text, expected) => {
    expect(parseGoDuration(text)).toBe(expected);
  });
});

describe('JSON text', () => {
  it('names line and column of any one character that breaks it, or says that the end is missing', () => {
    const text = JSON.stringify({ client: { a: [1, 2], b: 'text' }, c: null }, null, 2);
    fc.assert(
      fc.property(fc.nat(text.length - 1), (index) => {
        const broken = `${text.slice(0, index)}\u0001${text.slice(index)}`;
        const result = parseJsonText(broken);
        if (!('error' in result)) throw new Error('a control character was taken');
        const before = broken.slice(0, index);
        expect(result.position.line).toBe(before.split('\n').length);
        // Inside `null` or a number the whole word is at fault.
        const column = index - before.lastIndexOf('\n');
        expect(result.position.column).toBeLessThanOrEqual(column);
        expect(result.position.column).toBeGreaterThan(column - 4);
      }),
      { numRuns: 60 },
    );
  });

  it('blames the end where the end is missing, at any cut', () => {
    const text = JSON.stringify({ client: { a: [1, true], b: 'te\\xt' }, c: null });
    for (let cut = 1; cut < text.length; cut++) {
      const result = parseJsonText(text.slice(0, cut));
      if (!('error' in result)) throw new Error('half a text was taken');
      expect(result.position.column).toBeGreaterThan(cut - 5);
    }
  });

  it('never quotes the text', () => {
    const result = parseJsonText('{"value": "sk-secret" x}');
    expect('error' in result && result.error).not.toContain('sk-secret');
  });
});

describe('suggestions', () => {
  it('finds what one slip of the keyboard turned into something else', () => {
    const words = ['drop_excess_requests', 'allowed_origins', 'providers', 'blacklisted_models'];
    fc.assert(
      fc.property(fc.constantFrom(...words), fc.nat(), fc.constantFrom('drop', 'double', 'swap'), (word, at, slip) => {
        const index = at % (word.length - 1);
        const [before, after] = [word.slice(0, index), word.slice(index)];
        const slips = {
          drop: before + after.slice(1),
          double: before + (after[0] ?? '') + after,
          swap: before + (after[1] ?? '') + (after[0] ?? '') + after.slice(2),
        };
        expect(nearestWord(slips[slip as 'drop'], words)).toBe(word);
      }),
    );
  });

  it('is silent about words that are far from all', () => {
    expect(nearestWord('banana', ['weight', 'models'])).toBeUndefined();
  });
});

it('writes paths as people read them', () => {
  expect(formatPath(['providers', 'my provider', 'keys', 0, 'weight'])).toBe('providers["my provider"].keys[0].weight');
});

it('describes itself as a JSON Schema', () => {
  const schema = toConfigJsonSchema() as { properties: Record<string, unknown>; additionalProperties: unknown };
  expect(schema.additionalProperties).toBe(false);
  expect(Object.keys(schema.properties)).toEqual(
    expect.arrayContaining(['client', 'providers', 'plugins', 'governance']),
  );
});
