/** Failures that a provider says inside a whole 200: nothing has been sent, so the next attempt may do better. */
import { startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer } from '@bifrost/testkit';
import type { JsonObject } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import { chainsOf } from '../plugins/__tests__/chains-of.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const failedResponse = (error: JsonObject): JsonObject => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  status: 'failed',
  background: false,
  error,
  model: 'gpt',
  output: [],
  usage: null,
});
const goodResponse: JsonObject = {
  ...failedResponse({}),
  status: 'completed',
  error: null,
  output: [
    { type: 'web_search_call', id: 'ws_1', status: 'failed' },
    {
      type: 'message',
      id: 'msg_1',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: '{"status":"failed","error":{}}', annotations: [] }],
    },
  ],
};
const goodChat: JsonObject = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: '"error" {"error":{}}' } }],
  metadata: { error: {} },
};
const error = { code: 'server_error', message: 'The model stumbled.' };
const cases = [
  {
    name: 'a failed Responses answer',
    route: routes.responses,
    ask: { input: 'hi' },
    bad: failedResponse(error),
    good: goodResponse,
  },
  {
    name: 'a chat answer that is an error',
    route: routes.chat,
    ask: { messages: [] },
    bad: { error: { message: 'The model stumbled.', code: 502 }, user_id: 'u' },
    good: goodChat,
  },
  {
    name: 'a chat answer whose error is not its first member',
    route: routes.chat,
    ask: { messages: [] },
    bad: { id: 'x', object: 'error', choices: [], error: { message: 'The model stumbled.' } },
    good: goodChat,
  },
];

async function run(script: readonly ReplayAnswer[], one: (typeof cases)[number], more: object, isHooked: boolean) {
  const { chains } = chainsOf([{ name: 'judge', postLLMHook: { reads: 'messages', handler: () => undefined } }]);
  await using upstream = await startReplayUpstream({ script });
  await using gateway = new TestGateway({
    providers: [provider('openai', upstream.url, { network: { maxRetries: 1 } })],
    ...(isHooked ? { plugins: chains } : {}),
  });
  const sink = await gateway.post(one.route, { model: 'openai/gpt', ...one.ask, ...more });
  return { sink, requests: upstream.requests, trace: gateway.traces[0] };
}

describe.each([false, true])('with a plugin that reads the answer: %s', (isHooked) => {
  it.each(cases)('$name is retried, falls back, and is an error when nothing is left', async (one) => {
    const bad = (delivery: ReplayAnswer['delivery']): ReplayAnswer => ({
      body: one.bad,
      ...(delivery && { delivery }),
    });
    for (const delivery of ['whole', { chunks: 5 }] as const) {
      const retried = await run([bad(delivery), { body: one.good }], one, {}, isHooked);
      expect([retried.sink.statusCode, retried.requests.length]).toEqual([200, 2]);
      expect(retried.sink.text).toBe(JSON.stringify(one.good));
    }
    const moved = await run(
      [bad('whole'), bad('whole'), { body: one.good }],
      one,
      { fallbacks: ['openai/other'] },
      isHooked,
    );
    expect(moved.sink.statusCode).toBe(200);
    expect(moved.sink.headers['x-bf-model']).toBe('other');
    const failed = await run([bad('whole'), bad('whole')], one, {}, isHooked);
    expect(failed.sink.statusCode).toBeGreaterThanOrEqual(500);
    expect(failed.sink.text).toContain('The model stumbled.');
    expect(failed.trace?.error?.origin).toBe('provider');
  });
});

describe('a failure that is the fault of the caller', () => {
  it('has its status and is not retried', async () => {
    const one = cases[0] as (typeof cases)[number];
    const bad = { body: failedResponse({ code: 'invalid_prompt', message: 'Not that.' }) };
    const { sink, requests } = await run([bad], one, {}, false);
    expect([sink.statusCode, requests.length]).toEqual([400, 1]);
  });
});
