import { startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { chainsOf } from '../plugins/__tests__/chains-of.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', content: [], stop_sequence: null };
const event = (type: string, more: object) => ({ event: type, data: JSON.stringify({ type, ...more }) });
const firstUsage = {
  input_tokens: 3,
  cache_creation_input_tokens: 1000,
  cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 800 },
  cache_read_input_tokens: 0,
  output_tokens: 1,
};
/** The last totals have no split by life time, as Anthropic sends them. */
const lastUsage = { input_tokens: 3, cache_creation_input_tokens: 1000, cache_read_input_tokens: 0, output_tokens: 9 };
const stream: ReplayAnswer = {
  events: [
    event('message_start', { message: { ...message, stop_reason: null, usage: firstUsage } }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'hi' } }),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: lastUsage }),
    event('message_stop', {}),
  ],
};
const ask = { model: 'claude', stream: true, max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] };

describe('the usage of an Anthropic stream that nobody decodes', () => {
  it('files cache writes by their life time, on every way through the gateway', async () => {
    const { chains } = chainsOf([{ name: 'chunks', httpTransportStreamChunkHook: () => undefined }]);
    for (const plugins of [null, chains]) {
      await using upstream = await startReplayUpstream({ script: [stream] });
      await using gateway = new TestGateway({
        providers: [provider('anthropic', upstream.url)],
        ...(plugins === null ? {} : { plugins }),
      });
      await gateway.post(routes.anthropic, ask);
      expect(gateway.traces[0]?.usage).toEqual({
        inputTokens: 3,
        cacheReadTokens: 0,
        cacheWriteTokens: 200,
        cacheWrite1hTokens: 800,
        outputTokens: 9,
      });
    }
  });

  it('has nothing of an attempt before it', async () => {
    const { chains } = chainsOf([{ name: 'chunks', httpTransportStreamChunkHook: () => undefined }]);
    const error = { event: 'error', data: '{"type":"error","error":{"type":"overloaded_error","message":"busy"}}' };
    const script = [{ events: [stream.events?.[0] as NonNullable<ReplayAnswer['events']>[number], error] }];
    const plain = { message: { ...message, stop_reason: null, usage: { input_tokens: 4, output_tokens: 1 } } };
    const rest = stream.events?.filter((one) => !/usage/.test(one.data)) ?? [];
    await using upstream = await startReplayUpstream({
      script: [...script, { events: [event('message_start', plain), ...rest] }],
    });
    await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)], plugins: chains });
    await gateway.post(routes.anthropic, { ...ask, fallbacks: ['anthropic/other'] });
    expect(gateway.traces[0]?.usage).toEqual({ inputTokens: 4, outputTokens: 1 });
  });
});
