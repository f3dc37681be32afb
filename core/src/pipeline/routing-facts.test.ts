import type { JsonObject } from '@bifrost/sdk';
import { startReplayUpstream } from '@bifrost/testkit';
import { expect, it } from 'vitest';
import { parseSse } from '../sse/parser.ts';
import { provider, routes, TestGateway } from './__tests__/harness.ts';
import type { InboundRoute } from './seam.ts';

const recording = 'anthropic/reasoning_stream/llm-anthropic--test-anthropic-test-opus-46-adaptive-thinking-0-4ce2aa';
const messages = [{ role: 'user', content: 'hi' }];

async function chunksOf(route: InboundRoute, body: JsonObject): Promise<readonly string[]> {
  await using upstream = await startReplayUpstream({ script: [{ status: 500 }, { recording, delivery: 'events' }] });
  const providers = [provider('openai', upstream.url), provider('anthropic', upstream.url)];
  await using gateway = new TestGateway({ providers });
  const asked = { model: 'openai/gpt', fallbacks: ['anthropic/claude-opus-4-6'], stream: true, ...body };
  const answer = await gateway.post(route, asked);
  return parseSse(answer.text).map(({ data }) => data);
}

const factsOf = (data: string): JsonObject | undefined =>
  (JSON.parse(data) as { readonly extra_fields?: JsonObject }).extra_fields;

it.each([
  [routes.chat, { messages }],
  [routes.responses, { input: 'hi' }],
])(
  'each chunk of a translated stream says who answered, its number and its time: $requestType',
  async (route, body) => {
    const chunks = (await chunksOf(route, body)).filter((data) => data !== '[DONE]');
    expect(chunks.length).toBeGreaterThan(5);
    for (const [index, data] of chunks.entries()) {
      expect(factsOf(data)).toEqual({
        request_type: `${route.requestType}_stream`,
        model_requested: 'openai/gpt',
        provider: 'anthropic',
        resolved_model_used: 'claude-opus-4-6',
        routing_info: {
          provider: 'anthropic',
          model: 'claude-opus-4-6',
          key: 'k1',
          is_fallback: true,
          primary_provider: 'openai',
          primary_model: 'gpt',
        },
        chunk_index: index,
        latency: expect.any(Number),
      });
    }
  },
);

it('chunks of drop-in routes, and those that pass as they came, have none', async () => {
  for (const data of await chunksOf(routes.openai, { messages })) expect(data).not.toContain('extra_fields');
  for (const data of await chunksOf({ ...routes.anthropic, isDropIn: false }, { messages, max_tokens: 9 }))
    expect(data).not.toContain('extra_fields');
});
