import { startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer } from '@bifrost/testkit';
import type { LLMOutcome, StreamEvent } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import type { NetworkConfig } from '../config.ts';
import { chainsOf } from '../plugins/__tests__/chains-of.ts';
import type { TestPlugin } from '../plugins/__tests__/chains-of.ts';
import { parseSse } from '../sse/parser.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'Paris' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 3, output_tokens: 2 },
};
const whole: ReplayAnswer = { body: message };
const ask = { model: 'claude', stream: true, max_tokens: 5, messages: [{ role: 'user', content: 'capital?' }] };
const head: StreamEvent[] = [
  { type: 'response-start', id: 'own', model: 'mine' },
  { type: 'text-start', part: '0' },
];
const delta: StreamEvent = { type: 'text-delta', part: '0', text: 'mine' };
const tail: StreamEvent[] = [
  { type: 'text-end', part: '0' },
  { type: 'usage', usage: { inputTokens: 1, outputTokens: 7 } },
  { type: 'finish', reason: { kind: 'stop' } },
];

/** A plugin's stream: its events, then silence, a failure or the end. Knows whether it was ended from outside. */
class OwnStream implements AsyncIterable<StreamEvent> {
  isReturned = false;
  readonly #events: readonly StreamEvent[];
  readonly #then: 'end' | 'silence' | 'failure';

  constructor(events: readonly StreamEvent[], then: 'end' | 'silence' | 'failure') {
    this.#events = events;
    this.#then = then;
  }

  [Symbol.asyncIterator](): AsyncIterator<StreamEvent> {
    let index = 0;
    return {
      next: () => {
        const value = this.#events[index];
        index += 1;
        if (value !== undefined) return Promise.resolve({ done: false, value });
        if (this.#then === 'failure') return Promise.reject(new Error('lost'));
        return this.#then === 'end' ? Promise.resolve({ done: true, value: undefined }) : new Promise(() => undefined);
      },
      return: () => {
        this.isReturned = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

interface Way {
  readonly script?: readonly ReplayAnswer[];
  readonly more?: object;
  readonly network?: Partial<NetworkConfig>;
  readonly keepAliveCommentSeconds?: number;
  readonly leaveAfterMs?: number;
}

/** Answers the primary's request with `stream`; what `postLLMHook` hears is kept. */
async function answerBy(stream: OwnStream, way: Way = {}) {
  const outcomes: LLMOutcome[] = [];
  const plugin: TestPlugin = {
    name: 'own',
    preLLMHook: (_, { model }) => (model === 'claude' ? { stream } : undefined),
    postLLMHook: { reads: 'messages', handler: (_, outcome) => void outcomes.push(outcome) },
  };
  const { chains } = chainsOf([plugin]);
  await using upstream = await startReplayUpstream({ script: way.script ?? [] });
  await using gateway = new TestGateway({
    providers: [provider('anthropic', upstream.url, { network: way.network ?? {} })],
    plugins: chains,
    client: { keepAliveCommentSeconds: way.keepAliveCommentSeconds ?? 15 },
  });
  const { sink, done } = gateway.open(routes.anthropic, { ...ask, ...way.more });
  if (way.leaveAfterMs !== undefined) setTimeout(() => sink.close(), way.leaveAfterMs);
  await done;
  await chains.whenIdle();
  return { sink, outcomes, trace: gateway.traces[0], events: parseSse(sink.text).map((one) => one.event) };
}

describe('a stream that a plugin answers with', () => {
  const heard = { response: { candidates: [{ parts: [{ text: 'mine' }], finishReason: { kind: 'stop' } }] } };

  it('is told to the post hooks once, at its end, with what it added up to', async () => {
    for (const isStream of [true, false]) {
      const { sink, outcomes, trace } = await answerBy(new OwnStream([...head, delta, ...tail], 'end'), {
        more: { stream: isStream },
      });
      expect(sink.statusCode).toBe(200);
      expect(sink.text).toContain('mine');
      expect(outcomes).toMatchObject([{ ...heard, statusCode: 200, usage: { outputTokens: 7 } }]);
      expect(trace?.usage).toEqual({ inputTokens: 1, outputTokens: 7 });
    }
  });

  it('that sends no content in time is ended, and a fallback answers', async () => {
    for (const events of [[], head]) {
      const stream = new OwnStream(events, 'silence');
      const { sink, outcomes } = await answerBy(stream, { network: { firstContentTimeoutMs: 30 } });
      expect(sink.statusCode).toBe(504);
      expect(sink.json['type']).toBe('error');
      expect(stream.isReturned).toBe(true);
      expect(outcomes).toMatchObject([{ error: { statusCode: 504 } }]);
    }
    const { sink } = await answerBy(new OwnStream(head, 'silence'), {
      network: { firstContentTimeoutMs: 400 },
      script: [whole],
      more: { fallbacks: ['anthropic/other'], stream: false },
    });
    expect(sink.statusCode).toBe(200);
    expect(sink.text).toContain('Paris');
  });

  it('that goes silent after content, or fails, ends in an error event', async () => {
    for (const then of ['silence', 'failure'] as const) {
      const stream = new OwnStream([...head, delta], then);
      const { events, outcomes, sink, trace } = await answerBy(stream, { network: { streamIdleTimeoutMs: 30 } });
      expect(sink.statusCode).toBe(200);
      expect(sink.text).toContain('mine');
      expect(events.at(-1)).toBe('error');
      expect(events).not.toContain('message_stop');
      expect(stream.isReturned).toBe(true);
      expect(trace?.error?.code).toBe('BF_PLUGIN_STREAM_FAILED');
      expect(outcomes).toMatchObject([{ error: { code: 'BF_PLUGIN_STREAM_FAILED' } }]);
    }
  });

  it('that fails before content leaves no trace: a fallback answers', async () => {
    const { sink } = await answerBy(new OwnStream(head, 'failure'), {
      script: [whole],
      more: { fallbacks: ['anthropic/other'], stream: false },
    });
    expect([sink.statusCode, sink.headers['x-bf-model']]).toEqual([200, 'other']);
    expect((await answerBy(new OwnStream(head, 'failure'))).sink.statusCode).toBe(500);
  });

  it('is bounded by the deadline of the request', async () => {
    const { sink } = await answerBy(new OwnStream(head, 'silence'), {
      network: { totalTimeoutMs: 30 },
      script: [whole],
      more: { fallbacks: ['anthropic/other'] },
    });
    expect(sink.statusCode).toBe(504);
  });

  it('is ended when the client leaves, whatever it waits for', async () => {
    for (const events of [[], [...head, delta]]) {
      const stream = new OwnStream(events, 'silence');
      const { outcomes, trace } = await answerBy(stream, { leaveAfterMs: 15 });
      expect(stream.isReturned).toBe(true);
      expect(trace?.statusCode).toBe(499);
      expect(outcomes.length).toBe(1);
    }
  });

  it('is kept alive with comments while it thinks', async () => {
    const { sink } = await answerBy(new OwnStream(head, 'silence'), {
      keepAliveCommentSeconds: 0.01,
      network: { firstContentTimeoutMs: 60 },
    });
    expect(sink.text.startsWith(': keep-alive\n\n')).toBe(true);
    expect(parseSse(sink.text).at(-1)?.event).toBe('error');
  });
});

describe('the post hooks', () => {
  const counting = (outcomes: LLMOutcome[]): TestPlugin => ({
    name: 'counting',
    postLLMHook: { reads: 'messages', handler: (_, outcome) => void outcomes.push(outcome) },
  });

  it('hear once of a provider that answers a stream request whole', async () => {
    const outcomes: LLMOutcome[] = [];
    const { chains } = chainsOf([counting(outcomes)]);
    await using upstream = await startReplayUpstream({ script: [whole] });
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)], plugins: chains });
    const sink = await gateway.post(routes.chat, { ...ask, model: 'anthropic/claude' });
    expect(sink.text).toContain('[DONE]');
    expect(outcomes).toMatchObject([{ response: { candidates: [{ parts: [{ text: 'Paris' }] }] } }]);
  });

  it('hear of the answers of the embedded provider, and may change them', async () => {
    const outcomes: LLMOutcome[] = [];
    const editing: TestPlugin = {
      name: 'editing',
      postLLMHook: () => ({ response: { candidates: [{ index: 0, parts: [{ type: 'text', text: 'edited' }] }] } }),
    };
    const { chains } = chainsOf([counting(outcomes), editing]);
    await using gateway = new TestGateway({ providers: [], plugins: chains });
    const request = { ...ask, model: 'mock/any' };
    const sink = await gateway.post(routes.chat, { ...request, stream: false });
    expect(sink.text).toContain('edited');
    await gateway.post(routes.chat, request);
    expect(outcomes.map((one) => one.response?.candidates[0]?.parts[0]?.type)).toEqual(['text', 'text']);
  });
});
