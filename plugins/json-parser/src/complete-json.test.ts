import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { completeJson } from './complete-json.ts';

/** True where `part` can be a beginning of `whole`: same values up to what is missing or cut off at the end. */
function isBeginning(part: unknown, whole: unknown): boolean {
  if (typeof part === 'string' && typeof whole === 'string') return whole.startsWith(part);
  if (typeof part === 'number' && typeof whole === 'number') return true;
  if (Array.isArray(part) && Array.isArray(whole)) {
    return part.length <= whole.length && part.every((value, index) => isBeginning(value, whole[index]));
  }
  if (typeof part === 'object' && part !== null && typeof whole === 'object' && whole !== null) {
    const values = whole as Record<string, unknown>;
    return Object.entries(part).every(([key, value]) => Object.hasOwn(values, key) && isBeginning(value, values[key]));
  }
  return part === whole;
}

describe('completeJson', () => {
  it.each([
    ['{"a": [1, 2', '{"a": [1, 2]}'],
    ['{"a": "he said \\"no', '{"a": "he said \\"no"}'],
    ['{"a": "half an escape \\u00', '{"a": "half an escape "}'],
    ['{"a": "half a pair \\ud83d', '{"a": "half a pair "}'],
    ['{"a": 1, "b', '{"a": 1}'],
    ['{"a": 1, "b":', '{"a": 1}'],
    ['{"a": 1, "b": tr', '{"a": 1}'],
    ['{"a": 1, "b": -', '{"a": 1}'],
    ['[1, 2.', '[1, 2]'],
    ['[1, 2.5e', '[1, 2.5]'],
    ['[[', '[[]]'],
    ['[{}, {"a": {', '[{}, {"a": {}}]'],
    ['"text', '"text"'],
    ['', ''],
    ['  ', ''],
    ['fal', ''],
  ])('%j becomes %j', (text, whole) => {
    expect(completeJson(text)).toBe(whole);
  });

  it.each([
    'Hello',
    '{"a" 1}',
    '[1 2]',
    '{a: 1}',
    '{"a": 1}}',
    '[01]',
    '["\\x"]',
    '{"a": 1,}',
    '["line\nbreak"]',
    'truth',
  ])('%j is no beginning of JSON', (text) => {
    expect(completeJson(text)).toBeUndefined();
  });

  it('makes every beginning of every JSON text parseable and says nothing that the whole does not', () => {
    const spaced = fc.tuple(fc.json(), fc.constantFrom(undefined, 2)).map(([text, indent]) => {
      const value: unknown = JSON.parse(text);
      return JSON.stringify(value, null, indent);
    });
    fc.assert(
      fc.property(spaced, fc.double({ min: 0, max: 1, noNaN: true }), (text, share) => {
        const completed = completeJson(text.slice(0, Math.floor(text.length * share)));
        expect(completed).toBeDefined();
        if (completed !== '' && completed !== undefined) {
          expect(isBeginning(JSON.parse(completed), JSON.parse(text))).toBe(true);
        }
        expect(completeJson(text)).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws, and what it returns parses', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('{}[]",:\\u0aeE+-.1 tn')) }), (text) => {
        const completed = completeJson(text);
        if (completed !== undefined && completed.trim() !== '') JSON.parse(completed);
      }),
      { numRuns: 5000 },
    );
  });
});
