import type { JsonObject } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import { routes, TestGateway } from '../../pipeline/__tests__/harness.ts';
import { parseSse } from '../../sse/parser.ts';
import { mockEmbeddings } from './embeddings.ts';

const chat = (content: string, more: object = {}) => ({
  model: 'mock/any',
  messages: [{ role: 'user', content }],
  ...more,
});
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer' }, note: { type: 'string' } },
      required: ['city', 'days'],
    },
  },
};

async function post(body: object, route: Parameters<TestGateway['post']>[0] = routes.chat): Promise<JsonObject> {
  await using gateway = new TestGateway({ providers: [] });
  const sink = await gateway.post(route, body);
  expect(sink.statusCode, sink.text).toBe(200);
  return sink.json;
}

describe('the mock', () => {
  it('answers the same to the same, counts words, and says who it is', async () => {
    const body = await post(chat('hello there'));
    expect(body).toMatchObject({
      model: 'any',
      choices: [{ message: { role: 'assistant', content: 'You said: hello there' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 2, completion_tokens: 4, total_tokens: 6 },
      extra_fields: { request_type: 'chat_completion', routing_info: { provider: 'mock', is_fallback: false } },
    });
  });

  it('cuts at the length limit', async () => {
    const body = await post(chat('one two three', { max_tokens: 3 }));
    expect(body).toMatchObject({ choices: [{ message: { content: 'You said: one ' }, finish_reason: 'length' }] });
  });

  it('calls the tool that the user names, with arguments that fit', async () => {
    const body = await post(chat('please use a tool', { tools: [weather] }));
    expect(body).toMatchObject({
      choices: [
        {
          finish_reason: 'tool_calls',
          message: { tool_calls: [{ function: { name: 'get_weather', arguments: '{"city":"mock","days":1}' } }] },
        },
      ],
    });
    const none = await post(chat('hello', { tools: [weather] }));
    expect(none).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
  });

  it('streams several deltas in every dialect', async () => {
    await using gateway = new TestGateway({ providers: [] });
    const anthropic = await gateway.post(routes.anthropic, { ...chat('hello there'), max_tokens: 99, stream: true });
    const types = parseSse(anthropic.text).map((event) => event.event);
    expect(types.filter((type) => type === 'content_block_delta').length).toBe(4);
    expect(types.at(-1)).toBe('message_stop');
    const openai = await gateway.post(routes.chat, chat('hello there', { stream: true }));
    expect(openai.text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(openai.headers['x-bf-lane']).toBe('translated');
  });

  it('counts tokens and embeds, deterministically', async () => {
    const counting = { ...routes.anthropic, operation: 'count-tokens', requestType: 'count_tokens' } as const;
    expect(await post({ model: 'mock/x', messages: [{ role: 'user', content: 'a b c' }] }, counting)).toEqual({
      input_tokens: 3,
    });
    const embedding = { ...routes.chat, operation: 'embeddings', requestType: 'embedding' } as const;
    const body = (await post({ model: 'mock/x', input: ['a', 'b'], dimensions: 4 }, embedding)) as {
      data?: { embedding: number[] }[];
    };
    expect(body.data?.length).toBe(2);
    const vectors = mockEmbeddings({ model: 'x', inputs: ['a', 'b'], dimensions: 4 }).embeddings as number[][];
    for (const dimensions of [-1, 0, 0.5, 1e9]) {
      const [vector] = mockEmbeddings({ model: 'x', inputs: ['a'], dimensions }).embeddings as number[][];
      expect(vector?.length).toBe(dimensions > 4096 ? 4096 : 1);
    }
    expect(body.data?.map((one) => one.embedding.length)).toEqual([4, 4]);
    expect(vectors[0]).not.toEqual(vectors[1]);
    expect(Math.hypot(...(vectors[0] as number[]))).toBeCloseTo(1);
  });
});
