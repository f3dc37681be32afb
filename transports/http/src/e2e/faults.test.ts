/** Faults of providers and clients, through the whole program: each ends in a retry, a fallback or a typed error, never in a clean lie. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from '@bifrost/sdk';
import { openPost, postJson, startReplayUpstream } from '@bifrost/testkit';
import type { Delivery, ReplayUpstream } from '@bifrost/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';

const chatStream =
  'openai/parallel_tools_stream/mirascope--test-call-with-tools-openai-gpt-4o-completions-async-stream-0-4e575b';
const anthropicStream =
  'anthropic/reasoning_stream/llm-anthropic--test-anthropic-test-opus-46-adaptive-thinking-0-4ce2aa';

const key = { name: 'test', value: 'sk-upstream', models: ['*'], weight: 1 };

function configFor(url: string): JsonObject {
  const provider = (network: JsonObject = {}): JsonObject => ({
    keys: [key],
    network_config: {
      base_url: url,
      default_request_timeout_in_seconds: 1,
      stream_idle_timeout_in_seconds: 5,
      ...network,
    },
  });
  return {
    providers: {
      openai: provider(),
      anthropic: provider(),
      groq: provider(),
      // Read slowly on purpose: its first content has to wait for the sockets as long as that takes.
      together: provider({ default_request_timeout_in_seconds: 60, stream_idle_timeout_in_seconds: 60 }),
      gemini: provider(),
      deepseek: provider({ max_retries: 2, retry_backoff_initial: 100, retry_backoff_max: 200 }),
    },
  };
}

const chatBody = (model: string, extra: JsonObject = {}): JsonObject => ({
  model,
  messages: [{ role: 'user', content: 'hello' }],
  stream: true,
  ...extra,
});
const messagesBody = (model: string): JsonObject => ({ ...chatBody(model), max_tokens: 100 });

/** The same conversation by each client, with what its error event looks like. */
const clients = [
  {
    name: 'chat',
    path: '/v1/chat/completions',
    body: chatBody,
    isError: (text: string) => /data: \{.*"error"/.test(text),
  },
  {
    name: 'messages',
    path: '/anthropic/v1/messages',
    body: messagesBody,
    isError: (text: string) => /event: error\ndata: \{/.test(text),
  },
  {
    name: 'responses',
    path: '/v1/responses',
    body: (model: string): JsonObject => ({ model, input: 'hello', stream: true }),
    isError: (text: string) => /event: (error|response\.failed)\n/.test(text),
  },
  {
    name: 'gemini',
    path: '/genai/v1beta/models/MODEL:streamGenerateContent?alt=sse',
    body: (): JsonObject => ({ contents: [{ role: 'user', parts: [{ text: 'hello' }] }] }),
    isError: (text: string) => /data: \{.*"error"/.test(text),
  },
];

const isCleanEnd = (text: string): boolean => /\[DONE\]|message_stop|response\.completed|"finishReason"/.test(text);

describe.each([1, 2])('with %i serving threads', (threads) => {
  let upstream: ReplayUpstream;
  let gateway: GatewayProcess;
  beforeAll(async () => {
    upstream = await startReplayUpstream();
    gateway = await startGatewayProcess(configFor(upstream.url), ['-threads', String(threads), '-log-level', 'error']);
  });
  beforeEach(() => upstream.reset());
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await upstream.close();
  });

  const faults: readonly { readonly name: string; readonly delivery: Delivery }[] = [
    { name: 'killed in the middle of an event', delivery: { dieAfterEvents: 6 } },
    { name: 'ended cleanly without its terminal event', delivery: { endAfterEvents: 6 } },
    { name: 'an error as fifth event', delivery: { errorAtEvent: 5 } },
  ];
  const sources = [
    { recording: chatStream, model: 'openai/gpt-4o' },
    { recording: anthropicStream, model: 'anthropic/claude-opus-4-6' },
  ];

  describe.each(clients)('a $name client', (client) => {
    for (const { recording, model } of sources) {
      it.each(faults)(`gets a typed error event from ${model} when its stream is $name`, async ({ delivery }) => {
        upstream.script([{ recording, delivery: { cut: 'events', delayBetweenWritesMs: 1, ...delivery } }]);
        const path = client.path.replace('MODEL', encodeURIComponent(model));
        const answer = await postJson(`${gateway.url}${path}`, client.body(model));
        expect(answer.status).toBe(200);
        expect(answer.isComplete).toBe(true);
        const text = answer.text();
        expect(client.isError(text), text.slice(-600)).toBe(true);
        expect(isCleanEnd(text), text.slice(-600)).toBe(false);
      });
    }

    it('is served by a fallback when the first events are lifecycle and then an error', async () => {
      for (const errorAtEvent of [1, 2]) {
        upstream.reset();
        upstream.script([
          { recording: anthropicStream, delivery: { cut: 'events', errorAtEvent } },
          { recording: chatStream, delivery: 'events' },
        ]);
        const path = client.path.replace('MODEL', encodeURIComponent('anthropic/claude-opus-4-6'));
        const body = { ...client.body('anthropic/claude-opus-4-6'), fallbacks: ['openai/gpt-4o'] };
        const answer = await postJson(`${gateway.url}${path}`, body);
        expect(answer.status).toBe(200);
        expect(answer.headers['x-bf-is-fallback']).toBe('true');
        expect(upstream.requests).toHaveLength(2);
        expect(isCleanEnd(answer.text())).toBe(true);
        expect(client.isError(answer.text())).toBe(false);
      }
    });
  });

  it('a stream silent for longer than the idle clock gets a typed error event, in every dialect', async () => {
    const cases = clients.flatMap((client) =>
      sources.map((source, n) => ({ client, ...source, id: `${client.name}-${n}` })),
    );
    const delivery: Delivery = { cut: 'events', hangAfterEvents: 6 };
    upstream.script(
      cases.map(({ recording, id }) => ({ recording, delivery, when: (request) => request.headers['x-case'] === id })),
    );
    const answers = await Promise.all(
      cases.map(({ client, model, id }) =>
        postJson(`${gateway.url}${client.path.replace('MODEL', encodeURIComponent(model))}`, client.body(model), {
          'x-bf-eh-x-case': id,
        }),
      ),
    );
    for (const [index, answer] of answers.entries()) {
      const text = answer.text();
      expect([answer.status, answer.isComplete, isCleanEnd(text)], text.slice(-400)).toEqual([200, true, false]);
      expect(cases[index]?.client.isError(text), text.slice(-400)).toBe(true);
      expect(answer.endAfterMs).toBeGreaterThan(4900);
      expect(answer.endAfterMs).toBeLessThan(8000);
    }
  });

  describe('before the commit point', () => {
    const silent: readonly { readonly name: string; readonly delivery: Delivery }[] = [
      { name: 'never sends headers', delivery: { hangBeforeHeaders: true } },
      { name: 'sends headers and no body', delivery: { hangAfterHeaders: true } },
      { name: 'sends lifecycle events and no content', delivery: { cut: 'events', hangAfterEvents: 1 } },
    ];
    it.each(silent)('a provider that $name is replaced by the fallback', async ({ delivery }) => {
      upstream.script([{ recording: anthropicStream, delivery }, { recording: chatStream }]);
      const body = chatBody('anthropic/claude-opus-4-6', { fallbacks: ['openai/gpt-4o'] });
      const answer = await postJson(`${gateway.url}/v1/chat/completions`, body);
      expect([answer.status, answer.headers['x-bf-provider']]).toEqual([200, 'openai']);
      expect(answer.endAfterMs).toBeGreaterThan(900);
    });

    it.each(silent)('a provider that $name gives 504 when nothing else is left', async ({ delivery }) => {
      upstream.script([{ recording: anthropicStream, delivery }]);
      const answer = await postJson(`${gateway.url}/v1/chat/completions`, chatBody('anthropic/claude-opus-4-6'));
      expect(answer.status).toBe(504);
      expect(JSON.stringify(answer.json())).toMatch(/timed out|timeout/i);
    });

    it('two failures give the primary error with its status', async () => {
      upstream.script([{ status: 529, dialect: 'anthropic-messages' }, { status: 500 }]);
      const body = chatBody('anthropic/claude-opus-4-6', { fallbacks: ['openai/gpt-4o'] });
      const answer = await postJson(`${gateway.url}/v1/chat/completions`, body);
      expect(answer.status).toBe(529);
      expect(upstream.requests).toHaveLength(2);
    });

    it('500s are retried on the same key, as often as configured', async () => {
      upstream.script([{ status: 500 }, { delivery: { refuse: true } }, { recording: chatStream }]);
      const answer = await postJson(`${gateway.url}/v1/chat/completions`, chatBody('deepseek/deepseek-chat'));
      expect([answer.status, upstream.requests.length]).toEqual([200, 3]);
    });
  });

  describe('a client that goes away', () => {
    const points: readonly {
      readonly name: string;
      readonly delivery: Delivery;
      readonly abortAfterEvents?: number;
    }[] = [
      { name: 'before the provider sent headers', delivery: { hangBeforeHeaders: true } },
      { name: 'after headers, before content', delivery: { hangAfterHeaders: true } },
      { name: 'after the first event', delivery: { cut: 'events', hangAfterEvents: 3 }, abortAfterEvents: 1 },
      { name: 'in the middle', delivery: { cut: 'events', delayBetweenWritesMs: 5 }, abortAfterEvents: 4 },
      { name: 'just before the end', delivery: { cut: 'events', hangAfterEvents: 12 }, abortAfterEvents: 9 },
    ];
    const abortMs = async ({ delivery, abortAfterEvents }: Omit<(typeof points)[number], 'name'>): Promise<number> => {
      upstream.reset();
      upstream.script([{ recording: chatStream, delivery }]);
      const controller = new AbortController();
      let leftAt = 0;
      const options = abortAfterEvents === undefined ? { signal: controller.signal } : { abortAfterEvents };
      const call = postJson(`${gateway.url}/v1/chat/completions`, chatBody('openai/gpt-4o'), {}, options).catch(
        () => undefined,
      );
      const request = await upstream.request(0);
      if (abortAfterEvents === undefined) {
        await request.received;
        await sleep(50);
        leftAt = Date.now();
        controller.abort();
      } else {
        await call;
        leftAt = Date.now();
      }
      const closedAt = await request.closed;
      await call;
      return closedAt - leftAt;
    };
    it.each(points)('$name aborts the provider call within 100 ms', async (point) => {
      // A busy machine may stall this very process: the best of three tells what the gateway takes.
      let best = await abortMs(point);
      for (let tries = 1; best >= 100 && tries < 3; tries++) best = Math.min(best, await abortMs(point));
      expect(best).toBeLessThan(100);
    });
  });

  it('waits for a slow reader instead of holding its stream', async () => {
    const event = `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"${'x'.repeat(64_000)}"}}]}\n\n`;
    const end =
      'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
    const body = `${event.repeat(600)}${end}`;
    upstream.script([{ body, headers: { 'content-type': 'text/event-stream' }, delivery: 'events' }]);
    const { response, call } = await openPost(`${gateway.url}/v1/chat/completions`, chatBody('together/gpt-4o'));
    response.pause();
    const request = await upstream.request(0);
    await sleep(500);
    const stalledAt = request.bytesSent;
    expect(stalledAt).toBeLessThan(16_000_000); // sockets' buffers on both sides hold some; the rest waits at its source
    let received = 0;
    for await (const chunk of response) received += (chunk as Buffer).length;
    expect(received).toBeGreaterThanOrEqual(body.length);
    call.destroy();
  });
});

function isAccepted(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

describe('graceful shutdown', () => {
  it('cuts none of 1,000 live streams and accepts nothing new', async () => {
    await using upstream = await startReplayUpstream();
    const config = { providers: { openai: { keys: [key], network_config: { base_url: upstream.url } } } };
    await using gateway = await startGatewayProcess(config, ['-threads', '2', '-log-level', 'error']);
    const count = 1000;
    upstream.script([{ recording: chatStream, times: count, delivery: { cut: 'events', delayBetweenWritesMs: 200 } }]);
    const calls = Array.from({ length: count }, () =>
      postJson(`${gateway.url}/v1/chat/completions`, chatBody('openai/gpt-4o')),
    );
    await upstream.request(count - 1);
    gateway.kill('SIGTERM');
    const port = Number(new URL(gateway.url).port);
    let isAccepting = true;
    // The streams go on for seconds; the socket is closed as soon as every thread has heard of the signal.
    for (let tries = 0; tries < 40 && isAccepting; tries++) {
      await sleep(50);
      isAccepting = await isAccepted(port);
    }
    expect(isAccepting).toBe(false);
    const answers = await Promise.all(calls);
    const cut = answers.filter(
      (answer) => answer.status !== 200 || !answer.isComplete || !answer.text().includes('[DONE]'),
    );
    expect(cut).toHaveLength(0);
    expect(await gateway.exited).toBe(0);
  }, 60_000);
});
