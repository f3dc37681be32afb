import { startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer } from '@bifrost/testkit';
import type { LLMOutcome, RequestTrace, StreamChunk, StreamEvent } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
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
const event = (type: string, more: object) => ({ event: type, data: JSON.stringify({ type, ...more }) });
const delta = (text: string) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } });
const stream: ReplayAnswer = {
  events: [
    event('message_start', { message: { ...message, content: [], stop_reason: null } }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    delta('Pa'),
    delta('ris'),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } }),
    event('message_stop', {}),
  ],
};
const ask = { model: 'claude', max_tokens: 5, messages: [{ role: 'user', content: 'capital?' }] };

async function run(plugins: readonly TestPlugin[], script: ReplayAnswer[], more: object = {}) {
  await using upstream = await startReplayUpstream({ script });
  const { chains, lines } = chainsOf(plugins);
  await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)], plugins: chains });
  const sink = await gateway.post(routes.anthropic, { ...ask, ...more });
  await chains.whenIdle();
  expect(lines).toEqual([]);
  return { sink, requests: upstream.requests, trace: gateway.traces[0] as RequestTrace };
}

describe('plugins that only look', () => {
  it('leave the lane, the bytes and the order of the hooks alone', async () => {
    const seen: string[] = [];
    const watcher = (isLate: boolean): TestPlugin => {
      const note = (hook: string) => {
        seen.push(hook);
        return isLate ? Promise.resolve(undefined) : undefined;
      };
      return {
        name: 'watcher',
        httpTransportPreHook: () => note('httpPre'),
        preRequestHook: () => note('preRequest'),
        preLLMHook: () => note('preLLM'),
        postLLMHook: () => note('postLLM'),
        httpTransportResponseHeadersHook: () => note('headers'),
        httpTransportPostHook: () => note('httpPost'),
        inject: () => void note('inject'),
      };
    };
    for (const isLate of [false, true]) {
      seen.length = 0;
      const { sink, requests } = await run([watcher(isLate)], [whole]);
      expect(seen).toEqual(['httpPre', 'preRequest', 'preLLM', 'postLLM', 'httpPost', 'headers', 'inject']);
      expect(sink.headers['x-bf-lane']).toBe('identical');
      expect(sink.text).toBe(JSON.stringify(message));
      expect(requests[0]?.json()).toEqual(ask);
      seen.length = 0;
      const streamed = await run([watcher(isLate)], [stream], { stream: true });
      expect(seen).toEqual(['httpPre', 'preRequest', 'preLLM', 'headers', 'postLLM', 'inject']);
      expect(parseSse(streamed.sink.text)).toEqual(stream.events);
      expect(streamed.sink.headers['x-bf-lane']).toBe('identical');
    }
  });

  it('read the messages, the answer and the accumulated stream without changing the bytes', async () => {
    const outcomes: LLMOutcome[] = [];
    const texts: unknown[] = [];
    const reader: TestPlugin = {
      name: 'reader',
      preLLMHook: {
        reads: 'messages',
        handler: (_, request) => void texts.push(request.conversation?.messages[0]?.parts[0]),
      },
      postLLMHook: { reads: 'messages', handler: (_, outcome) => void outcomes.push(outcome) },
    };
    const { sink } = await run([reader], [whole]);
    expect(sink.text).toBe(JSON.stringify(message));
    const streamed = await run([reader], [stream], { stream: true });
    expect(parseSse(streamed.sink.text)).toEqual(stream.events);
    expect(texts).toMatchObject([{ text: 'capital?' }, { text: 'capital?' }]);
    for (const outcome of outcomes) {
      expect(outcome.response?.candidates[0]?.parts).toMatchObject([{ type: 'text', text: 'Paris' }]);
      expect(outcome.usage).toEqual({ inputTokens: 3, outputTokens: 2 });
    }
    expect(outcomes.length).toBe(2);
  });
});

describe('plugins that change', () => {
  it('the conversation: it is encoded again, for every attempt anew', async () => {
    const shouter: TestPlugin = {
      name: 'shouter',
      preLLMHook: {
        reads: 'messages',
        handler: (_, { conversation }) =>
          conversation && {
            conversation: {
              ...conversation,
              messages: [...conversation.messages, { role: 'user', parts: [{ type: 'text', text: 'LOUD' }] }],
            },
          },
      },
    };
    const { sink, requests, trace } = await run([shouter], [{ status: 500 }, whole], {
      fallbacks: ['anthropic/other'],
    });
    expect(sink.headers['x-bf-lane']).toBe('translated');
    expect(sink.json['content']).toEqual(message.content);
    expect(requests.map((one) => (one.json()['messages'] as object[]).length)).toEqual([2, 2]);
    expect(requests[1]?.json()).toMatchObject({ model: 'other', max_tokens: 5 });
    expect(trace.lane).toBe('translated');
  });

  it('model, fallbacks, headers and body', async () => {
    const router: TestPlugin = {
      name: 'router',
      httpTransportPreHook: {
        reads: 'body',
        handler: () => ({ request: { headers: { 'anthropic-beta': 'b' }, body: JSON.stringify({ ...ask, n: 1 }) } }),
      },
      preRequestHook: () => ({ model: 'anthropic/first', fallbacks: ['anthropic/second'] }),
      httpTransportResponseHeadersHook: () => ({ headers: { 'x-added': 'yes', 'x-bf-key': null } }),
    };
    const { sink, requests } = await run([router], [{ status: 500 }, whole]);
    expect(requests.map((one) => one.json()['model'])).toEqual(['first', 'second']);
    expect(requests[0]?.headers['anthropic-beta']).toBe('b');
    expect(requests[0]?.json()['n']).toBe(1);
    expect(sink.headers['x-added']).toBe('yes');
    expect(sink.headers['x-bf-key']).toBeUndefined();
  });

  it('the answer, before it is written', async () => {
    const editor: TestPlugin = {
      name: 'editor',
      postLLMHook: {
        reads: 'messages',
        handler: (_, { response }) =>
          response && {
            response: {
              ...response,
              candidates: [{ index: 0, parts: [{ type: 'text', text: 'Rome' }], finishReason: { kind: 'stop' } }],
            },
          },
      },
      httpTransportPostHook: () => ({ statusCode: 203, headers: { 'x-post': '1' } }),
    };
    const { sink } = await run([editor], [whole]);
    expect(sink.json['content']).toEqual([{ type: 'text', text: 'Rome' }]);
    expect(sink.statusCode).toBe(203);
    expect(sink.headers['x-post']).toBe('1');
  });

  it('chunks and typed events of a stream, in order, however late they answer', async () => {
    const late = <T>(value: T): Promise<T> => new Promise((resolve) => setTimeout(() => resolve(value), 3));
    const chunky: TestPlugin = {
      name: 'chunky',
      httpTransportStreamChunkHook: (_, chunk: StreamChunk) =>
        late(chunk.data.includes('ping') ? null : { ...chunk, data: chunk.data.replace('ris', 'nda') }),
    };
    const { sink } = await run([chunky], [{ events: [event('ping', {}), ...(stream.events ?? [])] }], { stream: true });
    expect(parseSse(sink.text)).toEqual(
      stream.events?.map((one) => ({ ...one, data: one.data.replace('ris', 'nda') })),
    );
    const typed: TestPlugin = {
      name: 'typed',
      streamEventHook: (_, one: StreamEvent) =>
        late(one.type === 'text-delta' ? [{ ...one, text: one.text.toUpperCase() }] : undefined),
    };
    const upper = await run([typed], [stream], { stream: true });
    expect(upper.sink.text).toContain('PA');
    expect(parseSse(upper.sink.text).at(-1)?.data).toBe('{"type":"message_stop"}');
    const failing: TestPlugin = {
      name: 'failing',
      httpTransportStreamChunkHook: (_, chunk) =>
        chunk.index === 3 ? { error: { statusCode: 451, message: 'no more', origin: 'plugin' } } : undefined,
    };
    const cut = await run([failing], [stream], { stream: true });
    expect(cut.sink.isEnded).toBe(true);
    expect(parseSse(cut.sink.text).length).toBe(4);
    expect(parseSse(cut.sink.text).at(-1)?.data).toContain('no more');
  });
});

describe('plugins that answer themselves', () => {
  const said = {
    candidates: [
      { index: 0, parts: [{ type: 'text' as const, text: 'cached' }], finishReason: { kind: 'stop' as const } },
    ],
  };

  it('at the transport, with a response, with a stream, or for a failed provider', async () => {
    const http = await run(
      [
        {
          name: 'a',
          httpTransportPreHook: () => ({ response: { statusCode: 418, headers: { 'x-a': '1' }, body: 'tea' } }),
        },
      ],
      [],
    );
    expect([http.sink.statusCode, http.sink.text, http.sink.headers['x-a']]).toEqual([418, 'tea', '1']);
    const answer = await run([{ name: 'b', preLLMHook: () => ({ response: said }) }], []);
    expect(answer.sink.json['content']).toMatchObject([{ type: 'text', text: 'cached' }]);
    const streamed = await run([{ name: 'b', preLLMHook: () => ({ response: said }) }], [], { stream: true });
    expect(streamed.sink.text).toContain('cached');
    expect(streamed.sink.text).toContain('message_stop');
    const events: StreamEvent[] = [
      { type: 'text-start', part: '0' },
      { type: 'text-delta', part: '0', text: 'mine' },
      { type: 'text-end', part: '0' },
      { type: 'finish', reason: { kind: 'stop' } },
    ];
    const own = await run([{ name: 'c', preLLMHook: () => ({ stream: events }) }], [], { stream: true });
    expect(own.sink.text).toContain('mine');
    const recovered = await run(
      [{ name: 'd', postLLMHook: (_, outcome) => (outcome.error === undefined ? undefined : { response: said }) }],
      [{ status: 500 }],
    );
    expect(recovered.sink.statusCode).toBe(200);
    expect(recovered.sink.text).toContain('cached');
    for (const one of [http, answer, streamed, own]) expect(one.requests.length).toBe(0);
  });

  it('with an error, which may forbid fallbacks', async () => {
    const error = { statusCode: 403, message: 'blocked by policy', origin: 'plugin' as const };
    const deny = (allowFallbacks: boolean): TestPlugin => ({
      name: 'deny',
      preLLMHook: (_, request) => (request.model === 'claude' ? { error: { ...error, allowFallbacks } } : undefined),
    });
    const stopped = await run([deny(false)], [whole], { fallbacks: ['anthropic/other'] });
    expect(stopped.sink.statusCode).toBe(403);
    expect(stopped.sink.text).toContain('blocked by policy');
    const moved = await run([deny(true)], [whole], { fallbacks: ['anthropic/other'] });
    expect(moved.sink.statusCode).toBe(200);
    expect(moved.sink.headers['x-bf-model']).toBe('other');
    const invalidated = await run([{ name: 'post', postLLMHook: () => ({ error }) }], [whole]);
    expect(invalidated.sink.statusCode).toBe(403);
  });

  it('with an error in the place of an answer, of which every plugin hears once', async () => {
    const heard: string[] = [];
    const listener = (name: string): TestPlugin => ({
      name,
      postLLMHook: (_, outcome) => void heard.push(`${name} ${outcome.request.model} ${outcome.statusCode}`),
    });
    const error = { statusCode: 422, message: 'not good enough', origin: 'plugin' as const };
    const judge: TestPlugin = {
      name: 'judge',
      postLLMHook: (_, outcome) => (outcome.request.model === 'claude' ? { error } : undefined),
    };
    const plugins = [listener('before'), judge, listener('after')];
    const moved = await run(plugins, [whole, whole], { fallbacks: ['anthropic/other'] });
    expect(moved.sink.statusCode).toBe(200);
    expect(moved.requests.length).toBe(2);
    expect(heard).toEqual(['after claude 200', 'before claude 422', 'after other 200', 'before other 200']);
  });
});
