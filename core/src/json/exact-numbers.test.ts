import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExactly, RoundingWatch, stringifyExactly } from './exact-numbers.ts';

const rounded = [
  '9007199254740993',
  '-9007199254740993',
  '12345678901234567890',
  '9223372036854775807',
  '1e400',
  '-1e999',
  '0.12345678901234567890123',
  '123456789.12345678912345',
];

describe('numbers that a double cannot hold', () => {
  it.each(rounded)('%s comes out in its own digits, wherever it stands', (digits) => {
    const text = `{"a":${digits},"b":[1,${digits},{"c":${digits}}],"d":"x"}`;
    expect(stringifyExactly(parseExactly(text))).toBe(text);
  });

  it('are values like any other to whoever reads them', () => {
    expect(parseExactly('{"a":12345678901234567890,"b":[1e400]}')).toEqual({ a: 12345678901234567000, b: [Infinity] });
  });

  it('are written as they are once they were changed, moved or taken out', () => {
    const value = parseExactly('{"a":12345678901234567890,"b":12345678901234567891,"c":[12345678901234567892]}') as {
      a?: number;
      b: number;
      c: number[];
    };
    delete value.a;
    value.b = 5;
    const copy = { ...value, e: value.c };
    expect(stringifyExactly(copy)).toBe('{"b":5,"c":[12345678901234567892],"e":[12345678901234567892]}');
  });

  it('all other JSON comes out as from JSON.stringify', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseExactly(text)).toEqual(JSON.parse(text));
        expect(stringifyExactly(parseExactly(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
    for (const digits of ['1.0', '1e3', '9007199254740991', '0.1', '1.7976931348623157e+308', '10000000000000000']) {
      expect(stringifyExactly(parseExactly(`[${digits}]`))).toBe(JSON.stringify([Number(digits)]));
    }
  });

  it('are noticed by a watch, and by one that began before alone', () => {
    const watch = new RoundingWatch();
    const value = parseExactly('[12345678901234567890]');
    expect([watch.hasNoted, new RoundingWatch().hasNoted]).toEqual([true, false]);
    expect(watch.stringify(value)).toBe('[12345678901234567890]');
  });
});
