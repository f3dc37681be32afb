/** Clients that leave: the provider's call is ended, or its answer is read on for the usage that is billed anyway. */
import { recordedBytes, recordingById, startReplayUpstream } from '@bifrost/testkit';
import type { Delivery, Recording, ReplayAnswer, ReplayUpstream } from '@bifrost/testkit';
import type { RequestTrace } from '@bifrost/sdk';
import { describe, expect, it, vi } from 'vitest';
import { chainsOf } from '../plugins/__tests__/chains-of.ts';
import type { TestPlugin } from '../plugins/__tests__/chains-of.ts';
import { parseSse } from '../sse/parser.ts';
import type { FakeSink } from './__tests__/fake-sink.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const recording = recordingById(
  'anthropic/reasoning_stream/llm-anthropic--test-anthropic-test-opus-46-adaptive-thinking-0-4ce2aa',
) as Recording;
const events = parseSse(recordedBytes(recording.response));
const messages = [{ role: 'user', content: 'hi' }];
const body = { model: 'claude', max_tokens: 9, messages };
const drain = { onClientDisconnect: 'drain' } as const;

const whole: ReplayAnswer['body'] = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'x'.repeat(20_000) }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 11, output_tokens: 7 },
};

type Network = NonNullable<Parameters<typeof provider>[2]>['network'];

interface Leaving {
  readonly answer: ReplayAnswer;
  readonly network?: Network;
  readonly route?: Parameters<TestGateway['post']>[0];
  readonly plugin?: TestPlugin;
  readonly isStream?: boolean;
  /** When the client goes. @default once it has a byte of the answer */
  readonly leave?: (upstream: ReplayUpstream, sink: FakeSink) => Promise<void>;
  readonly definition?: { readonly onClientDisconnect: 'cancel' | 'drain' };
}

const afterBytes = async (_: ReplayUpstream, sink: FakeSink): Promise<void> => {
  await vi.waitFor(() => expect(sink.chunks.length).toBeGreaterThan(0), { interval: 2, timeout: 10_000 });
};
const afterWrites = (writes: number) => async (upstream: ReplayUpstream) => {
  const request = await upstream.request(0);
  await vi.waitFor(() => expect(request.writesSent).toBeGreaterThanOrEqual(writes), { interval: 2, timeout: 10_000 });
};

async function leaveAfter({ network = drain, isStream = true, leave = afterBytes, ...more }: Leaving) {
  await using upstream = await startReplayUpstream({ script: [more.answer] });
  const chains = more.plugin === undefined ? {} : { plugins: chainsOf([more.plugin]).chains };
  const definition = more.definition ?? {};
  await using gateway = new TestGateway({
    providers: [provider('anthropic', upstream.url, { network, definition })],
    ...chains,
  });
  const { sink, done } = gateway.open(more.route ?? routes.anthropic, {
    ...body,
    model: more.route === undefined ? 'claude' : 'anthropic/claude',
    stream: isStream,
  });
  await leave(upstream, sink);
  const leftAt = Date.now();
  sink.close();
  await done;
  expect(upstream.requests).toHaveLength(1);
  const [request] = upstream.requests;
  return { trace: gateway.traces[0] as RequestTrace, request, leftAt, tookMs: Date.now() - leftAt };
}

/** What the answer reports when nobody leaves. */
async function usageOf(answer: ReplayAnswer, isStream: boolean): Promise<RequestTrace['usage']> {
  await using upstream = await startReplayUpstream({ script: [answer] });
  await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)] });
  await gateway.post(routes.anthropic, { ...body, stream: isStream });
  return gateway.traces[0]?.usage;
}

const paced: ReplayAnswer = { recording, delivery: { cut: 'events', delayBetweenWritesMs: 4 } };
const looks: TestPlugin = { name: 'looks', streamEventHook: () => undefined };
const looksAtChunks: TestPlugin = { name: 'looks', httpTransportStreamChunkHook: () => undefined };

describe('a stream whose client leaves', () => {
  const ways = [
    ['passed', {}],
    ['seen by a plugin', { plugin: looks }],
    ['seen by a plugin chunk by chunk', { plugin: looksAtChunks }],
    ['translated', { route: routes.chat }],
  ] as const;

  it.each(ways)(
    'that is %s is read on with drain, at any point, and its usage is that of the whole answer',
    async (_, way) => {
      const full = await usageOf({ recording }, true);
      expect(full?.outputTokens).toBeGreaterThan(10);
      const points: Leaving['leave'][] = [
        async (upstream) => void (await upstream.request(0)),
        afterWrites(1),
        afterBytes,
        afterWrites(Math.floor(events.length / 2)),
        afterWrites(events.length - 3),
      ];
      await Promise.all(
        points.map(async (leave, point) => {
          const { trace } = await leaveAfter({ answer: paced, ...way, ...(leave === undefined ? {} : { leave }) });
          expect(trace.usage, `point ${point}`).toEqual(full);
          expect(trace).toMatchObject({ statusCode: 499, drain: { outcome: 'complete' } });
          expect(trace.error).toBeUndefined();
        }),
      );
    },
  );

  it.each(ways)('that is %s is broken off with cancel, with what was reported until then', async (_, way) => {
    const full = await usageOf({ recording }, true);
    const { trace, request, leftAt } = await leaveAfter({ answer: paced, network: {}, ...way });
    expect((await request?.closed) ?? 0).toBeLessThan(leftAt + 500);
    expect(trace.statusCode).toBe(499);
    expect(trace).not.toHaveProperty('drain');
    expect(trace.usage?.inputTokens).toBe(full?.inputTokens);
    expect(trace.usage?.outputTokens ?? 0).toBeLessThan(full?.outputTokens ?? 0);
  });

  it('counts as long as the client was there, and is read no longer than the provider has to say', async () => {
    const delivery: Delivery = { hangAfterEvents: events.length, commentsEveryMs: 20 };
    const { trace, tookMs } = await leaveAfter({ answer: { recording, delivery: { ...delivery, cut: 'events' } } });
    expect(trace.drain?.outcome).toBe('complete');
    expect(trace.drain?.latencyMs).toBeGreaterThan(900);
    expect(trace.latencyMs).toBeLessThan(tookMs);
    expect(tookMs).toBeLessThan(6000);
  });
});

describe('a whole answer whose client leaves', () => {
  it('is read on with drain, before its head and in its body, and its usage is told', async () => {
    const full = await usageOf({ body: whole }, false);
    expect(full).toMatchObject({ inputTokens: 11, outputTokens: 7 });
    const early = await leaveAfter({
      answer: { body: whole, delivery: { delayBeforeHeadersMs: 80 } },
      isStream: false,
      leave: async (upstream) => void (await upstream.request(0)),
    });
    const inBody = { body: whole, delivery: { cut: { chunks: 10 }, delayBetweenWritesMs: 10 } } as const;
    const late = await leaveAfter({ answer: inBody, isStream: false });
    const translated = await leaveAfter({ answer: inBody, isStream: false, route: routes.chat, leave: afterWrites(2) });
    for (const { trace } of [early, late, translated]) {
      expect(trace.usage).toEqual(full);
      expect(trace.drain?.outcome).toBe('complete');
    }
  });

  it('is broken off with cancel, its usage unknown', async () => {
    const { trace } = await leaveAfter({
      answer: { body: whole, delivery: { delayBeforeHeadersMs: 500 } },
      network: {},
      isStream: false,
      leave: async (upstream) => void (await upstream.request(0)),
    });
    expect(trace.usage).toBeUndefined();
    expect(trace).not.toHaveProperty('drain');
  });

  it('holds its place in the queue of the provider until it is read', async () => {
    await using upstream = await startReplayUpstream({
      script: [{ body: whole, delivery: { delayBeforeHeadersMs: 200 } }, { body: whole }],
    });
    await using gateway = new TestGateway({
      providers: [provider('anthropic', upstream.url, { network: drain, concurrency: 1 })],
    });
    const first = gateway.open(routes.anthropic, body);
    await upstream.request(0);
    first.sink.close();
    const second = gateway.open(routes.anthropic, body);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(upstream.requests).toHaveLength(1);
    await Promise.all([first.done, second.done]);
    expect(second.sink.statusCode).toBe(200);
  });
});

describe('the limits of drain', () => {
  const hanging: ReplayAnswer = { recording, delivery: { cut: 'events', hangAfterEvents: 4 } };

  it.each([
    ['idle', { streamIdleTimeoutMs: 150 }],
    ['time', { drainTimeoutMs: 150 }],
  ] as const)('end it by %s, with what was reported until then', async (outcome, limits) => {
    const { trace, request, tookMs } = await leaveAfter({ answer: hanging, network: { ...drain, ...limits } });
    expect(trace.drain?.outcome).toBe(outcome);
    expect(trace.usage?.inputTokens).toBeGreaterThan(0);
    expect(tookMs).toBeLessThan(2000);
    await request?.closed;
  });

  it('end it by silence behind a head that came after the client had left', async () => {
    const { trace } = await leaveAfter({
      answer: { recording, delivery: { cut: 'events', hangAfterEvents: 4, delayBeforeHeadersMs: 50 } },
      network: { ...drain, streamIdleTimeoutMs: 150 },
      leave: async (upstream) => void (await upstream.request(0)),
    });
    expect(trace.drain?.outcome).toBe('idle');
    expect(trace.usage?.inputTokens).toBeGreaterThan(0);
  });

  it('end it by size', async () => {
    const answer: ReplayAnswer = { body: whole, delivery: { cut: { chunks: 20 }, delayBetweenWritesMs: 5 } };
    const { trace, request } = await leaveAfter({
      answer,
      network: { ...drain, drainMaxBytes: 4000 },
      isStream: false,
    });
    expect(trace.drain?.outcome).toBe('size');
    expect(trace.drain?.bytes).toBeLessThan(8000);
    await request?.closed;
  });

  it('let no failure of the provider be tried again', async () => {
    const answer: ReplayAnswer = { status: 503, delivery: { delayBeforeHeadersMs: 80 } };
    const { trace } = await leaveAfter({
      answer,
      network: { ...drain, maxRetries: 3 },
      leave: async (upstream) => void (await upstream.request(0)),
    });
    expect(trace.drain?.outcome).toBe('failed');
  });
});

describe('who says whether to drain', () => {
  it('is the definition of the provider where the configuration says nothing', async () => {
    const definition = { onClientDisconnect: 'drain' } as const;
    const byDefinition = await leaveAfter({ answer: paced, network: {}, definition });
    expect(byDefinition.trace.drain?.outcome).toBe('complete');
    const overruled = await leaveAfter({ answer: paced, network: { onClientDisconnect: 'cancel' }, definition });
    expect(overruled.trace).not.toHaveProperty('drain');
  });

  it('an engine that shuts down waits for what is being read', async () => {
    await using upstream = await startReplayUpstream({
      script: [{ body: whole, delivery: { delayBeforeHeadersMs: 150 } }],
    });
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url, { network: drain })] });
    const { sink } = gateway.open(routes.anthropic, body);
    await upstream.request(0);
    sink.close();
    expect(gateway.traces).toHaveLength(0);
    await gateway.engine.drain();
    expect(gateway.traces[0]).toMatchObject({ drain: { outcome: 'complete' }, usage: { outputTokens: 7 } });
  });

  it('a client that read too slowly and left does not leave the answer unread', async () => {
    const text = 'x'.repeat(60_000);
    const delta = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } };
    const long = [
      ...events.slice(0, 3),
      ...Array.from({ length: 200 }, () => ({ event: 'content_block_delta', data: JSON.stringify(delta) })),
      ...events.slice(-2),
    ];
    await using upstream = await startReplayUpstream({ script: [{ events: long, delivery: 'events' }] });
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url, { network: drain })] });
    const { sink, done } = gateway.open(routes.anthropic, { ...body, stream: true });
    sink.onWrite = () => false;
    await vi.waitFor(() => expect(sink.chunks.length).toBeGreaterThan(0));
    sink.close();
    await done;
    expect(gateway.traces[0]?.drain?.outcome).toBe('complete');
    expect(gateway.traces[0]?.drain?.bytes).toBeGreaterThan(1_000_000);
    expect(gateway.traces[0]?.usage).toEqual(await usageOf({ recording }, true));
  });
});
