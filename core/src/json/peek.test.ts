import { InvalidRequestError } from '@bifrost/sdk';
import type { GatewayError } from '@bifrost/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderOddly } from './__tests__/render-oddly.ts';
import { maxNesting } from './json-bytes.ts';
import { peekLastMember } from './last-member.ts';
import { memberValue } from './member-value.ts';
import { peekTopLevel } from './peek.ts';

const keys = ['model', 'stream', 'fallbacks'] as const;
const peek = (text: string) => {
  const body = Buffer.from(text);
  const top = peekTopLevel(body, keys);
  return Object.fromEntries(keys.map((key, index) => [key, memberValue(body, top.members[index])]));
};
const messageOf = (text: string) => {
  try {
    peek(text);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidRequestError);
    return (error as GatewayError).message;
  }
  throw new Error(`accepted: ${text}`);
};

describe('peekTopLevel', () => {
  it('agrees with JSON.parse on oddly formatted objects', () => {
    const json = fc.jsonValue({ maxDepth: 4 });
    const object = fc.record(
      { model: json, stream: json, fallbacks: json, messages: json, '"\\': json },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(object, fc.infiniteStream(fc.nat(999)), (value, numbers) => {
        const text = renderOddly(value, () => (numbers.next().value as number) / 1000);
        const expected = JSON.parse(text) as Record<string, unknown>;
        const found = peek(text);
        for (const key of keys) expect(found[key]).toEqual(expected[key]);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses only what JSON.parse refuses, whatever one byte is changed to', () => {
    const text = '{"model":"a\\"b","n":[1.5e3,{"x":null}],"stream":true}';
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 0, max: 127 }), (at, byte) => {
        const changed = `${text.slice(0, at)}${String.fromCharCode(byte)}${text.slice(at + 1)}`;
        let parsed: unknown;
        try {
          parsed = JSON.parse(changed);
        } catch {
          return;
        }
        if (typeof parsed === 'object') expect(peek(changed)['model']).toEqual((parsed as { model?: unknown }).model);
      }),
      { numRuns: 500 },
    );
  });

  it('reads an escaped key, a byte order mark, and lets the last duplicate win', () => {
    expect(peek('\ufeff{"mod\\u0065l":"a"}')['model']).toBe('a');
    expect(peek('{"model":"a","x":{"model":"no"},"model":"b"}')['model']).toBe('b');
    expect(peek('{"n":12345678901234567890,"stream":false}')['stream']).toBe(false);
    expect(peek('{}')).toEqual({});
  });

  it('finds the end of strings with quotes, backslashes and great length', () => {
    const long = `${'x'.repeat(500)}\\"${'\\'.repeat(4)}y`;
    expect(peek(`{"a":${JSON.stringify(long)},"b":"${'\\\\'.repeat(60)}","model":"m"}`)['model']).toBe('m');
  });

  it('says where and what is wrong', () => {
    expect(messageOf('')).toContain('found the end of the body at byte offset 0, expected a JSON object');
    expect(messageOf('[1]')).toContain('found "[" at byte offset 0');
    expect(messageOf('{"model":"m",}')).toContain('found "}" at byte offset 13, expected a quoted key');
    expect(messageOf('{"model" "m"}')).toContain('byte offset 9, expected ":"');
    expect(messageOf('{"model":tru}')).toContain('expected a JSON value');
    expect(messageOf('{"model":01}')).toContain('expected a JSON value');
    expect(messageOf('{"a":[1,2}')).toContain('found "}" at byte offset 9, expected "]"');
    expect(messageOf('{"a":"x')).toContain('the closing quote of the string at byte offset 5');
    expect(messageOf(`{"a":"${'x'.repeat(99)}`)).toContain('the closing quote');
    expect(messageOf('{"a":1}x')).toContain('byte offset 7, expected nothing after');
    expect(messageOf('{"a":"\u0000"}')).toContain('byte 0x00 at byte offset 6');
    expect(messageOf('{"a":[\u0000]}')).toContain('byte 0x00 at byte offset 6');
  });

  it('refuses deep nesting without running out of stack', () => {
    expect(messageOf(`{"a":${'['.repeat(5_000_000)}`)).toContain(`deeper than ${maxNesting} levels`);
    expect(peek(`{"a":${'['.repeat(maxNesting)}${']'.repeat(maxNesting)},"model":"m"}`)['model']).toBe('m');
  });

  it('skips a body of 10 MB in milliseconds', () => {
    const image = 'QUJD'.repeat(2_500_000);
    const body = Buffer.from(JSON.stringify({ messages: [{ content: image }], model: 'm' }));
    const started = performance.now();
    const top = peekTopLevel(body, keys);
    expect(memberValue(body, top.members[0])).toBe('m');
    expect(performance.now() - started).toBeLessThan(100);
  });
});

describe('peekLastMember', () => {
  const text = (body: string, key = 'usage'): string | undefined => {
    const bytes = Buffer.from(body);
    const range = peekLastMember(bytes, key);
    return range === undefined ? undefined : bytes.toString('utf8', range.start, range.end);
  };

  it('finds a member near the end without reading what is before it', () => {
    expect(text('{"a": ["x", {}], "usage" : {"n": 1}, "tier": "d", "f": [1, 2] } ')).toBe('{"n": 1}');
    expect(text('{"usage":null}')).toBe('null');
  });

  it('does not take a nested member, or text that looks like one, for it', () => {
    expect(text('{"usage":{"n":1},"output":[{"usage":{"n":2}}]}')).toBeUndefined();
    expect(text('{"content":"say \\"usage\\": {}"}')).toBeUndefined();
    expect(text('{"a":"usage"}')).toBeUndefined();
    expect(text('{"input":{"usage":{"n":2}}}')).toBeUndefined();
  });

  it('agrees with JSON.parse wherever it answers', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('usage', 'a', 'b', 'usages'), fc.jsonValue()), (value) => {
        const found = text(JSON.stringify(value));
        if (found !== undefined) expect(JSON.parse(found)).toEqual(JSON.parse(JSON.stringify(value['usage'])));
      }),
    );
  });
});
