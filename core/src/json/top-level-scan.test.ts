import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderOddly } from './__tests__/render-oddly.ts';
import { maxNesting } from './json-bytes.ts';
import { peekTopLevel } from './peek.ts';
import { TopLevelScan } from './top-level-scan.ts';

const keys = ['model', 'stream', 'fallbacks', 'stream_options'] as const;

/** What `find` returns, or the message that it throws. */
function outcomeOf(find: () => unknown): unknown {
  try {
    return find();
  } catch (error) {
    return (error as Error).message;
  }
}

function scanInPieces(body: Buffer, cuts: readonly number[]): unknown {
  const scan = new TopLevelScan(keys);
  let at = 0;
  for (const cut of [...cuts.toSorted((a, b) => a - b), body.length]) {
    // A copy: no piece may be looked at beyond its ends.
    scan.push(Buffer.from(body.subarray(at, Math.max(at, cut))));
    at = Math.max(at, cut);
  }
  return scan.finish();
}

/** Every single cut, every byte for itself, and the cuts given. */
function expectSame(body: Buffer, cuts: readonly number[] = []): void {
  const expected = outcomeOf(() => peekTopLevel(body, keys));
  const tries = [[], cuts, Array.from(body, (_, index) => index)];
  if (body.length < 200) for (let cut = 1; cut < body.length; cut += 1) tries.push([cut]);
  for (const one of tries) expect(outcomeOf(() => scanInPieces(body, one))).toEqual(expected);
}

const json = fc.jsonValue({ maxDepth: 4 });
const object = fc.record(
  { model: json, stream: json, fallbacks: json, messages: json, stream_options: json, '"\\': json },
  { requiredKeys: [] },
);
const text = fc
  .tuple(object, fc.infiniteStream(fc.nat(999)))
  .map(([value, numbers]) => renderOddly(value, () => (numbers.next().value as number) / 1000));
const cuts = fc.array(fc.nat(2000), { maxLength: 8 });

describe('TopLevelScan', () => {
  it('finds what the scan of the whole body finds, wherever it is cut', () => {
    fc.assert(
      fc.property(text, cuts, (body, at) => expectSame(Buffer.from(body), at)),
      { numRuns: 150 },
    );
  });

  it('refuses what the scan of the whole body refuses, with the same words, whatever a few bytes are changed to', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(text, cuts, fc.array(change, { minLength: 1, maxLength: 3 }), (body, at, changes) => {
        const bytes = Buffer.from(body);
        for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
        expectSame(bytes, at);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses a body that ends anywhere, as the scan of the whole body does', () => {
    const body = Buffer.from(
      '\ufeff {"model" : "a\\"b\\\\", "n":[-1.5e+3,{"x":null}],"stream":true , "mod\\u0065l":""} ',
    );
    for (let end = 0; end <= body.length; end += 1) expectSame(body.subarray(0, end));
  });

  it.each([
    ['numbers', '{"a":0,"b":-0.5,"c":1e9,"d":2E-07,"e":12.50e+1,"model":9007199254740993}'],
    ['numbers that are none', '{"a":01}'],
    ['a sign alone', '{"a":-}'],
    ['a fraction without digits', '{"a":1.}'],
    ['literals cut short', '{"stream":tru,"model":"m"}'],
    ['literals too long', '{"stream":truee}'],
    ['an escaped key', '{"\\u006dodel":"a","model":"b"}'],
    ['a key with a bad escape', '{"mod\\xel":"a"}'],
    ['a long key with a bad escape', `{"${'k'.repeat(130)}\\x":1,"model":"m"}`],
    ['a key as long as may matter', `{"${'\\u006d'.repeat(20)}":1,"${'\\u006d'.repeat(21)}":2}`],
    ['control characters far into a string', `{"a":"${'x'.repeat(60)}\u0001","b":"${'x'.repeat(20)}\u0001"}`],
    ['backslashes beyond the short part', `{"a":"${'x'.repeat(47)}${'\\\\'.repeat(9)}","model":"${'\\"'.repeat(40)}"}`],
    ['what follows the object', '{"model":"m"} x'],
    ['half a byte order mark', '\u00ef{"model":"m"}'],
  ])('agrees on %s', (_name, body) => expectSame(Buffer.from(body)));

  it('refuses deep nesting at the same byte', () => {
    expectSame(Buffer.from(`{"a":${'['.repeat(maxNesting)}${']'.repeat(maxNesting)}}`), [1000]);
    expectSame(Buffer.from(`{"a":${'['.repeat(maxNesting + 1)}`), [1000, maxNesting]);
  });
});
