import { startReplayUpstream } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { chainsOf } from '../plugins/__tests__/chains-of.ts';
import { parseSse } from '../sse/parser.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';

const deltas = 400;
const delta = {
  event: 'content_block_delta',
  data: JSON.stringify({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'text_delta', text: 'x'.repeat(60_000) },
  }),
};
const long = [
  ...Array.from({ length: deltas }, () => delta),
  { event: 'message_stop', data: '{"type":"message_stop"}' },
];
const ask = { model: 'claude', stream: true, max_tokens: 5, messages: [] };

describe('a hook of a stream that takes its time', () => {
  it('pauses the provider, and nothing is lost or reordered', async () => {
    const gate = Promise.withResolvers<void>();
    const firstCall = Promise.withResolvers<void>();
    const indexes: number[] = [];
    const { chains } = chainsOf([
      {
        name: 'slow',
        httpTransportStreamChunkHook: {
          timeoutMs: 10_000,
          async handler(_context: unknown, chunk: { readonly index: number }) {
            indexes.push(chunk.index);
            firstCall.resolve();
            await gate.promise;
            return undefined;
          },
        },
      },
    ]);
    await using upstream = await startReplayUpstream({ script: [{ events: long, delivery: 'events' }] });
    // Paused for longer than the idle clock: that silence is the hook's, not the provider's.
    const network = { streamIdleTimeoutMs: 300 };
    await using gateway = new TestGateway({
      providers: [provider('anthropic', upstream.url, { network })],
      plugins: chains,
    });
    const { sink, done } = gateway.open(routes.anthropic, ask);
    const request = await upstream.request(0);
    await firstCall.promise;
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(request.writesSent).toBeLessThan(deltas - 10);
    gate.resolve();
    await done;
    expect(parseSse(sink.text)).toHaveLength(deltas + 1);
    expect(indexes).toEqual(Array.from({ length: deltas + 1 }, (_, index) => index));
    expect(gateway.traces[0]?.error).toBeUndefined();
  });
});
