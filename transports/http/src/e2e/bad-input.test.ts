/** What callers get wrong, on purpose or not: a 4xx in their dialect with a message that helps, and the gateway keeps serving. */
import { connect } from 'node:net';
import type { JsonObject } from '@bifrost/sdk';
import { postJson } from '@bifrost/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';

let gateway: GatewayProcess;
const key = { name: 'test', value: 'sk-canary-4f1d', models: ['gpt-4o'], weight: 1 };
beforeAll(async () => {
  const network = { base_url: 'http://127.0.0.1:9' };
  gateway = await startGatewayProcess(
    { providers: { openai: { keys: [key], network_config: network }, groq: { keys: [{ ...key, enabled: false }] } } },
    ['-threads', '2'],
  );
});
afterAll(() => gateway[Symbol.asyncDispose]());

const routes = [
  {
    path: '/v1/chat/completions',
    body: { messages: [{ role: 'user', content: 'hi' }] },
    message: ['error', 'message'],
  },
  {
    path: '/openai/v1/chat/completions',
    body: { messages: [{ role: 'user', content: 'hi' }] },
    message: ['error', 'message'],
  },
  { path: '/v1/responses', body: { input: 'hi' }, message: ['error', 'message'] },
  {
    path: '/anthropic/v1/messages',
    body: { max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] },
    message: ['error', 'message'],
  },
];

function read(json: JsonObject, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], json);
}

async function expectRefusal(
  path: string,
  body: string | JsonObject,
  status: number | readonly number[],
  pattern: RegExp,
): Promise<void> {
  const answer = await postJson(`${gateway.url}${path}`, body);
  expect([status].flat()).toContain(answer.status);
  expect(String(read(answer.json(), ['error', 'message']))).toMatch(pattern);
  expect(answer.text()).not.toContain('sk-canary');
  const health = await postJson(`${gateway.url}/health`, undefined, {}, { method: 'GET' });
  expect(health.status).toBe(200);
}

describe.each(routes)('$path', ({ path, body }) => {
  it('names the place of broken JSON', () =>
    expectRefusal(path, '{"model": "openai/gpt-4o", "messages": [', 400, /JSON/));
  it('refuses a body that is no object', () => expectRefusal(path, '[1,2,3]', 400, /object/));
  it('refuses a model of the wrong type', () => expectRefusal(path, { ...body, model: 42 }, 400, /model.*string/));
  it('refuses a missing model', () => expectRefusal(path, body, 400, /model/));
  it('names the known providers for an unknown one', () =>
    expectRefusal(path, { ...body, model: 'nobody/x' }, [400, 404], /nobody|provider/));
  it('says that no key serves the model', () =>
    expectRefusal(path, { ...body, model: 'openai/gpt-1' }, [400, 404], /gpt-1/));
  it('says that a provider has no key', () => expectRefusal(path, { ...body, model: 'groq/llama' }, [400, 401], /key/));
  it('refuses bodies above the limit before they are read', async () => {
    const huge = Buffer.alloc(101 * 1024 * 1024, 0x20);
    const answer = await postJson(`${gateway.url}${path}`, huge).catch((error: NodeJS.ErrnoException) => error);
    if (!(answer instanceof Error)) expect(answer.status).toBe(413);
    else expect(answer.code).toMatch(/EPIPE|ECONNRESET/); // the answer went out while the body was still coming
  });
});

/** Sends raw bytes and returns what came back. */
function raw(text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1', () => socket.write(text, 'latin1'));
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString('latin1')));
    socket.on('error', () => resolve(received));
    socket.on('close', () => resolve(received));
    setTimeout(() => socket.end(), 300);
  });
}

const post = 'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n';

describe('on the wire', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      'content-length and transfer-encoding together',
      'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    ['a NUL in the path', 'GET /v1/mod\0els HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['an encoded NUL in the path', 'GET /v1/mod%00els HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1\.1 40[04] /],
    ['a path that climbs', 'GET /v1/..%2f..%2fapi/config HTTP/1.1\r\nHost: localhost\r\n\r\n', /^HTTP\/1\.1 40[04] /],
    [
      'a flood of headers',
      `GET /health HTTP/1.1\r\nHost: localhost\r\n${Array.from({ length: 4000 }, (_, n) => `x-flood-${n}: ${'y'.repeat(40)}\r\n`).join('')}\r\n`,
      /^HTTP\/1\.1 431 /,
    ],
    ['a foreign Host', 'GET /v1/models HTTP/1.1\r\nHost: evil.example\r\n\r\n', /^HTTP\/1\.1 403 /],
    [
      'a foreign Origin',
      'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n',
      /^HTTP\/1\.1 403 /,
    ],
    [
      'two Host headers',
      'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    [
      'a target of another host',
      'GET http://evil.example/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n',
      /^HTTP\/1\.1 403 /,
    ],
    ['a tunnel', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n', /^$/],
    ['another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['bytes of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', /^HTTP\/1\.1 400 /],
    ['a folded header', 'GET /health HTTP/1.1\r\nHost: localhost\r\nx-a: b\r\n c: d\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['a NUL in a header', 'GET /health HTTP/1.1\r\nHost: localhost\r\nx-a: b\0c\r\n\r\n', /^HTTP\/1\.1 400 /],
    ...[
      'Transfer-Encoding: chunked\r\nContent-Length: 5',
      'Transfer-Encoding: chunked, chunked',
      'Transfer-Encoding: xchunked',
      'Transfer-Encoding: identity',
      'Transfer-Encoding : chunked',
      'Content-Length: 5\r\nContent-Length: 6',
      'Content-Length: -5',
      'Content-Length: +5',
      'Content-Length: 0x5',
      'Content-Length: 99999999999999999999',
    ].map(
      (framing) =>
        [`the framing ${JSON.stringify(framing)}`, `${post}${framing}\r\n\r\n0\r\n\r\n`, /^HTTP\/1\.1 400 /] as const,
    ),
    ...['zz\r\nabc', 'FFFFFFFFFFFFFFFFFF\r\nabc', '5\nhello\n0\n\n'].map(
      (chunks) =>
        [
          `the chunk ${JSON.stringify(chunks)}`,
          `${post}Transfer-Encoding: chunked\r\n\r\n${chunks}`,
          /^HTTP\/1\.1 400 /,
        ] as const,
    ),
    [
      'a flood in the extension of a chunk',
      `${post}Transfer-Encoding: chunked\r\n\r\n5;${'a'.repeat(30_000)}\r\nhello\r\n0\r\n\r\n`,
      /^HTTP\/1\.1 413 /,
    ],
    ['a body that is never to end', `${post}Content-Length: 10737418240\r\n\r\n{`, /^HTTP\/1\.1 413 /],
    [
      'a body that is not compressed as it says',
      `${post}Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\0`,
      /^HTTP\/1\.1 400 [^]*BF_HTTP_BODY_UNDECODABLE/,
    ],
    [
      'a body that is compressed in an unknown way',
      `${post}Content-Encoding: compress\r\nContent-Length: 4\r\n\r\nabcd`,
      /^HTTP\/1\.1 415 [^]*accept-encoding: gzip, deflate, br, zstd/i,
    ],
    [
      'a compressed body on the admin API',
      `POST /api/plugins HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd`,
      /^HTTP\/1\.1 415 /,
    ],
    [
      'a WebSocket where there is none',
      'GET /v1/responses HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      /^HTTP\/1\.1 426 /,
    ],
    ['a target of 70 KB', `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, /^HTTP\/1\.1 431 /],
    [
      '2,500 short headers',
      `GET /health HTTP/1.1\r\nHost: localhost\r\n${Array.from({ length: 2500 }, (_, n) => `a${n}: b\r\n`).join('')}\r\n`,
      /^HTTP\/1\.1 431 /,
    ],
    ['a bare line feed', 'GET /health HTTP/1.1\nHost: localhost\n\n', /^HTTP\/1\.1 400 /],
  ];
  it.each(cases)('%s is refused', async (_name, request, expected) => {
    expect(await raw(request)).toMatch(expected);
    const health = await postJson(`${gateway.url}/health`, undefined, {}, { method: 'GET' });
    expect(health.status).toBe(200);
  });

  it('never prints a key', () => expect(gateway.output()).not.toContain('sk-canary'));
});
