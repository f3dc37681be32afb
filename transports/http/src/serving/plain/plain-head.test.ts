import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePlainHead } from './plain-head.ts';

const plain = (...lines: string[]): string =>
  ['POST /v1/chat/completions HTTP/1.1', 'Host: localhost', 'Content-Length: 2', ...lines].join('\r\n');

describe('parsePlainHead', () => {
  it('reads target, headers and length', () => {
    expect(parsePlainHead(plain('X-Stainless-OS:  Linux \t', 'accept:'))).toEqual({
      target: '/v1/chat/completions',
      contentLength: 2,
      headers: { host: 'localhost', 'content-length': '2', 'x-stainless-os': 'Linux', accept: '' },
    });
  });

  it.each(['keep-alive', 'Keep-Alive'])('takes Connection: %s', (value) => {
    expect(parsePlainHead(plain(`Connection: ${value}`))).toBeDefined();
  });

  it.each([
    ['another method', 'PUT /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2'],
    ['HTTP/1.0', 'POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 2'],
    ['no host', 'POST / HTTP/1.1\r\nContent-Length: 2'],
    ['no length', 'POST / HTTP/1.1\r\nHost: a'],
    ['no headers', 'POST / HTTP/1.1'],
    ['a signed length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +2'],
    ['a length of two numbers', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2'],
    ['two lengths', plain('content-length: 2')],
    ['a chunked body', plain('Transfer-Encoding: chunked')],
    ['an unknown coding', plain('transfer-encoding: x')],
    ['a wait for 100', plain('Expect: 100-continue')],
    ['an upgrade', plain('Connection: upgrade', 'Upgrade: websocket')],
    ['the end of the connection', plain('Connection: close')],
    ['a browser', plain('Origin: http://localhost')],
    ['a header twice', plain('x-a: 1', 'X-A: 2')],
    ['a folded line', plain('x-a: 1', ' 2')],
    ['a blank before the colon', plain('x-a : 1')],
    ['a name of no character', plain(': 1')],
    ['a line without a colon', plain('x-a')],
    ['a bare line feed', plain('x-a: 1\nx-b: 2')],
    ['a bare carriage return', plain('x-a: 1\rx-b: 2')],
    ['a NUL', plain('x-a: \0')],
    ['a byte beyond ASCII', plain('x-a: \xe4')],
    ['a name of the prototype', plain('__proto__: 1')],
    ['a blank in the target', 'POST /a b HTTP/1.1\r\nHost: a\r\nContent-Length: 2'],
    ['two blanks', 'POST  / HTTP/1.1\r\nHost: a\r\nContent-Length: 2'],
    ['nothing', ''],
  ])("leaves %s to Node's parser", (_what, text) => {
    expect(parsePlainHead(text)).toBeUndefined();
  });
});

describe("what parsePlainHead takes, against Node's parser", () => {
  let seen: ((request: { url: string; headers: object }) => void) | undefined;
  const server = createServer((request, response) => {
    request.resume();
    seen?.({ url: request.url ?? '', headers: request.headers });
    response.end();
  });
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  /** What Node reads of the same head; undefined where it refuses it. */
  async function nodeReads(text: string): Promise<{ url: string; headers: object } | undefined> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const read = new Promise<{ url: string; headers: object } | undefined>((resolve) => {
      seen = resolve;
      socket.once('data', (data: Buffer) => {
        if (data.toString('latin1').startsWith('HTTP/1.1 400')) resolve(undefined);
      });
    });
    socket.write(Buffer.from(`${text}\r\n\r\n`, 'latin1'));
    const result = await read;
    socket.destroy();
    return result;
  }

  const character = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...'aZ09-_:;,. \t"/=*'.split('')) },
    { weight: 1, arbitrary: fc.constantFrom('\r', '\n', '\0', '\x7f', '\xe4', '\r\n', '\r\n ') },
  );
  const word = fc.array(character, { maxLength: 12 }).map((characters) => characters.join(''));
  const name = fc.oneof(
    fc.constantFrom(
      'x-a',
      'X-B',
      'accept',
      'Cookie',
      'Content-Length',
      'transfer-encoding',
      'Connection',
      'host',
      'x a',
    ),
    word,
  );
  const line = fc.tuple(name, fc.constantFrom(':', ': ', ' :', ':\t'), word).map((parts) => parts.join(''));
  const target = fc.oneof(
    fc.constantFrom('/', '/v1/x', '/a?b=c', '*'),
    word.map((text) => `/${text}`),
  );

  it('is read by Node in the same way', async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(target, fc.array(line, { maxLength: 5 }), async (path, lines) => {
        const text = [`POST ${path} HTTP/1.1`, 'host: localhost', 'content-length: 0', ...lines].join('\r\n');
        const head = parsePlainHead(text);
        if (head === undefined) return;
        taken += 1;
        expect(await nodeReads(text)).toEqual({ url: head.target, headers: head.headers });
      }),
      { numRuns: 1500 },
    );
    // Else the property would say nothing.
    expect(taken).toBeGreaterThan(100);
  });
});
