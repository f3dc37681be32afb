/** What a provider says little by little arrives little by little, also in another dialect. */
import type { JsonObject } from '@bifrost/sdk';
import { openPost, startReplayUpstream } from '@bifrost/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dialectProviders } from './dialect-providers.ts';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';

const pieces = 12;
const everyMs = 150;
const toolCall = [
  {
    type: 'message_start',
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 3, output_tokens: 1 },
    },
  },
  {
    type: 'content_block_start',
    index: 0,
    content_block: { type: 'tool_use', id: 'toolu_1', name: 'write', input: {} },
  },
  ...Array.from({ length: pieces }, (_, n) => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'input_json_delta', partial_json: n === 0 ? '{"text":"' : n === pieces - 1 ? '"}' : `piece-${n} ` },
  })),
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 9 } },
  { type: 'message_stop' },
];

let upstream: Awaited<ReturnType<typeof startReplayUpstream>>;
let gateway: GatewayProcess;
beforeAll(async () => {
  upstream = await startReplayUpstream();
  gateway = await startGatewayProcess(dialectProviders(upstream.url), ['-threads', '1']);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream.close();
});

const messages = [{ role: 'user', content: 'Write.' }];
const model = 'anthropic/claude';
it.each<[string, JsonObject]>([
  ['/anthropic/v1/messages', { model, max_tokens: 9, stream: true, messages }],
  ['/v1/chat/completions', { model, stream: true, messages }],
  ['/v1/responses', { model, stream: true, input: 'Write.' }],
])('pieces of tool arguments on %s', async (path, body) => {
  upstream.reset();
  const events = toolCall.map((event) => ({ event: event.type, data: JSON.stringify(event) }));
  upstream.script([{ events, delivery: { cut: 'events', delayBetweenWritesMs: everyMs } }]);
  const { response } = await openPost(gateway.url + path, body);
  const arrivals = new Map<string, number>();
  let text = '';
  for await (const chunk of response) {
    text += (chunk as Buffer).toString();
    for (const [piece] of text.matchAll(/piece-\d+ /g)) if (!arrivals.has(piece)) arrivals.set(piece, Date.now());
  }
  const times = [...arrivals.values()];
  expect(times).toHaveLength(pieces - 2);
  // Gathered pieces would arrive at the same moment; a busy machine may make two of them meet.
  const together = times.filter((time, index) => index > 0 && time - (times[index - 1] ?? 0) < everyMs / 5);
  expect(together.length).toBeLessThan(3);
});
