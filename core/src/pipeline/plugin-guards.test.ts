import { startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer } from '@bifrost/testkit';
import type { RequestTrace } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import { chainsOf } from '../plugins/__tests__/chains-of.ts';
import type { TestPlugin } from '../plugins/__tests__/chains-of.ts';
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
const event = (type: string, more: object) => ({ event: type, data: JSON.stringify({ type, ...more }) });
const whole: ReplayAnswer = { body: message };
const stream: ReplayAnswer = {
  events: [
    event('message_start', { message: { ...message, content: [], stop_reason: null } }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Paris' } }),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } }),
    event('message_stop', {}),
  ],
};
const ask = { model: 'anthropic/claude', max_tokens: 5, messages: [{ role: 'user', content: 'the secret word' }] };

interface Way {
  readonly route?: (typeof routes)[keyof typeof routes];
  readonly script?: readonly ReplayAnswer[];
  readonly more?: object;
}

async function run(
  plugins: readonly TestPlugin[],
  { route = routes.anthropic, script = [whole], more = {} }: Way = {},
) {
  await using upstream = await startReplayUpstream({ script });
  const { chains } = chainsOf(plugins);
  await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)], plugins: chains });
  const sink = await gateway.post(route, { ...ask, ...more });
  await chains.whenIdle();
  return { sink, requests: upstream.requests, trace: gateway.traces[0] as RequestTrace };
}

describe('a guard that reads messages beside a plugin that reads the body', () => {
  const bodyReader = (hook: 'preLLMHook' | 'preRequestHook'): TestPlugin => ({
    name: 'body-reader',
    [hook]: { reads: 'body', handler: () => undefined },
  });
  const text = (conversation: unknown) => JSON.stringify(conversation ?? null);

  it('sees the conversation, in routing and in every attempt', async () => {
    const guard: TestPlugin = {
      name: 'guard',
      guard: true,
      preLLMHook: {
        reads: 'messages',
        handler: (_, { conversation }) =>
          text(conversation).includes('secret')
            ? { error: { statusCode: 403, message: 'not that word', origin: 'plugin' } }
            : undefined,
      },
    };
    const { sink, requests } = await run([bodyReader('preLLMHook'), guard]);
    expect([sink.statusCode, requests.length]).toEqual([403, 0]);
    const seen: string[] = [];
    const router: TestPlugin = {
      name: 'router',
      preRequestHook: { reads: 'messages', handler: (_, { conversation }) => void seen.push(text(conversation)) },
    };
    await run([bodyReader('preRequestHook'), router]);
    expect(seen).toEqual([expect.stringContaining('secret')]);
  });

  it('sees the answer, whole and at the end of a stream', async () => {
    const seen: string[] = [];
    const judge: TestPlugin = {
      name: 'judge',
      guard: true,
      postLLMHook: { reads: 'messages', handler: (_, { response }) => void seen.push(text(response)) },
    };
    // The types forbid it; a plugin in plain JavaScript may.
    const reader: TestPlugin = {
      name: 'reader',
      postLLMHook: { reads: 'body' as 'messages', handler: () => undefined },
    };
    await run([reader, judge]);
    await run([reader, judge], { script: [stream], more: { stream: true } });
    expect(seen).toEqual([expect.stringContaining('Paris'), expect.stringContaining('Paris')]);
  });
});

describe('a guard that fails once the answer is there', () => {
  const failing = (
    hook: 'httpTransportResponseHeadersHook' | 'httpTransportPostHook',
    isLate: boolean,
  ): TestPlugin => ({
    name: 'guard',
    guard: true,
    [hook]: () => {
      if (isLate) return new Promise((_, reject) => setTimeout(() => reject(new Error('broken')), 5));
      throw new Error('broken');
    },
  });
  const shapes = {
    anthropic: { type: 'error', error: { type: expect.any(String), message: expect.stringContaining('guard') } },
    gemini: { error: { code: 500, status: expect.any(String), message: expect.stringContaining('guard') } },
    openai: { error: { message: expect.stringContaining('guard'), code: 'BF_PLUGIN_HOOK_FAILED' } },
    chat: {
      is_bifrost_error: true,
      error: { message: expect.stringContaining('guard'), code: 'BF_PLUGIN_HOOK_FAILED' },
    },
  };

  it.each(['httpTransportResponseHeadersHook', 'httpTransportPostHook'] as const)(
    'in %s denies a whole answer, in the dialect of the client',
    async (hook) => {
      for (const isLate of [false, true]) {
        for (const name of ['anthropic', 'openai', 'chat'] as const) {
          const { sink, trace } = await run([failing(hook, isLate)], { route: routes[name] });
          expect(sink.statusCode).toBe(500);
          expect(sink.text).not.toContain('Paris');
          expect(sink.json).toMatchObject(shapes[name]);
          expect(sink.headers['content-type']).toBe('application/json');
          expect([undefined, String(sink.text.length)]).toContain(sink.headers['content-length']);
          expect(sink.isEnded).toBe(true);
          expect(trace).toMatchObject({ statusCode: 500, error: { code: 'BF_PLUGIN_HOOK_FAILED' } });
        }
      }
    },
  );

  it('denies a stream before its first byte, and gives the call up', async () => {
    for (const isLate of [false, true]) {
      for (const script of [[stream], [{ ...stream, delivery: { hangAfterEvents: 4 } }]]) {
        const { sink, trace } = await run([failing('httpTransportResponseHeadersHook', isLate)], {
          script,
          more: { stream: true },
        });
        expect(sink.statusCode).toBe(500);
        expect(sink.text).not.toContain('Paris');
        expect(sink.json).toMatchObject(shapes.anthropic);
        expect(trace).toMatchObject({ statusCode: 500, error: { code: 'BF_PLUGIN_HOOK_FAILED' } });
      }
    }
  });

  it('denies an answer that another plugin gave, and the error of a provider', async () => {
    const answering: TestPlugin = {
      name: 'answering',
      preLLMHook: () => ({ response: { candidates: [{ index: 0, parts: [{ type: 'text', text: 'Paris' }] }] } }),
    };
    for (const isStream of [false, true]) {
      const { sink } = await run([failing('httpTransportResponseHeadersHook', false), answering], {
        more: { stream: isStream },
      });
      expect(sink.statusCode).toBe(500);
      expect(sink.json).toMatchObject(shapes.anthropic);
    }
    const failed = await run([failing('httpTransportResponseHeadersHook', true)], { script: [{ status: 529 }] });
    expect(failed.sink.statusCode).toBe(500);
    expect(failed.sink.json).toMatchObject(shapes.anthropic);
  });
});

describe('filters and facts about streams', () => {
  const seen: string[] = [];
  const watching = (isStream: boolean): TestPlugin => ({
    name: isStream ? 'streams' : 'wholes',
    httpTransportPreHook: { filter: { isStream }, handler: ({ facts }) => void seen.push(`http ${facts.isStream}`) },
    preLLMHook: { filter: { isStream }, handler: ({ facts }) => void seen.push(`llm ${facts.isStream}`) },
    httpTransportResponseHeadersHook: { filter: { isStream }, handler: () => void seen.push('head') },
  });

  it('hold from the first hook on: the body says it before any plugin runs', async () => {
    seen.length = 0;
    await run([watching(true)], { script: [stream], more: { stream: true } });
    expect(seen).toEqual(['http true', 'llm true', 'head']);
    seen.length = 0;
    await run([watching(true)]);
    expect(seen).toEqual([]);
    await run([watching(false)]);
    expect(seen).toEqual(['http false', 'llm false', 'head']);
  });

  it('leave a body that is wrong to the stage that says what is wrong, after plugins may have changed it', async () => {
    const fixing: TestPlugin = {
      name: 'fixing',
      httpTransportPreHook: {
        reads: 'body',
        handler: (_, { body }) => ({ request: { body: new TextDecoder().decode(body).replace('"yes"', 'true') } }),
      },
    };
    expect((await run([watching(true)], { more: { stream: 'yes' } })).sink.statusCode).toBe(400);
    expect((await run([fixing], { script: [stream], more: { stream: 'yes' } })).sink.statusCode).toBe(200);
  });
});

describe('plugins whose filters do not match', () => {
  it('decode nothing, buffer nothing and take no stream apart', async () => {
    const elsewhere = { header: 'x-team: blue' } as const;
    const demanding: TestPlugin = {
      name: 'demanding',
      httpTransportPreHook: { reads: 'body', filter: elsewhere, handler: () => undefined },
      preRequestHook: { reads: 'messages', filter: elsewhere, handler: () => undefined },
      preLLMHook: { reads: 'messages', filter: elsewhere, handler: () => undefined },
      postLLMHook: { reads: 'messages', filter: elsewhere, handler: () => undefined },
      streamEventHook: { filter: elsewhere, handler: () => undefined },
      httpTransportStreamChunkHook: { filter: elsewhere, handler: () => undefined },
      httpTransportPostHook: { reads: 'body', filter: elsewhere, handler: () => undefined },
    };
    const plain: TestPlugin = { name: 'plain', preRequestHook: () => undefined };
    // Not valid for a decoder: only who reads the messages would notice.
    const odd = { messages: [{ role: 'nobody' }], tools: 'none' };
    const { sink, requests } = await run([demanding, plain], { more: odd });
    expect(sink.statusCode).toBe(200);
    expect(requests[0]?.json()).toMatchObject(odd);
    const streamed = await run([demanding, plain], { script: [stream], more: { ...odd, stream: true } });
    expect(streamed.sink.statusCode).toBe(200);
    expect(streamed.sink.headers['x-bf-lane']).toBe('spliced');
  });
});
