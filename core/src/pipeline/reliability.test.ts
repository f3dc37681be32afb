import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer, ReplayRequest } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { key, provider, routes, TestGateway } from './__tests__/harness.ts';

const fine: ReplayAnswer = {
  body: {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  },
};
const ask = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };
const keysUsed = (requests: readonly ReplayRequest[]) =>
  requests.map((one) => one.headers.authorization?.replace('Bearer secret-', ''));
/** Lets the connection pool take the last call's connection back. */
const idle = () => new Promise((resolve) => setTimeout(resolve, 10));
const twoKeys = [key('a'), key('b')];

async function run(script: ReplayAnswer[], changes: Parameters<typeof provider>[2] = {}, body: object = ask) {
  await using upstream = await startReplayUpstream({ script });
  await using gateway = new TestGateway({ providers: [provider('openai', upstream.url, changes)] });
  const sink = await gateway.post(routes.openai, body);
  return { sink, requests: upstream.requests, trace: gateway.traces[0] };
}

describe('retries', () => {
  it.each([500, 502, 503, 504, 529])('a %i with the same key, as often as configured', async (status) => {
    const { sink, requests } = await run([{ status, times: 2 }, fine], { network: { maxRetries: 2 } });
    expect(sink.statusCode).toBe(200);
    expect(requests.length).toBe(3);
    const none = await run([{ status }, fine]);
    expect(none.sink.statusCode).toBe(status);
    expect(none.requests.length).toBe(1);
  });

  it.each([400, 404, 409, 413, 422])("not a %i, which is the caller's", async (status) => {
    const { sink, requests } = await run([{ status, body: { error: { message: 'no', type: 'x' } } }, fine], {
      network: { maxRetries: 3 },
    });
    expect(sink.statusCode).toBe(status);
    expect(requests.length).toBe(1);
    expect(sink.json['error']).toEqual({ message: 'no', type: 'x' });
  });

  it('with the next key on 429, and with the first again when all have been tried', async () => {
    const { sink, requests } = await run([{ status: 429, times: 2 }, fine], {
      keys: twoKeys,
      network: { maxRetries: 2 },
    });
    expect(sink.statusCode).toBe(200);
    const used = keysUsed(requests);
    expect(new Set(used.slice(0, 2))).toEqual(new Set(['a', 'b']));
    expect(used.length).toBe(3);
  });

  it.each([401, 402, 403])(
    'with the next key on %i at once, whatever the retries; 502 when all keys are dead',
    async (status) => {
      const { sink, requests } = await run([{ status }, fine], { keys: twoKeys });
      expect(sink.statusCode).toBe(200);
      expect(new Set(keysUsed(requests))).toEqual(new Set(['a', 'b']));
      const dead = await run([{ status, times: 2 }, fine], { keys: twoKeys, network: { maxRetries: 5 } });
      expect(dead.sink.statusCode).toBe(502);
      expect(dead.requests.length).toBe(2);
      expect(dead.sink.text).toContain('upstream_credentials_exhausted');
      expect(dead.sink.text).not.toContain('secret-');
    },
  );

  it('a provider that cannot be reached, and answers 502 in the end', async () => {
    const { sink, requests } = await run([{ delivery: { refuse: true } }, fine], { network: { maxRetries: 1 } });
    expect(sink.statusCode).toBe(200);
    expect(requests.length).toBe(2);
    await using gateway = new TestGateway({ providers: [provider('openai', 'http://127.0.0.1:1')] });
    const dead = await gateway.post(routes.openai, ask);
    expect(dead.statusCode).toBe(502);
    expect(dead.text).toContain('ECONNREFUSED');
  });

  it.each([
    ['seconds', (): ReplayAnswer => ({ headers: { 'retry-after': '0.12' } })],
    ['a date', (): ReplayAnswer => ({ retryAfter: new Date(Date.now() + 2000) })],
    ['milliseconds', (): ReplayAnswer => ({ headers: { 'retry-after-ms': '120' } })],
  ])('not before the Retry-After in %s', async (form, answer) => {
    const started = performance.now();
    const { sink, requests } = await run([{ status: 429, ...answer() }, fine], { network: { maxRetries: 1 } });
    expect(sink.statusCode).toBe(200);
    expect(requests.length).toBe(2);
    const waited = performance.now() - started;
    expect(waited).toBeGreaterThan(form === 'a date' ? 300 : 115);
  });

  it('not when Retry-After is longer than a caller waits, and passes it on', async () => {
    const { sink, requests } = await run([{ status: 429, retryAfter: 3600 }, fine], { network: { maxRetries: 3 } });
    expect(sink.statusCode).toBe(429);
    expect(sink.headers['retry-after']).toBe('3600');
    expect(requests.length).toBe(1);
  });

  it('no more than the budget when everything fails', async () => {
    await using upstream = await startReplayUpstream({ otherwise: { status: 500 } });
    await using gateway = new TestGateway({
      providers: [provider('openai', upstream.url, { network: { maxRetries: 3 } })],
    });
    await Promise.all(Array.from({ length: 200 }, () => gateway.post(routes.openai, ask)));
    expect(upstream.requests.length).toBeGreaterThanOrEqual(210);
    expect(upstream.requests.length).toBeLessThanOrEqual(221);
  });
});

describe('fallbacks', () => {
  const body = { ...ask, fallbacks: ['anthropic/claude', 'groq/g'] };

  it('serve with state of their own and say so', async () => {
    await using upstream = await startReplayUpstream({ script: [{ status: 500 }, { status: 500 }, fine] });
    await using gateway = new TestGateway({
      providers: [provider('openai', upstream.url, { network: { maxRetries: 1 } }), provider('groq', upstream.url)],
    });
    const sink = await gateway.post(routes.openai, { ...body, fallbacks: ['nobody/x', 'groq/g'] });
    expect(sink.statusCode).toBe(200);
    expect(sink.headers).toMatchObject({
      'x-bf-provider': 'groq',
      'x-bf-model': 'g',
      'x-bf-is-fallback': 'true',
      'x-bf-primary-provider': 'openai',
      'x-bf-primary-model': 'm',
    });
    expect(upstream.requests[2]?.json()).toEqual({ model: 'g', messages: ask.messages });
    expect(gateway.traces[0]?.attempts.map((one) => one.provider)).toEqual(['openai', 'openai', 'groq']);
  });

  it('answer with the primary error when all fail', async () => {
    await using upstream = await startReplayUpstream({
      script: [{ status: 404, body: { error: { message: 'first' } } }, { status: 500 }],
    });
    await using gateway = new TestGateway({
      providers: [provider('openai', upstream.url), provider('groq', upstream.url)],
    });
    const sink = await gateway.post(routes.openai, { ...ask, fallbacks: ['groq/g'] });
    expect(sink.statusCode).toBe(404);
    expect(sink.json).toEqual({ error: { message: 'first' } });
    expect(sink.headers['x-bf-provider']).toBe('openai');
    expect(sink.headers['x-bf-is-fallback']).toBe('false');
  });

  it('are tried at once where the primary asks for a long pause', async () => {
    const { sink, requests } = await run(
      [{ status: 429, retryAfter: 30 }, fine],
      { network: { maxRetries: 3 } },
      { ...ask, fallbacks: ['openai/other'] },
    );
    expect(sink.statusCode).toBe(200);
    expect(requests.length).toBe(2);
  });

  it('are not tried after the deadline of the request', async () => {
    const { sink, requests } = await run(
      [{ delivery: { hangBeforeHeaders: true } }, fine],
      { network: { totalTimeoutMs: 60, maxRetries: 3 } },
      { ...ask, fallbacks: ['openai/other'] },
    );
    expect(sink.statusCode).toBe(504);
    expect(sink.text).toContain('request_timed_out');
    expect(requests.length).toBe(1);
  });
});

describe('the clocks of a whole answer', () => {
  it('expire before the headers, and in the body', async () => {
    const late = await run([{ ...fine, delivery: { hangBeforeHeaders: true } }], {
      network: { firstContentTimeoutMs: 50 },
    });
    expect(late.sink.statusCode).toBe(504);
    const silent = await run(
      [{ body: { text: 'x'.repeat(200_000) }, delivery: { cut: { chunks: 2 }, delayBetweenWritesMs: 2000 } }],
      {
        network: { streamIdleTimeoutMs: 80 },
      },
    );
    expect(silent.sink.isDestroyed).toBe(true);
    expect(silent.sink.isEnded).toBe(false);
    expect(silent.trace?.error?.code).toBe('BF_UPSTREAM_TIMEOUT');
  });

  it('the connection is waited for no longer than configured', async () => {
    // The TLS handshake belongs to connecting, and this server never answers one.
    const sockets: Socket[] = [];
    const server = createServer((socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await using gateway = new TestGateway({
      providers: [provider('openai', `https://127.0.0.1:${port}`, { network: { connectTimeoutMs: 200 } })],
    });
    const startedAt = performance.now();
    const sink = await gateway.post(routes.openai, ask);
    expect(sink.statusCode).toBe(504);
    expect(performance.now() - startedAt).toBeGreaterThan(150);
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});

describe('keys', () => {
  it('are drawn by weight, and never with weight 0 beside others', async () => {
    await using upstream = await startReplayUpstream({ otherwise: fine });
    const keys = [key('a', { weight: 3 }), key('b', { weight: 1 }), key('c', { weight: 0 })];
    await using gateway = new TestGateway({ providers: [provider('openai', upstream.url, { keys })] });
    for (let count = 0; count < 400; count += 1) await gateway.post(routes.openai, ask);
    const used = keysUsed(upstream.requests);
    const share = used.filter((one) => one === 'a').length / used.length;
    expect(share).toBeGreaterThan(0.65);
    expect(share).toBeLessThan(0.85);
    expect(used).not.toContain('c');
  });

  it('serve their models and aliases, and what the key is asked for goes upstream', async () => {
    await using upstream = await startReplayUpstream({ otherwise: fine });
    const keys = [key('a', { models: ['m'] }), key('b', { models: ['Fast'], aliases: { Fast: 'wire-model' } })];
    await using gateway = new TestGateway({ providers: [provider('openai', upstream.url, { keys })] });
    expect((await gateway.post(routes.openai, { ...ask, model: 'fast' })).headers['x-bf-key']).toBe('b');
    expect(upstream.requests[0]?.json()['model']).toBe('wire-model');
    const refused = await gateway.post(routes.openai, { ...ask, model: 'openai/none' });
    expect(refused.statusCode).toBe(400);
    expect(refused.text).toContain('no keys found that support model: none');
  });

  it('are pinned by id or name; an unknown pin is an error', async () => {
    await using upstream = await startReplayUpstream({ otherwise: fine });
    await using gateway = new TestGateway({ providers: [provider('openai', upstream.url, { keys: twoKeys })] });
    const pinned = async (headers: Record<string, string>) =>
      (await gateway.post(routes.openai, ask, { headers })).headers['x-bf-key'];
    for (let count = 0; count < 5; count += 1) {
      expect(await pinned({ 'x-bf-api-key': 'b' })).toBe('b');
      expect(await pinned({ 'x-bf-api-key': 'b', 'x-bf-api-key-id': 'id-a' })).toBe('a');
    }
    const unknown = await gateway.post(routes.openai, ask, { headers: { 'x-bf-api-key': 'nope' } });
    expect(unknown.statusCode).toBe(400);
  });
});

describe('the queue of a provider', () => {
  it('lets so many in, the others in order, and refuses excess', async () => {
    await using upstream = await startReplayUpstream({
      otherwise: { ...fine, delivery: { delayBeforeHeadersMs: 30 } },
    });
    const limits = { concurrency: 2, queueSize: 3 };
    await using gateway = new TestGateway({
      providers: [provider('openai', upstream.url, limits)],
      client: { dropExcessRequests: true },
    });
    const sinks = await Promise.all(
      Array.from({ length: 8 }, (_, index) => gateway.post(routes.openai, { ...ask, n: index })),
    );
    expect(sinks.map((one) => one.statusCode)).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
    expect(sinks[7]?.text).toContain('request dropped: queue is full');
    // Two travel at once, on connections of their own: which of the pair is read first is the kernel's choice.
    const order = upstream.requests.map((one) => one.json()['n']);
    expect([new Set(order.slice(0, 2)), new Set(order.slice(2, 4)), order[4]]).toEqual([
      new Set([0, 1]),
      new Set([2, 3]),
      4,
    ]);
  });

  it('is left by a client that goes away', async () => {
    await using upstream = await startReplayUpstream({
      otherwise: { ...fine, delivery: { delayBeforeHeadersMs: 60 } },
    });
    await using gateway = new TestGateway({ providers: [provider('openai', upstream.url, { concurrency: 1 })] });
    const first = gateway.open(routes.openai, ask);
    const second = gateway.open(routes.openai, ask);
    const third = gateway.open(routes.openai, { ...ask, n: 3 });
    second.sink.close();
    await Promise.all([first.done, second.done, third.done]);
    expect(second.sink.statusCode).toBe(0);
    expect(upstream.requests.map((one) => one.json()['n'])).toEqual([undefined, 3]);
  });
});

describe('connections', () => {
  it('are kept, and a call is sent once more when a kept one was reset before any answer', async () => {
    await using upstream = await startReplayUpstream({ script: [fine, { delivery: { refuse: true } }, fine] });
    await using gateway = new TestGateway({ providers: [provider('openai', upstream.url)] });
    expect((await gateway.post(routes.openai, ask)).statusCode).toBe(200);
    await idle();
    expect((await gateway.post(routes.openai, ask)).statusCode).toBe(200);
    await idle();
    expect(upstream.requests.length).toBe(3);
    expect(upstream.requests[1]?.connection).toBe(upstream.requests[0]?.connection);
    expect(upstream.requests[2]?.connection).not.toBe(upstream.requests[1]?.connection);
  });

  it('that are new and reset are not tried again: the provider may have begun', async () => {
    const { sink, requests } = await run([{ delivery: { refuse: true } }, fine]);
    expect(sink.statusCode).toBe(502);
    expect(requests.length).toBe(1);
  });
});
