import { startReplayUpstream } from '@bifrost/testkit';
import type { ReplayAnswer } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { codecOf } from '../dialects/registry.ts';
import { parseSse } from '../sse/parser.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';
import type { EngineLogger } from './engine.ts';
import type { InboundRoute } from './seam.ts';

const event = (type: string, more: object) => ({ event: type, data: JSON.stringify({ type, ...more }) });
const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', stop_sequence: null, content: [] };

/** A stream that ends with a word and counts cache writes as no other dialect does. */
const pausingStream: ReplayAnswer = {
  events: [
    event('message_start', {
      message: { ...message, stop_reason: null, usage: { input_tokens: 3, cache_creation_input_tokens: 4 } },
    }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'Paris' } }),
    event('content_block_stop', { index: 0 }),
    event('message_delta', {
      delta: { stop_reason: 'pause_turn', stop_sequence: null },
      usage: { output_tokens: 2 },
    }),
    event('message_stop', {}),
  ],
};

const messages = [{ role: 'user', content: 'capital?' }];
const streamed = { model: 'anthropic/claude', stream: true, max_tokens: 5 };
const genai = { ...routes.gemini, pathModel: 'anthropic/claude', pathStream: true };
const contents = [{ role: 'user', parts: [{ text: 'capital?' }] }];
const clients: readonly { readonly route: InboundRoute; readonly body: object }[] = [
  { route: routes.chat, body: { ...streamed, messages } },
  {
    route: { ...routes.chat, dialect: 'openai-responses', requestType: 'responses' },
    body: { model: 'anthropic/claude', stream: true, input: 'capital?' },
  },
  { route: { ...genai, streamFraming: 'sse' }, body: { contents } },
];

async function ask(route: InboundRoute, body: object) {
  await using upstream = await startReplayUpstream({ script: [pausingStream] });
  const lines: (readonly unknown[])[] = [];
  const logger: EngineLogger = {
    info: (...line) => void lines.push(line),
    warn: (...line) => void lines.push(line),
    error: (...line) => void lines.push(line),
  };
  await using gateway = new TestGateway({ providers: [provider('anthropic', upstream.url)], logger });
  return { sink: await gateway.post(route, body), lines };
}

describe('what a translated stream loses after its head', () => {
  it.each(clients)('is told in a comment before the event that ends it, and logged: $route.dialect', async (client) => {
    const { sink, lines } = await ask(client.route, client.body);
    const blocks = sink.text.split(/(?<=\n\n)/);
    const at = blocks.findIndex((block) => block.startsWith(': x-bf-'));
    expect(blocks[at]).toMatch(/^(: x-bf-(dropped|changed)-fields: [^\n]+\n)+\n$/);
    expect(blocks[at]).toMatch(/finish_reason|usage\.cache_write/);
    const codec = codecOf(client.route.dialect);
    const kinds = blocks.map((block) => parseSse(block).map((one) => codec.classifyStreamEvent(one))[0]);
    expect(kinds.indexOf('terminal')).toBeGreaterThan(at);
    expect(lines).toHaveLength(1);
    const [, detail] = lines[0] as [string, Record<string, string>];
    expect(detail).toMatchObject({ request_id: 'request-1' });
    expect(detail['x-bf-changed-fields']).toMatch(/finish_reason|usage\.cache_write/);
    expect(JSON.stringify(lines)).not.toContain('Paris');
  });

  it('is only logged where the stream is a JSON array', async () => {
    const { sink, lines } = await ask({ ...genai, streamFraming: 'json-array' }, { contents });
    expect(Array.isArray(JSON.parse(sink.text))).toBe(true);
    expect(lines).toHaveLength(1);
  });

  it('is not told where nothing was lost', async () => {
    const { sink, lines } = await ask(routes.anthropic, { ...streamed, messages });
    expect(sink.text).not.toContain(': x-bf-');
    expect(lines).toEqual([]);
  });
});
