import { describe, expect, it } from 'vitest';
import { parsePieces } from './__tests__/parsed-answer.ts';
import { maxHeadBytes } from './response-parser.ts';

const parse = (text: string, isClosed = false) => parsePieces([Buffer.from(text, 'latin1')], isClosed);
const ok = 'HTTP/1.1 200 OK\r\n';
const sized = (headers: string) => parse(`${ok}${headers}content-length: 2\r\n\r\nhi`);
const chunked = (body: string) => parse(`${ok}transfer-encoding: chunked\r\n\r\n${body}`);

describe('a head', () => {
  it('has names in lower case, values without white space around them, lists of what came more than once', () => {
    const { headers, statusCode } = sized('Content-Type:\tapplication/json \r\nX-A: 1\r\nx-a:2\r\nX-a:3\r\nempty:\r\n');
    expect(statusCode).toBe(200);
    expect(headers).toEqual({
      'content-type': 'application/json',
      'x-a': ['1', '2', '3'],
      empty: '',
      'content-length': '2',
    });
  });

  it('takes names that objects have by nature for ordinary names', () => {
    const { headers } = sized('__proto__: a\r\nconstructor: b\r\ntoString: c\r\n');
    expect(Object.entries(headers as object).slice(0, 3)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['tostring', 'c'],
    ]);
  });

  it('keeps the bytes above ASCII', () => {
    expect(sized('x: caf\xe9\r\n').headers?.['x']).toBe('caf\xe9');
  });

  it('may have no reason, or any', () => {
    for (const line of ['HTTP/1.1 200', 'HTTP/1.1 200 ', 'HTTP/1.1 200 \xc4 b\tc', 'HTTP/1.0 200 OK']) {
      expect(parse(`${line}\r\ncontent-length: 2\r\n\r\nhi`)).toMatchObject({
        statusCode: 200,
        body: 'hi',
        end: 'complete',
      });
    }
  });

  it.each([
    ['another protocol', 'SSH-2.0-x\r\n'],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a version in small letters', 'http/1.1 200 OK\r\n\r\n'],
    ['an empty line before it', '\r\nHTTP/1.1 200 OK\r\n\r\n'],
    ['two spaces', 'HTTP/1.1  200 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OKOK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['lines that end with LF', 'HTTP/1.1 200 OK\na: b\n\n'],
    ['a carriage return alone', `${ok}a: b\rc: d\r\n\r\n`],
    ['a folded line', `${ok}a: b\r\n c\r\n\r\n`],
    ['a space before the colon', `${ok}a : b\r\n\r\n`],
    ['a line without a colon', `${ok}abc\r\n\r\n`],
    ['an empty name', `${ok}: b\r\n\r\n`],
    ['a NUL', `${ok}a: b\0c\r\n\r\n`],
    ['a DEL', `${ok}a: b\x7fc\r\n\r\n`],
    ['a name that is no token', `${ok}a(b: c\r\n\r\n`],
    ['two lengths', `${ok}content-length: 2\r\nContent-Length: 2\r\n\r\nhi`],
    ['a list of lengths', `${ok}content-length: 2, 2\r\n\r\nhi`],
    ['an empty length', `${ok}content-length:\r\n\r\n`],
    ['a length with a sign', `${ok}content-length: +2\r\n\r\nhi`],
    ['a length beyond 2^53', `${ok}content-length: 9007199254740993\r\n\r\n`],
    ['a length and chunks', `${ok}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['another transfer encoding', `${ok}transfer-encoding: gzip, chunked\r\n\r\n`],
    ['two transfer encodings', `${ok}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n'],
  ])('with %s is refused, without waiting for more', (_what, text) => {
    expect(parse(text)).toMatchObject({ end: 'refused', statusCode: undefined });
  });

  it('is refused as soon as its first bytes are of something else', () => {
    expect(parsePieces([Buffer.from('\x15'), Buffer.from('\x03')], false).end).toBe('refused');
    expect(parsePieces([Buffer.from('HTTP'), Buffer.from('S')], false).end).toBe('refused');
  });

  it('of more than 64 KiB is refused, in one piece, in many, or spread over interim answers', () => {
    const of = (bytes: number): Buffer => {
      const rest = 'content-length: 0\r\n\r\n';
      const filler = Array.from({ length: 64 }, (_, index) => `x${index}: `);
      const each = Math.floor((bytes - ok.length - rest.length - filler.join('\r\n').length - 2) / 64);
      const lines = filler.map((line) => `${line}${'v'.repeat(each)}\r\n`).join('');
      const missing = bytes - ok.length - lines.length - rest.length;
      return Buffer.from(`${ok}${lines.replace('\r\n', `${'v'.repeat(missing)}\r\n`)}${rest}`);
    };
    const largest = of(maxHeadBytes);
    expect(largest.length).toBe(maxHeadBytes);
    const tooLarge = of(maxHeadBytes + 1);
    const halves = (bytes: Buffer) => [bytes.subarray(0, 9000), bytes.subarray(9000)];
    expect(parsePieces([largest], false).end).toBe('complete');
    expect(parsePieces(halves(largest), false).end).toBe('complete');
    expect(parsePieces([tooLarge], false).code).toBe('RESPONSE_HEAD_TOO_LARGE');
    expect(parsePieces(halves(tooLarge), false).code).toBe('RESPONSE_HEAD_TOO_LARGE');
    expect(parsePieces([of(maxHeadBytes + 2).subarray(0, -1)], false).code).toBe('RESPONSE_HEAD_TOO_LARGE');
    const interim = Buffer.from('HTTP/1.1 103 Early Hints\r\n\r\n');
    expect(parsePieces([interim, largest], false).code).toBe('RESPONSE_HEAD_TOO_LARGE');
  });

  it('of more than 512 headers is refused', () => {
    expect(sized('a: b\r\n'.repeat(511)).end).toBe('complete');
    expect(sized('a: b\r\n'.repeat(512)).code).toBe('RESPONSE_HEAD_TOO_LARGE');
  });
});

describe('a body', () => {
  it('of a stated length ends there, and what is behind is not its own', () => {
    expect(parse(`${ok}content-length: 2\r\n\r\nhi`)).toMatchObject({ body: 'hi', end: 'complete', restBytes: 0 });
    expect(parse(`${ok}content-length: 2\r\n\r\nhiHTTP`)).toMatchObject({ body: 'hi', end: 'complete', restBytes: 4 });
    expect(parse(`${ok}content-length: 0\r\n\r\n`)).toMatchObject({ body: '', end: 'complete' });
    expect(parse(`${ok}content-length: 3\r\n\r\nhi`, true)).toMatchObject({ body: 'hi', end: 'refused' });
  });

  it('without a length ends with the connection', () => {
    expect(parse(`${ok}a: b\r\n\r\nhi`)).toMatchObject({ body: 'hi', end: 'waiting' });
    expect(parse(`${ok}a: b\r\n\r\nhi`, true)).toMatchObject({ body: 'hi', end: 'complete' });
  });

  it('is not there with 204 and 304, whatever they announce', () => {
    for (const status of [204, 304]) {
      for (const headers of ['', 'content-length: 9\r\n', 'transfer-encoding: chunked\r\n']) {
        const answer = parse(`HTTP/1.1 ${status} X\r\n${headers}\r\n`);
        expect(answer).toMatchObject({ statusCode: status, body: '', end: 'complete' });
        expect(answer.head?.isReusable).toBe(headers === '');
      }
    }
  });

  it('comes behind interim answers, which are left out', () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n';
    const answer = parse(`${interim}${ok}content-length: 2\r\n\r\nhi`);
    expect(answer).toMatchObject({ headers: { 'content-length': '2' }, body: 'hi', end: 'complete' });
  });

  it('in chunks is what is in the chunks', () => {
    const answer = chunked('5\r\nhello\r\n00A\r\n, chunked!\r\n0\r\n\r\n');
    expect(answer).toMatchObject({ body: 'hello, chunked!', end: 'complete', restBytes: 0 });
    expect(chunked('0\r\n\r\nHTTP')).toMatchObject({ body: '', end: 'complete', restBytes: 4 });
    expect(chunked('5\r\nhello\r\n').end).toBe('waiting');
  });

  it('in chunks may have extensions and trailers, which are skipped', () => {
    expect(chunked('2;a\r\nhi\r\n0;b=c;d="e;\\"f"\r\nX-Sum: 1\r\ny:\r\n\r\n')).toMatchObject({
      body: 'hi',
      end: 'complete',
    });
  });

  it.each([
    ['no size', '\r\n'],
    ['a size that is no number', 'g\r\n'],
    ['a size with a sign', '+1\r\na\r\n'],
    ['a prefixed size', '0x1\r\na\r\n'],
    ['a space behind the size', '1 \r\na\r\n'],
    ['a size beyond 2^53', '20000000000001\r\n'],
    ['a size of many zeros', `${'0'.repeat(17)}1\r\na\r\n`],
    ['a size line that ends with LF', '1\na\r\n'],
    ['a carriage return alone behind the size', '1\ra'],
    ['a chunk longer than its size', '1\r\nab\r\n'],
    ['a chunk that ends with LF', '1\r\na\n0\r\n\r\n'],
    ['an empty extension', '1;\r\na\r\n'],
    ['an extension with a space', '1; a\r\na\r\n'],
    ['an extension with an open quote', '1;a="b\r\na\r\n'],
    ['a folded trailer', '0\r\na: b\r\n c\r\n\r\n'],
    ['a trailer that ends with LF', '0\r\na: b\n\r\n'],
    ['a trailer that is no header', '0\r\nabc\r\n\r\n'],
    ['a length in the trailers', '0\r\nContent-Length: 3\r\n\r\n'],
    ['extensions without end', `1;${'a'.repeat(17_000)}`],
    ['trailers without end', `0\r\n${'a: b\r\n'.repeat(3000)}`],
  ])('in chunks with %s is refused, without waiting for more', (_what, body) => {
    expect(chunked(body)).toMatchObject({ end: 'refused', statusCode: 200 });
  });
});

describe('a connection', () => {
  const reusable = (head: string) => parse(`${head}\r\n\r\n`).head?.isReusable;

  it('may be used again unless the server says that it closes it, or its answer leaves doubts', () => {
    expect(reusable(`${ok}content-length: 0`)).toBe(true);
    expect(reusable(`${ok}transfer-encoding: chunked`)).toBe(true);
    expect(reusable(`${ok}content-length: 0\r\nConnection: x, Close`)).toBe(false);
    expect(reusable(`${ok}content-length: 0\r\nconnection: x\r\nconnection: close`)).toBe(false);
    expect(reusable(`${ok}a: b`)).toBe(false);
    expect(reusable('HTTP/1.0 200 OK\r\ncontent-length: 0')).toBe(false);
    expect(reusable('HTTP/1.0 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive')).toBe(true);
    expect(reusable('HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\nconnection: keep-alive')).toBe(false);
  });
});
