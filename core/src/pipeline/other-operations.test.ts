import { startReplayUpstream } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { provider, routes, TestGateway } from './__tests__/harness.ts';
import type { InboundRoute } from './seam.ts';

const embedding = { operation: 'embeddings', requestType: 'embedding' } as const;
const counting = { operation: 'count-tokens', requestType: 'count_tokens' } as const;
const openaiAnswer = {
  object: 'list',
  model: 'e',
  data: [{ object: 'embedding', index: 0, embedding: [0.5, -1] }],
  usage: { prompt_tokens: 2, total_tokens: 2 },
};

async function post(name: string, route: InboundRoute, request: { body: object; path?: string }, answer: object) {
  await using upstream = await startReplayUpstream({ script: [{ body: answer as never }] });
  await using gateway = new TestGateway({ providers: [provider(name, upstream.url)] });
  const sink = await gateway.post(route, request.body, request.path === undefined ? {} : { path: request.path });
  const { path, body } = upstream.requests[0] ?? { path: '', body: Buffer.from('null') };
  return { sink, path, sent: JSON.parse(body.toString()) as unknown, trace: gateway.traces[0] };
}

describe('embeddings', () => {
  it('pass a provider of their own dialect as they came', async () => {
    const { sink, path, sent, trace } = await post(
      'openai',
      { ...routes.chat, ...embedding },
      { body: { model: 'openai/e', input: ['hi'], odd: 1 } },
      openaiAnswer,
    );
    expect(path).toBe('/v1/embeddings');
    expect(sent).toEqual({ model: 'e', input: ['hi'], odd: 1 });
    expect(sink.json).toEqual(openaiAnswer);
    expect(trace?.usage?.inputTokens).toBe(2);
  });

  it('are translated between OpenAI and Gemini, both ways', async () => {
    const values = [0.5, -1];
    const toGemini = await post(
      'gemini',
      { ...routes.chat, ...embedding },
      { body: { model: 'gemini/e', input: ['a', 'b'] } },
      { embeddings: [{ values }, { values }] },
    );
    expect(toGemini.path).toBe('/v1beta/models/e:batchEmbedContents');
    expect((toGemini.sink.json['data'] as { embedding: number[] }[]).map((one) => one.embedding)).toEqual([
      values,
      values,
    ]);
    expect(toGemini.sink.headers['x-bf-lane']).toBe('translated');
    const route = { ...routes.gemini, ...embedding, pathModel: 'openai/e' };
    const toOpenai = await post(
      'openai',
      route,
      { body: { content: { parts: [{ text: 'hi' }] } }, path: '/v1beta/models/openai/e:embedContent' },
      openaiAnswer,
    );
    expect(toOpenai.sent).toMatchObject({ model: 'e' });
    expect(toOpenai.sink.json['embedding']).toEqual({ values });
  });

  it('of Gemini keep the action that the caller named', async () => {
    const route = { ...routes.gemini, ...embedding, pathModel: 'e' };
    const body = { requests: [{ model: 'models/e', content: { parts: [{ text: 'hi' }] } }] };
    const { path, sink } = await post(
      'gemini',
      route,
      { body, path: '/v1beta/models/e:batchEmbedContents' },
      { embeddings: [{ values: [1] }] },
    );
    expect(path).toBe('/v1beta/models/e:batchEmbedContents');
    expect(sink.headers['x-bf-lane']).toBe('identical');
  });
});

describe('token counts', () => {
  it('pass and are translated between Anthropic and Gemini', async () => {
    const route = { ...routes.anthropic, ...counting };
    const messages = [{ role: 'user', content: 'hi' }];
    const own = await post('anthropic', route, { body: { model: 'claude', messages } }, { input_tokens: 8 });
    expect([own.path, own.sink.json]).toEqual(['/v1/messages/count_tokens', { input_tokens: 8 }]);
    const other = await post('gemini', route, { body: { model: 'gemini/g', messages } }, { totalTokens: 5 });
    expect([other.path, other.sink.json]).toEqual(['/v1beta/models/g:countTokens', { input_tokens: 5 }]);
    expect(other.sent).toEqual({ contents: [{ role: 'user', parts: [{ text: 'hi' }] }] });
    const gemini = { ...routes.gemini, ...counting, pathModel: 'anthropic/claude' };
    const back = await post(
      'anthropic',
      gemini,
      { body: { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] } },
      { input_tokens: 8 },
    );
    expect(back.sink.json).toMatchObject({ totalTokens: 8 });
  });
});
