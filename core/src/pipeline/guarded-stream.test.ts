import { startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer } from '@bifrost/testkit';
import { describe, expect, it, vi } from 'vitest';
import type { ThroughputGuard } from '../config.ts';
import { parseSse } from '../sse/parser.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';
import type { InboundRoute } from './seam.ts';

const chunk = (delta: object, finish: string | null = null) => ({
  data: JSON.stringify({
    id: 'c',
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: finish }],
  }),
});
const done = [chunk({}, 'stop'), { data: '[DONE]' }];
const words = (text: string, count: number) => Array.from({ length: count }, () => chunk({ content: text }));
const role = chunk({ role: 'assistant', content: '' });

/** Two characters every 50 ms. */
const trickle: ReplayAnswer = {
  events: [role, ...words('zz', 200), ...done],
  delivery: { cut: 'events', delayBetweenWritesMs: 50 },
};
/** The same from the start on, after enough of a beginning. */
const tired: ReplayAnswer = {
  events: [role, chunk({ content: 'a good start '.repeat(30) }), ...words('zz', 200), ...done],
  delivery: { cut: 'events', delayBetweenWritesMs: 50 },
};
const brisk: ReplayAnswer = {
  events: [role, ...words('twenty characters..!', 30), ...done],
  delivery: { cut: 'events', delayBetweenWritesMs: 5 },
};
const guard: ThroughputGuard = { minCharactersPerSecond: 200, probeWindowMs: 400, watchWindowMs: 0 };
const watching: ThroughputGuard = { ...guard, watchWindowMs: 400 };

const messages = [{ role: 'user', content: 'hi' }];
const clients: readonly (readonly [string, InboundRoute, object, RegExp])[] = [
  ['chat', routes.chat, { messages }, /"error"/],
  ['responses', routes.responses, { input: 'hi' }, /"type":"(error|response\.failed)"/],
  ['anthropic', routes.anthropic, { messages, max_tokens: 9 }, /"type":"error"/],
  [
    'gemini',
    { ...routes.gemini, pathModel: 'openai/m', pathStream: true, streamFraming: 'sse' },
    { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] },
    /"error"/,
  ],
];

interface Setting {
  readonly throughputGuard?: ThroughputGuard;
  readonly maxRetries?: number;
  readonly route?: InboundRoute;
  readonly body?: object;
}

async function run(script: readonly ReplayAnswer[], setting: Setting = {}) {
  await using upstream = await startReplayUpstream({ script });
  const { throughputGuard, maxRetries = 0, route = routes.chat, body = { messages } } = setting;
  const network = { maxRetries, ...(throughputGuard === undefined ? {} : { throughputGuard }) };
  const openai = provider('openai', upstream.url, { network });
  const surfaces = openai.definition.surfaces.filter(({ dialect }) => dialect === 'openai-chat');
  await using gateway = new TestGateway({
    providers: [{ ...openai, definition: { ...openai.definition, surfaces } }, provider('groq', upstream.url)],
  });
  const startedAt = performance.now();
  const sink = await gateway.post(route, { model: 'openai/m', stream: true, ...body });
  return {
    sink,
    tookMs: performance.now() - startedAt,
    trace: gateway.traces[0],
    requests: upstream.requests,
    heard: parseSse(sink.text).map((event) => event.data),
  };
}

describe.concurrent('a stream that trickles from its beginning', () => {
  it('is replaced by a retry, unseen by the client', async () => {
    const { sink, requests, trace } = await run([trickle, brisk], { throughputGuard: guard, maxRetries: 1 });
    expect([sink.statusCode, requests.length]).toEqual([200, 2]);
    expect(sink.text).not.toContain('zz');
    expect(sink.text).toContain('twenty characters');
    expect(trace?.attempts.map((one) => one.failure)).toEqual(['transient', undefined]);
    expect(await requests[0]?.closed).toBeGreaterThan(0);
  });

  it('is replaced by a fallback', async () => {
    const { sink } = await run([trickle, brisk], { throughputGuard: guard, body: { messages, fallbacks: ['groq/m'] } });
    expect([sink.statusCode, sink.headers['x-bf-provider']]).toEqual([200, 'groq']);
    expect(sink.text).not.toContain('zz');
  });

  it('is answered 503 where nothing else is left', async () => {
    const { sink, tookMs } = await run([trickle], { throughputGuard: guard });
    expect(sink.statusCode).toBe(503);
    expect(sink.text).toContain('stream_throughput_below_minimum');
    expect(tookMs).toBeLessThan(3000);
  });

  it('passes where nobody asks for a rate', async () => {
    const slow: ReplayAnswer = { ...trickle, events: [role, ...words('zz', 10), ...done] };
    const { sink, heard } = await run([slow]);
    expect([sink.statusCode, heard.at(-1)]).toEqual([200, '[DONE]']);
  });
});

describe.concurrent('a stream that tires after its beginning', () => {
  it.each(clients)('ends with a typed error event for a client of %s', async (_, route, body, error) => {
    const { sink, heard, trace, tookMs } = await run([tired], { throughputGuard: watching, route, body });
    expect(sink.statusCode).toBe(200);
    expect(sink.text).toContain('a good start');
    expect(heard.at(-1)).toMatch(error);
    expect(sink.text).not.toMatch(/\[DONE\]|message_stop|response\.completed|"finishReason"/);
    expect(trace?.error?.code).toBe('stream_throughput_below_minimum');
    expect(tookMs).toBeLessThan(5000);
  });

  it('goes on where only the beginning is looked at', async () => {
    const short: ReplayAnswer = { ...tired, events: [...(tired.events ?? []).slice(0, 12), ...done] };
    const { heard, trace } = await run([short], { throughputGuard: guard });
    expect(heard.at(-1)).toBe('[DONE]');
    expect(trace?.error).toBeUndefined();
  });
});

describe.concurrent('the guard', () => {
  it('lets a stream that is fast enough pass in its own bytes', async () => {
    const { sink, requests, trace } = await run([brisk], { throughputGuard: watching });
    expect(requests).toHaveLength(1);
    expect(trace?.lane).toBe('spliced');
    expect(sink.text).toBe((await run([brisk])).sink.text);
  });

  it('lets an answer pass that is too short to show a rate', async () => {
    const { heard, tookMs } = await run([{ events: [role, ...words('yes', 1), ...done] }], {
      throughputGuard: { ...watching, probeWindowMs: 30_000 },
    });
    expect(heard.at(-1)).toBe('[DONE]');
    expect(tookMs).toBeLessThan(3000);
  });

  it('does not count the silence before the first character', async () => {
    const thinking: ReplayAnswer = {
      events: [role, ...words('twenty characters..!', 30), ...done],
      delivery: { cut: 'events', delayBeforeBodyMs: 900 },
    };
    const { heard } = await run([thinking], { throughputGuard: watching });
    expect(heard.at(-1)).toBe('[DONE]');
  });

  it('leaves a stream alone that it cannot read', async () => {
    const odd: ReplayAnswer = { events: [{ data: 'no json at all' }, ...done], delivery: 'events' };
    const guarded = await run([odd], { throughputGuard: watching });
    expect(guarded.sink.text).toBe((await run([odd])).sink.text);
  });

  it('does not hold a client that reads slowly against the provider', async () => {
    await using upstream = await startReplayUpstream({
      script: [{ events: [role, ...words('x'.repeat(20_000), 400), ...done], delivery: 'events' }],
    });
    const network = { throughputGuard: { ...watching, minCharactersPerSecond: 100_000 } };
    await using gateway = new TestGateway({ providers: [provider('openai', upstream.url, { network })] });
    const { sink, done: ended } = gateway.open(routes.chat, { model: 'openai/m', stream: true, messages });
    let isBlocked = true;
    sink.onWrite = () => !isBlocked;
    await vi.waitFor(() => expect(sink.chunks.length).toBeGreaterThan(0));
    await new Promise((resolve) => setTimeout(resolve, 1200));
    isBlocked = false;
    sink.drain();
    await ended;
    expect(gateway.traces[0]?.error).toBeUndefined();
    expect(parseSse(sink.text).at(-1)?.data).toBe('[DONE]');
  });

  it('keeps what a stream had reported whose client leaves while its beginning is held back', async () => {
    const reported = { id: 'c', choices: [], usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 } };
    const events = [role, { data: JSON.stringify(reported) }, ...words('zz', 200), ...done];
    for (const policy of ['cancel', 'drain'] as const) {
      await using upstream = await startReplayUpstream({
        script: [
          { events: policy === 'cancel' ? events : [...events.slice(0, 8), ...done], delivery: trickle.delivery ?? {} },
        ],
      });
      const network = { throughputGuard: { ...guard, probeWindowMs: 30_000 }, onClientDisconnect: policy };
      await using gateway = new TestGateway({ providers: [provider('openai', upstream.url, { network })] });
      const { sink, done: ended } = gateway.open(routes.chat, { model: 'openai/m', stream: true, messages });
      const request = await upstream.request(0);
      await vi.waitFor(() => expect(request.writesSent).toBeGreaterThan(4), { interval: 5 });
      sink.close();
      await ended;
      expect(gateway.traces[0]).toMatchObject({ statusCode: 499, usage: { inputTokens: 5 } });
      expect(gateway.traces[0]?.drain?.outcome).toBe(policy === 'drain' ? 'complete' : undefined);
    }
  });

  it('gives a stream of large events up that says nothing', async () => {
    const padded = { data: JSON.stringify({ id: 'c', pad: 'p'.repeat(60_000), choices: [] }) };
    const { sink } = await run([{ events: Array.from({ length: 30 }, () => padded), delivery: 'events' }], {
      throughputGuard: guard,
    });
    expect(sink.statusCode).toBe(503);
    expect(sink.text).toContain('stream_throughput_probe_buffer_exceeded');
  });
});
