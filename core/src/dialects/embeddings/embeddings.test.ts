import type { JsonObject } from '@bifrost/sdk';
import { recordingsOfApi } from '@bifrost/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Loss } from '../codec.ts';
import type { EmbeddingCodec } from './codec.ts';
import { geminiEmbeddingAction, geminiEmbeddings } from './gemini.ts';
import { openaiEmbeddings } from './openai.ts';
import { decodeVector, encodeVector } from './vectors.ts';

const strict = { report: { add: (loss: Loss) => expect.fail(`lost ${JSON.stringify(loss)}`) } };

const modelOf = (path: string): string | undefined => /models\/([^:]+):/.exec(path)?.[1];

describe.each([
  ['openai.embeddings', openaiEmbeddings, 27],
  ['google.embed', geminiEmbeddings, 11],
] as const)('%s over every recording', (api, codec: EmbeddingCodec, count) => {
  const recordings = recordingsOfApi(api);

  it('gives each request back as it came', () => {
    expect(recordings.length).toBe(count);
    for (const { id, request } of recordings) {
      const model = modelOf(request?.path ?? '');
      const decoded = codec.decodeRequest(request?.body as JsonObject, model === undefined ? {} : { model });
      expect(codec.encodeRequest(decoded, strict), id).toEqual(request?.body);
    }
  });

  it('gives each answer back as it came, with and without its request', () => {
    const answers = recordings.filter((one) => one.response.status < 300);
    expect(answers.length).toBeGreaterThan(9);
    for (const { id, request, response } of answers) {
      const decoded = codec.decodeResponse(response.body as JsonObject);
      expect(codec.encodeResponse(decoded, strict), id).toEqual(response.body);
      const model = modelOf(request?.path ?? '');
      const asked = codec.decodeRequest(request?.body as JsonObject, model === undefined ? {} : { model });
      expect(decoded.embeddings.length, id).toBe(asked.inputs.length);
    }
  });

  it('writes a changed input', () => {
    for (const { request } of recordings) {
      const model = modelOf(request?.path ?? '');
      const decoded = codec.decodeRequest(request?.body as JsonObject, model === undefined ? {} : { model });
      const inputs = decoded.inputs.map((input) => (typeof input === 'string' ? `${input}#` : input));
      const encoded = codec.encodeRequest({ ...decoded, inputs }, strict);
      expect(codec.decodeRequest(encoded, { model: decoded.model }).inputs).toEqual(inputs);
    }
  });
});

describe('embeddings across dialects', () => {
  it('turns an OpenAI request into a Gemini batch and its vectors into the asked base64', () => {
    const asked = openaiEmbeddings.decodeRequest(
      { model: 'm', input: ['a', 'b'], dimensions: 8, encoding_format: 'base64', user: 'u' },
      {},
    );
    const losses: Loss[] = [];
    const body = geminiEmbeddings.encodeRequest(asked, { report: { add: (loss) => void losses.push(loss) } });
    expect(geminiEmbeddingAction(body)).toBe('batchEmbedContents');
    expect(body).toEqual({
      requests: ['a', 'b'].map((text) => ({
        content: { parts: [{ text }] },
        model: 'models/m',
        outputDimensionality: 8,
      })),
    });
    expect(losses.map((loss) => loss.field)).toEqual(['user']);
    const answer = geminiEmbeddings.decodeResponse({
      embeddings: [{ values: [0.5, -1] }, { values: [2, 0.25] }],
      usageMetadata: { promptTokenCount: 2 },
    });
    const encoded = openaiEmbeddings.encodeResponse(answer, { ...strict, request: asked });
    expect(encoded['usage']).toEqual({ prompt_tokens: 2, total_tokens: 2 });
    expect(
      (encoded['data'] as readonly JsonObject[]).map((entry) => decodeVector(entry['embedding'] as string)),
    ).toEqual([
      [0.5, -1],
      [2, 0.25],
    ]);
  });

  it('gives a Gemini client of embedContent numbers, whatever form the provider sent', () => {
    const asked = geminiEmbeddings.decodeRequest(
      { content: { parts: [{ text: 'a' }] }, taskType: 'RETRIEVAL_QUERY' },
      { model: 'm' },
    );
    const losses: Loss[] = [];
    expect(openaiEmbeddings.encodeRequest(asked, { report: { add: (loss) => void losses.push(loss) } })).toEqual({
      model: 'm',
      input: ['a'],
    });
    expect(losses.map((loss) => loss.field)).toEqual(['taskType']);
    const answer = openaiEmbeddings.decodeResponse({
      object: 'list',
      model: 'm',
      data: [{ object: 'embedding', index: 0, embedding: encodeVector([1, 2]) }],
      usage: { prompt_tokens: 1, total_tokens: 1 },
    });
    expect(geminiEmbeddings.encodeResponse(answer, { ...strict, request: asked })).toEqual({
      embedding: { values: [1, 2] },
      usageMetadata: { promptTokenCount: 1 },
    });
  });

  it('refuses tokens for Gemini with the field at fault', () => {
    const asked = openaiEmbeddings.decodeRequest({ model: 'm', input: [1, 2] }, {});
    expect(() => geminiEmbeddings.encodeRequest(asked, strict)).toThrow(
      expect.objectContaining({ code: 'BF_DIALECT_UNSUPPORTED' }),
    );
  });

  it('puts vectors that came out of order into the order of the inputs', () => {
    const data = [1, 0].map((index) => ({ object: 'embedding', index, embedding: [index] }));
    expect(openaiEmbeddings.decodeResponse({ object: 'list', model: 'm', data }).embeddings).toEqual([[0], [1]]);
  });

  it.each([
    [openaiEmbeddings, { model: 'm' }, 'input'],
    [openaiEmbeddings, { model: 'm', input: [] }, 'input'],
    [openaiEmbeddings, { model: 'm', input: ['a', 3] }, 'input[1]'],
    [openaiEmbeddings, { input: 'a' }, 'model'],
    [openaiEmbeddings, { model: 'm', input: 'a', dimensions: '3' }, 'dimensions'],
    [geminiEmbeddings, { content: { parts: [] } }, 'content.parts'],
    [geminiEmbeddings, { requests: [] }, 'requests'],
    [geminiEmbeddings, { requests: [{ content: { parts: [{ inlineData: {} }] } }] }, 'requests[0].content.parts[0]'],
  ])('names the field at fault: %#', (codec, body, param) => {
    const hint = codec === geminiEmbeddings ? { model: 'm' } : {};
    let thrown: unknown;
    try {
      codec.decodeRequest(body as JsonObject, hint);
    } catch (error) {
      thrown = (error as { toInfo(): unknown }).toInfo();
    }
    expect(thrown).toMatchObject({ statusCode: 400, code: 'BF_REQUEST_INVALID', param });
  });

  it('keeps 32-bit floats through base64', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true })), (values) => {
        expect(decodeVector(encodeVector(values))).toEqual(values);
      }),
    );
  });
});
