import { gzipSync } from 'node:zlib';
import { startReplayUpstream } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { provider, routes, TestGateway } from './__tests__/harness.ts';
import { addLosses, safeHeaderValue } from './response-headers.ts';

const answer = { id: 'm', content: [] };
const ask = { model: 'claude', messages: [] };

async function sent(
  headers: Record<string, string>,
  more: { client?: object; extraHeaders?: Record<string, string>; query?: string } = {},
) {
  await using upstream = await startReplayUpstream({ otherwise: { body: answer } });
  const network = { extraHeaders: more.extraHeaders ?? {} };
  await using gateway = new TestGateway({
    providers: [provider('anthropic', upstream.url, { network })],
    client: more.client ?? {},
  });
  const sink = await gateway.post(routes.anthropic, ask, { headers, query: more.query ?? '' });
  expect(sink.statusCode).toBe(200);
  const request = await upstream.request(0);
  return { headers: request.headers, path: request.path };
}

describe('what leaves for a provider', () => {
  it("is the gateway's credential and content headers, nothing of the caller's", async () => {
    const { headers } = await sent({
      authorization: 'Bearer caller',
      'x-api-key': 'caller',
      cookie: 'session=1',
      'x-bf-vk': 'sk-bf-1',
      'x-forwarded-for': '10.0.0.1',
      'proxy-authorization': 'Basic x',
      traceparent: '00-1',
      'x-stainless-lang': 'js',
    });
    const { host, 'content-length': length, ...rest } = headers;
    expect([typeof host, typeof length]).toEqual(['string', 'string']);
    expect(rest).toEqual({
      'x-api-key': 'secret-k1',
      'content-type': 'application/json',
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'bifrost',
      'anthropic-version': '2023-06-01',
    });
  });

  it("has the provider's switches, the caller's value over the default", async () => {
    const { headers, path } = await sent(
      { 'anthropic-beta': 'a,b', 'anthropic-version': '2024-01-01' },
      { query: 'beta=true&key=secret' },
    );
    expect(headers['anthropic-beta']).toBe('a,b');
    expect(headers['anthropic-version']).toBe('2024-01-01');
    expect(path).toBe('/v1/messages?beta=true');
  });

  it('has x-bf-eh-* without the prefix, but no credential, no transport header and nothing denied', async () => {
    const { headers } = await sent(
      {
        'x-bf-eh-x-team': 'blue',
        'x-bf-eh-x-api-key': 'stolen',
        'x-bf-eh-host': 'evil',
        'x-bf-eh-cookie': 'c',
        'x-bf-eh-x-bf-vk': 'v',
        'x-bf-eh-x-denied': 'd',
      },
      { client: { headerDenylist: ['X-Denied'] } },
    );
    expect(headers['x-team']).toBe('blue');
    expect(headers['x-api-key']).toBe('secret-k1');
    for (const name of ['cookie', 'x-bf-vk', 'x-denied']) expect(headers[name]).toBeUndefined();
    expect(headers.host).not.toBe('evil');
  });

  it('has allow-listed headers with and without the prefix, and then only those', async () => {
    const { headers } = await sent(
      { 'x-one': '1', 'x-bf-eh-x-two': '2', 'x-bf-eh-x-three': '3' },
      { client: { headerAllowlist: ['x-one', 'x-two'] } },
    );
    expect([headers['x-one'], headers['x-two'], headers['x-three']]).toEqual(['1', '2', undefined]);
  });

  it("has the operator's headers over everyone's", async () => {
    const { headers } = await sent(
      { 'x-bf-eh-x-team': 'blue', 'anthropic-beta': 'caller' },
      { extraHeaders: { 'X-Team': 'red', 'anthropic-beta': 'operator', 'x-api-key': 'from-vault' } },
    );
    expect(headers['x-team']).toBe('red');
    expect(headers['anthropic-beta']).toBe('operator');
    expect(headers['x-api-key']).toBe('from-vault');
  });
});

describe('what comes back', () => {
  it("has the provider's headers without those of the connection, on errors too", async () => {
    const headers = {
      'anthropic-ratelimit-requests-remaining': '7',
      'x-request-id': 'theirs',
      'set-cookie': 'a=b',
      server: 'cloudflare',
      'x-bf-provider': 'forged',
      'access-control-allow-origin': '*',
    };
    await using upstream = await startReplayUpstream({
      script: [
        { body: answer, headers },
        { status: 529, headers },
      ],
    });
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
    for (const status of [200, 529]) {
      const sink = await gateway.post(routes.anthropic, ask);
      expect(sink.statusCode).toBe(status);
      expect(sink.headers).toMatchObject({
        'anthropic-ratelimit-requests-remaining': '7',
        'x-bf-upstream-request-id': 'theirs',
        'x-bf-provider': 'anthropic',
        'x-bf-model': 'claude',
        'x-bf-key': 'k1',
        'x-bf-request-type': 'responses',
        'x-bf-is-fallback': 'false',
      });
      expect(sink.headers['x-request-id']).toMatch(/^request-/);
      for (const name of ['set-cookie', 'server', 'access-control-allow-origin'])
        expect(sink.headers[name]).toBeUndefined();
    }
  });

  it('is decompressed where it came compressed all the same, and says so', async () => {
    const body = gzipSync(JSON.stringify(answer));
    await using upstream = await startReplayUpstream({
      script: [{ body, headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' } }],
    });
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
    const sink = await gateway.post(routes.anthropic, ask);
    expect(sink.json).toEqual(answer);
    expect(sink.headers['x-bf-decompressed']).toBe('gzip');
    expect(sink.headers['content-encoding']).toBeUndefined();
    expect(sink.headers['content-length']).toBeUndefined();
  });

  it('is a 502 where its encoding is unknown or broken', async () => {
    for (const [encoding, body] of [
      ['sdch', 'x'],
      ['gzip', 'not gzip'],
    ] as const) {
      await using upstream = await startReplayUpstream({
        script: [{ body, headers: { 'content-encoding': encoding, 'content-type': 'application/json' } }],
      });
      await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
      expect((await gateway.post(routes.anthropic, ask)).statusCode).toBe(502);
    }
  });
});

describe('header values', () => {
  it('are printable whatever a model is called', () => {
    expect(safeHeaderValue('gpt-4o')).toBe('gpt-4o');
    expect(safeHeaderValue('a\r\nx: y')).toBe('a%0D%0Ax%3A%20y');
    expect(safeHeaderValue('\ud800')).toBe('%EF%BF%BD');
  });

  it('list losses without repeats, and not without end', () => {
    const headers: Record<string, string> = {};
    addLosses(headers, [
      { action: 'dropped', field: 'seed' },
      { action: 'dropped', field: 'seed' },
      { action: 'changed', field: 'messages[0].name' },
    ]);
    expect(headers).toEqual({ 'x-bf-dropped-fields': 'seed', 'x-bf-changed-fields': 'messages[0].name' });
    addLosses(
      headers,
      Array.from({ length: 5000 }, (_, index) => ({ action: 'dropped' as const, field: `messages[${index}].x` })),
    );
    expect(headers['x-bf-dropped-fields']?.length).toBeLessThan(2100);
    expect(headers['x-bf-dropped-fields']).toMatch(/and \d+ more$/);
  });
});
