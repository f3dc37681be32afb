import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAt, parseByUndici, parsePieces } from './__tests__/parsed-answer.ts';

const budget = { numRuns: 1500, interruptAfterTimeLimit: 4000, markInterruptAsFailure: false } as const;
const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
/** Text of bytes that `allowed` matches. */
const textOf = (allowed: RegExp, minLength: number, maxLength: number) => {
  const chars = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter((char) =>
    allowed.test(char),
  );
  return fc.string({ unit: fc.constantFrom(...chars), minLength, maxLength });
};
const value = textOf(/[\t\x20-\x7e\x80-\xff]/, 0, 20);
const space = fc.constantFrom('', ' ', '\t ', '  ');
const header = fc
  .tuple(fc.oneof(token, fc.constantFrom('Set-Cookie', 'x-a', 'X-A', 'Date', '__proto__')), space, value, space)
  .map(([name, before, text, after]) => `${name}:${before}${text}${after}\r\n`);
const special = fc.constantFrom(
  'Connection: close\r\n',
  'connection: keep-alive\r\n',
  'Keep-Alive: timeout=5\r\n',
  'Upgrade: h2c\r\n',
  'Content-Length: 3\r\n',
  'content-length: 0\r\n',
  'Transfer-Encoding: chunked\r\n',
  'transfer-encoding: gzip\r\n',
);
const body = textOf(/[^]/, 0, 40);
const extension = fc
  .tuple(token, fc.option(fc.oneof(token, fc.constant('"a\\"b;"'))))
  .map(([name, text]) => (text === null ? `;${name}` : `;${name}=${text}`));
const chunk = fc
  .tuple(textOf(/[^]/, 1, 30), fc.array(extension, { maxLength: 2 }), fc.constantFrom('', '0', '00'))
  .map(([text, extensions, zeros]) => `${zeros}${text.length.toString(16)}${extensions.join('')}\r\n${text}\r\n`);
const chunks = fc
  .tuple(fc.array(chunk, { maxLength: 4 }), fc.array(header, { maxLength: 2 }))
  .map(([parts, trailers]) => `${parts.join('')}0\r\n${trailers.join('')}\r\n`);
const status = fc.oneof(
  fc.constantFrom('200 OK', '200', '204 No Content', '304 x', '429 a\tb', '599 '),
  fc.constant('103 x'),
);

/** Answers that are well formed for the most part: framing that may or may not fit the body. */
const answer = fc
  .tuple(
    fc.constantFrom('HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'),
    status,
    fc.array(fc.oneof({ weight: 3, arbitrary: header }, special), { maxLength: 6 }),
    fc.oneof(
      body.map((text) => `Content-Length: ${text.length}\r\n\r\n${text}`),
      chunks.map((text) => `Transfer-Encoding: chunked\r\n\r\n${text}`),
      body.map((text) => `\r\n${text}`),
    ),
    fc.constantFrom('', '', '', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', 'x'),
  )
  .map(([version, line, headers, rest, behind]) => `${version} ${line}\r\n${headers.join('')}${rest}${behind}`);

/** One byte changed, left out or put in: at the places where parsers differ. */
const damage = fc.tuple(
  fc.nat(),
  fc.constantFrom('change', 'drop', 'add'),
  fc.constantFrom('\r', '\n', '\0', ' ', '\t', ':', ';', '"', '0', 'a', 'F', '\x7f', '\xff', ',', '='),
);
const damaged = fc.tuple(answer, fc.array(damage, { minLength: 1, maxLength: 2 })).map(([text, changes]) => {
  let result = text;
  for (const [where, kind, char] of changes) {
    const at = where % (result.length + 1);
    result = result.slice(0, at) + (kind === 'drop' ? '' : char) + result.slice(kind === 'add' ? at : at + 1);
  }
  return result;
});
const bytes = fc.oneof(answer, damaged).map((text) => Buffer.from(text, 'latin1'));
/** With a line's end behind: a line that trickles in is judged once it is whole. */
const lines = bytes.map((text) => Buffer.concat([text, Buffer.from('\n')]));

describe('an answer', () => {
  it('is the same however its bytes are cut', () => {
    fc.assert(
      fc.property(lines, fc.array(fc.nat(), { maxLength: 12 }), fc.boolean(), (whole, cuts, isClosed) => {
        const expected = parsePieces([whole], isClosed);
        expect(parsePieces(cutAt(whole, cuts), isClosed)).toEqual(expected);
        expect(
          parsePieces(
            Array.from(whole, (byte) => Buffer.of(byte)),
            isClosed,
          ),
        ).toEqual(expected);
      }),
      budget,
    );
  });
});

/** undici leaves white space behind a value; where it has a list of one name it has the same. */
function trimmed(headers: Readonly<Record<string, unknown>> | undefined): unknown {
  if (headers === undefined) return undefined;
  const trim = (text: string): string => text.replace(/[\t ]+$/, '');
  return Object.entries(headers).map(([name, text]) => [
    name,
    Array.isArray(text) ? text.map((one: string) => trim(one)) : trim(String(text)),
  ]);
}

describe('beside undici', () => {
  it('nothing is taken that it refuses, and what is taken is taken alike', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(lines, fc.boolean(), async (whole, isClosed) => {
        const own = parsePieces([whole], isClosed);
        // undici refuses 100, which may come before any answer.
        if (own.end === 'refused' || /HTTP\/1\.\d 100/.test(whole.toString('latin1'))) return;
        accepted += 1;
        const oracle = await parseByUndici(whole, isClosed);
        expect({ ...oracle, headers: trimmed(oracle.headers) }).toEqual({
          statusCode: own.statusCode,
          headers: trimmed(own.headers),
          body: own.body,
          end: own.end,
        });
      }),
      { ...budget, interruptAfterTimeLimit: 8000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});
