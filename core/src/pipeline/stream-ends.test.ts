import { startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { chainsOf } from '../plugins/__tests__/chains-of.ts';
import type { TestPlugin } from '../plugins/__tests__/chains-of.ts';
import { parseSse } from '../sse/parser.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', stop_sequence: null };
const event = (type: string, more: object) => ({ event: type, data: JSON.stringify({ type, ...more }) });
const start = { message: { ...message, content: [], stop_reason: null, usage: { input_tokens: 3, output_tokens: 1 } } };
const anthropicStream: ReplayAnswer = {
  events: [
    event('message_start', start),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Paris' } }),
    event('content_block_stop', { index: 0 }),
    event('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } }),
    event('message_stop', {}),
  ],
};

const ask = {
  model: 'anthropic/claude',
  stream: true,
  max_tokens: 5,
  messages: [{ role: 'user', content: 'capital?' }],
};

async function streamThrough(plugin: TestPlugin) {
  await using upstream = await startReplayUpstream({ script: [anthropicStream] });
  const { chains, lines } = chainsOf([plugin]);
  await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)], plugins: chains });
  const sink = await gateway.post(routes.chat, ask);
  expect(lines).toEqual([]);
  return sink;
}

describe('the end of a translated stream', () => {
  it('passes the chunk hook whole, whether the hook answers at once or later', async () => {
    const ways: NonNullable<TestPlugin['httpTransportStreamChunkHook']>[] = [
      () => undefined,
      () => Promise.resolve(undefined),
      (_, chunk) => new Promise((resolve) => setTimeout(() => resolve({ ...chunk, data: chunk.data }), 1)),
    ];
    for (const httpTransportStreamChunkHook of ways) {
      const sink = await streamThrough({ name: 'late', httpTransportStreamChunkHook });
      const events = parseSse(sink.text).map((one) => one.data);
      expect(sink.isEnded).toBe(true);
      expect(events.at(-1)).toBe('[DONE]');
      expect(events.some((data) => data.includes('"finish_reason":"stop"'))).toBe(true);
      expect(sink.text).toContain('Paris');
    }
  });

  it('says so when the last chunk is refused', async () => {
    const sink = await streamThrough({
      name: 'refuses',
      httpTransportStreamChunkHook: (_, chunk) =>
        Promise.resolve(
          chunk.data === '[DONE]' ? { error: { statusCode: 451, message: 'no end', origin: 'plugin' } } : undefined,
        ),
    });
    expect(sink.isEnded).toBe(true);
    expect(parseSse(sink.text).at(-1)?.data).toContain('no end');
  });
});
