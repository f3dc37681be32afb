/** What the SDKs do beside streaming: whole answers, embeddings, token counts, model lists, errors. */
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import type { JsonObject } from '@bifrost/sdk';
import { recordingsOfApi, startReplayUpstream } from '@bifrost/testkit';
import type { Recording, ReplayUpstream } from '@bifrost/testkit';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGatewayProcess } from './gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { sdkClients } from './sdk-clients.ts';

const key = { name: 'test', value: 'sk-upstream', models: ['*'], weight: 1 };
let upstream: ReplayUpstream;
let gateway: GatewayProcess;
beforeAll(async () => {
  upstream = await startReplayUpstream();
  const provider = { keys: [key], network_config: { base_url: upstream.url } };
  gateway = await startGatewayProcess({ providers: { openai: provider, anthropic: provider, gemini: provider } }, [
    '-threads',
    '1',
    '-log-level',
    'error',
  ]);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await upstream.close();
});

const openai = (): OpenAI => new OpenAI({ apiKey: 'sk-dummy', baseURL: `${gateway.url}/openai/v1`, maxRetries: 0 });
const anthropic = (): Anthropic =>
  new Anthropic({ apiKey: 'sk-dummy', baseURL: `${gateway.url}/anthropic`, maxRetries: 0 });
const genai = (): GoogleGenAI => new GoogleGenAI({ apiKey: 'dummy', httpOptions: { baseUrl: `${gateway.url}/genai` } });

function first(api: string, provider: string, test: (recording: Recording) => boolean = () => true): Recording {
  const found = recordingsOfApi(api).find(
    (one) => one.provider === provider && !one.stream && one.response.status === 200 && test(one),
  );
  if (found === undefined) throw new Error(`no recording of ${api} by ${provider}`);
  return found;
}

/** Visible text of a whole recorded answer, read without the gateway's code. */
function textOf(recording: Recording): string {
  const body = recording.response.body as {
    choices?: { message: { content: string } }[];
    output?: { type: string; content: { text: string }[] }[];
    content?: { type: string; text: string }[];
    candidates?: { content: { parts: { text?: string; thought?: boolean }[] } }[];
  };
  if (body.choices !== undefined) return body.choices[0]?.message.content ?? '';
  if (body.output !== undefined) {
    const messages = body.output.filter((item) => item.type === 'message');
    return messages.flatMap((item) => item.content.map((part) => part.text)).join('');
  }
  if (body.content !== undefined)
    return body.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  const parts = body.candidates?.[0]?.content.parts ?? [];
  return parts.map((part) => (part.thought === true ? '' : (part.text ?? ''))).join('');
}

const whole = [
  { model: 'anthropic/claude', recording: first('anthropic.messages', 'anthropic', (one) => one.operation === 'chat') },
  {
    model: 'gemini/gemini-2.5-flash',
    recording: first('google.generate_content', 'gemini', (one) => one.operation === 'chat'),
  },
];

describe.each(sdkClients)('$name', (client) => {
  it.each(whole)('gets a whole answer from $model', async ({ model, recording }) => {
    upstream.reset();
    upstream.script([{ recording }]);
    const facts = await client.complete(gateway.url, model);
    expect(facts.text).toBe(textOf(recording));
    expect(facts.inputTokens).toBeGreaterThan(0);
    expect(facts.outputTokens).toBeGreaterThan(0);
  });

  it("throws its own error class with the provider's status and message", async () => {
    upstream.reset();
    upstream.script([{ status: 429, dialect: 'anthropic-messages', retryAfter: 7 }]);
    await expect(client.complete(gateway.url, 'anthropic/claude')).rejects.toMatchObject({ status: 429 });
  });
});

describe('embeddings', () => {
  it('reach OpenAI from the OpenAI SDK, floats asked for as base64 included', async () => {
    const recording = first('openai.embeddings', 'openai', (one) => one.request?.body_encoding === 'json');
    upstream.reset();
    upstream.script([{ recording }]);
    const { model: _, ...body } = (recording.request?.body ?? {}) as { input: string; model: string };
    const answer = await openai().embeddings.create({
      ...body,
      model: 'openai/text-embedding-3-small',
      encoding_format: 'float',
    });
    expect(answer.data.length).toBe((recording.response.body as { data: unknown[] }).data.length);
    expect(answer.usage.prompt_tokens).toBe(
      (recording.response.body as { usage: { prompt_tokens: number } }).usage.prompt_tokens,
    );
  });

  it('reach Gemini from the OpenAI SDK', async () => {
    upstream.reset();
    const values = [0.25, -0.5, 1];
    upstream.script([{ body: { embeddings: [{ values }, { values }], embedding: { values } } }]);
    const answer = await openai().embeddings.create({
      model: 'gemini/gemini-embedding-001',
      input: ['a', 'b'],
      encoding_format: 'float',
    });
    expect(answer.data.map((one) => one.embedding)).toEqual([values, values]);
    expect(upstream.requests[0]?.path).toMatch(/batchEmbedContents/);
  });

  it('reach OpenAI from the Google SDK', async () => {
    upstream.reset();
    const body = {
      object: 'list',
      model: 'm',
      data: [{ object: 'embedding', index: 0, embedding: [0.5, 1] }],
      usage: { prompt_tokens: 2, total_tokens: 2 },
    };
    upstream.script([{ body }]);
    const answer = await genai().models.embedContent({ model: 'openai/text-embedding-3-small', contents: 'hello' });
    expect(answer.embeddings?.[0]?.values).toEqual([0.5, 1]);
  });
});

describe('token counts', () => {
  const request = { model: 'claude-sonnet-4-5', messages: [{ role: 'user' as const, content: 'hello' }] };
  it('come from Anthropic to its SDK', async () => {
    upstream.reset();
    upstream.script([{ body: { input_tokens: 321 } }]);
    expect(await anthropic().messages.countTokens(request)).toEqual({ input_tokens: 321 });
    expect(upstream.requests[0]?.path).toBe('/v1/messages/count_tokens');
  });
  it('come from Gemini to the Anthropic SDK, and never from a generating call', async () => {
    upstream.reset();
    upstream.script([{ body: { totalTokens: 17 } }]);
    const count = await anthropic().messages.countTokens({ ...request, model: 'gemini/gemini-2.5-flash' });
    expect(count.input_tokens).toBe(17);
    expect(upstream.requests[0]?.path).toMatch(/:countTokens$/);
  });
  it('come from Gemini to its SDK', async () => {
    upstream.reset();
    upstream.script([{ body: { totalTokens: 9 } }]);
    const count = await genai().models.countTokens({ model: 'gemini-2.5-flash', contents: 'hello' });
    expect(count.totalTokens).toBe(9);
  });
});

describe('model lists', () => {
  it('are read by each SDK in its own shape', async () => {
    upstream.reset();
    const ids = async (models: AsyncIterable<{ id?: string; name?: string }>): Promise<string[]> => {
      const names: string[] = [];
      for await (const model of models) names.push(model.id ?? model.name ?? '');
      return names;
    };
    const openaiList = {
      body: { object: 'list', data: [{ id: 'gpt-4o', object: 'model', created: 1, owned_by: 'openai' }] },
    };
    const claudeList = {
      body: {
        data: [{ id: 'claude-x', type: 'model', display_name: 'X', created_at: '2026-01-01T00:00:00Z' }],
        has_more: false,
        first_id: 'claude-x',
        last_id: 'claude-x',
      },
    };
    const geminiList = {
      body: { models: [{ name: 'models/gemini-x', supportedGenerationMethods: ['generateContent'] }] },
    };
    const answer = (request: { headers: JsonObject }): { body: JsonObject } =>
      'x-api-key' in request.headers ? claudeList : 'x-goog-api-key' in request.headers ? geminiList : openaiList;
    upstream.script([
      (request) => answer(request as never),
      (request) => answer(request as never),
      (request) => answer(request as never),
    ]);
    const unified = (await (await fetch(`${gateway.url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(unified.data.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['openai/gpt-4o', 'anthropic/claude-x', 'gemini/gemini-x', 'mock/hello']),
    );
    expect(await ids(openai().models.list())).toEqual(expect.arrayContaining([expect.stringContaining('gpt-4o')]));
    expect(await ids(anthropic().models.list())).toEqual(expect.arrayContaining([expect.stringContaining('claude-x')]));
    expect(await ids(await genai().models.list())).toEqual(
      expect.arrayContaining([expect.stringContaining('gemini-x')]),
    );
  });
});
