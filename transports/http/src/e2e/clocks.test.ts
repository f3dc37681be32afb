/** The clock of connections and the deadline of a whole request, through the whole program. */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { JsonObject } from '@bifrost/sdk';
import { postJson, startReplayUpstream } from '@bifrost/testkit';
import type { PostResult, ReplayUpstream } from '@bifrost/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';

const chatStream =
  'openai/parallel_tools_stream/mirascope--test-call-with-tools-openai-gpt-4o-completions-async-stream-0-4e575b';

/** A server that takes connections and never says a word: no TLS handshake ends with it. */
class SilentServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  connections = 0;

  constructor() {
    this.#server = createServer((socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

const body = (model: string, extra: JsonObject = {}): JsonObject => ({
  model,
  messages: [{ role: 'user', content: 'hello' }],
  stream: true,
  ...extra,
});

describe.each([1, 2])('with %i serving threads', (threads) => {
  const silent = new SilentServer();
  let upstream: ReplayUpstream;
  let gateway: GatewayProcess;
  const ask = (model: string, extra?: JsonObject): Promise<PostResult> =>
    postJson(`${gateway.url}/v1/chat/completions`, body(model, extra));

  beforeAll(async () => {
    upstream = await startReplayUpstream();
    const provider = (base_url: string, network: JsonObject): JsonObject => ({
      keys: [{ name: 'test', value: 'sk-upstream', models: ['*'], weight: 1 }],
      network_config: { base_url, ...network },
    });
    const late = {
      request_deadline_in_seconds: 1,
      max_retries: 30,
      retry_backoff_initial: 100,
      retry_backoff_max: 100,
    };
    const providers = {
      groq: provider(await silent.listen(), { connect_timeout_in_seconds: 1 }),
      openai: provider(upstream.url, {}),
      deepseek: provider(upstream.url, late),
      mistral: provider(upstream.url, {
        stream_throughput_guard: { minimum_output_characters_per_second: 250, probe_window_in_seconds: 1 },
      }),
    };
    gateway = await startGatewayProcess({ providers }, ['-threads', String(threads), '-log-level', 'error']);
  });
  beforeEach(() => upstream.reset());
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await upstream.close();
    silent.close();
  });

  describe('a provider that cannot be connected to in time', () => {
    it('is replaced by the fallback', async () => {
      upstream.script([{ recording: chatStream }]);
      const answer = await ask('groq/llama', { fallbacks: ['openai/gpt-4o'] });
      expect([answer.status, answer.headers['x-bf-provider']]).toEqual([200, 'openai']);
      expect(answer.endAfterMs).toBeGreaterThan(900);
      expect(answer.endAfterMs).toBeLessThan(4000);
    });

    it('gives 504 when nothing else is left', async () => {
      const answer = await ask('groq/llama');
      expect(answer.status).toBe(504);
      expect(answer.text()).toMatch(/connect/i);
      expect(answer.endAfterMs).toBeLessThan(4000);
    });
  });

  it('a stream that trickles is replaced by the fallback before the client sees any of it', async () => {
    upstream.script([
      { recording: chatStream, delivery: { cut: 'events', delayBetweenWritesMs: 250 } },
      { recording: chatStream },
    ]);
    const answer = await ask('mistral/mistral-large', { fallbacks: ['openai/gpt-4o'] });
    expect([answer.status, answer.headers['x-bf-provider'], upstream.requests.length]).toEqual([200, 'openai', 2]);
    expect(answer.text().match(/\[DONE\]/g)).toHaveLength(1);
    expect(answer.endAfterMs).toBeGreaterThan(900);
    const timing = String(answer.headers['server-timing']);
    expect(Number(/retry;dur=([\d.]+)/.exec(timing)?.[1])).toBeGreaterThan(900);
  });

  it('Server-Timing adds up to what the client waited for a whole answer', async () => {
    const waits: number[] = [];
    // A busy machine may stall the client itself: the best of three tells what the gateway says.
    for (let tries = 0; tries < 3 && !waits.some((share) => share > 0.95 && share < 1.05); tries += 1) {
      upstream.script([{ body: { id: 'c', choices: [] }, delivery: { delayBeforeHeadersMs: 300 } }]);
      const answer = await ask('openai/gpt-4o', { stream: false });
      const parts = String(answer.headers['server-timing']).matchAll(/(\w+);dur=([\d.]+)/g);
      const sum = [...parts].reduce((total, [, name, ms]) => (name === 'total' ? total : total + Number(ms)), 0);
      waits.push(sum / answer.endAfterMs);
    }
    expect(waits.filter((share) => share > 0.95 && share < 1.05)).toHaveLength(1);
  });

  describe('the deadline of the whole request', () => {
    it('ends the retries, with what the provider said, when no further one fits in', async () => {
      upstream.script(Array.from({ length: 40 }, () => ({ status: 503, delivery: 'whole' as const })));
      const answer = await ask('deepseek/deepseek-chat');
      expect([answer.status, upstream.requests.length > 1]).toEqual([503, true]);
      expect(upstream.requests.length).toBeLessThan(14);
      expect(answer.endAfterMs).toBeGreaterThan(500);
      expect(answer.endAfterMs).toBeLessThan(2500);
    });

    it('holds for a fallback too', async () => {
      upstream.script([{ delivery: { hangBeforeHeaders: true } }]);
      const answer = await ask('deepseek/deepseek-chat', { fallbacks: ['openai/gpt-4o'] });
      expect([answer.status, upstream.requests.length]).toEqual([504, 1]);
    });

    it.each([
      ['/v1/chat/completions', body('deepseek/deepseek-chat'), /data: \{.*"error"/],
      ['/anthropic/v1/messages', body('deepseek/deepseek-chat', { max_tokens: 9 }), /event: error\ndata: \{/],
      [
        '/v1/responses',
        { model: 'deepseek/deepseek-chat', input: 'hello', stream: true },
        /event: (error|response\.failed)\n/,
      ],
      [
        '/genai/v1beta/models/deepseek%2Fdeepseek-chat:streamGenerateContent?alt=sse',
        { contents: [{ role: 'user', parts: [{ text: 'hello' }] }] },
        /data: \{.*"error"/,
      ],
    ])('ends a stream that has begun on %s with a typed error event', async (path, request, error) => {
      upstream.script([{ recording: chatStream, delivery: { cut: 'events', hangAfterEvents: 6 } }]);
      const answer = await postJson(gateway.url + path, request);
      expect([answer.status, answer.isComplete]).toEqual([200, true]);
      expect(answer.text()).toMatch(error);
      expect(answer.text()).not.toMatch(/\[DONE\]|message_stop|response\.completed|"finishReason"/);
      expect(answer.endAfterMs).toBeLessThan(3000);
    });
  });
});
