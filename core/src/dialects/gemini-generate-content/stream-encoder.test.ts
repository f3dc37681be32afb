/** Chunks and answers made from other dialects' frames, also as the real Google SDK reads them. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GoogleGenAI } from '@google/genai';
import type { GenerateContentResponse } from '@google/genai';
import type { ConversationResponse, JsonObject, StreamEvent, StreamFrame } from '@bifrost/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatSse } from '../../sse/parser.ts';
import type { SseEvent } from '../../sse/event.ts';
import type { Loss } from '../codec.ts';
import { untagOpaque } from '../provenance.ts';
import { geminiGenerateContentCodec as codec } from './codec.ts';

const request = codec.decodeRequest({ contents: [{ parts: [{ text: 'x' }] }] }, { model: 'gemini-2.5-flash' });

/** What an Anthropic decoder may give: thinking, text, a call in pieces, sources, and usage in two halves. */
const foreignFrames: readonly StreamFrame[] = [
  {
    events: [
      { type: 'response-start', id: 'msg_1', model: 'claude-x' },
      { type: 'usage', usage: { inputTokens: 10, cacheReadTokens: 5 } },
    ],
  },
  { events: [{ type: 'reasoning-start', part: '0' }] },
  { events: [{ type: 'reasoning-delta', part: '0', text: 'Let me ' }] },
  { events: [{ type: 'reasoning-delta', part: '0', text: 'think.' }] },
  { events: [{ type: 'reasoning-end', part: '0', signature: 'sig', origin: 'anthropic-messages' }] },
  { events: [{ type: 'text-start', part: '1' }] },
  { events: [{ type: 'text-delta', part: '1', text: 'Zürich ' }] },
  { events: [{ type: 'text-delta', part: '1', text: 'is sunny.' }] },
  {
    events: [
      { type: 'citation', part: '1', citation: { url: 'https://w.example', title: 'W', startIndex: 7, endIndex: 16 } },
      { type: 'text-end', part: '1' },
    ],
  },
  { events: [{ type: 'tool-call-start', part: '2', id: 'toolu_1', name: 'get_weather' }] },
  { events: [{ type: 'tool-call-delta', part: '2', argumentsDelta: '{"city":' }] },
  { events: [{ type: 'tool-call-delta', part: '2', argumentsDelta: '"Zürich"}' }] },
  { events: [{ type: 'tool-call-end', part: '2' }] },
  { events: [{ type: 'finish', reason: { kind: 'tool-calls', raw: 'tool_use' } }] },
  { events: [{ type: 'usage', usage: { outputTokens: 7, reasoningTokens: 3 } }] },
];

const encodeAll = (
  frames: readonly StreamFrame[],
): { readonly events: readonly SseEvent[]; readonly losses: readonly Loss[] } => {
  const losses: Loss[] = [];
  const report = { add: (loss: Loss): void => void losses.push(loss) };
  const encoder = codec.createStreamEncoder({ report, request, fallbackId: 'fallback' });
  return { events: [...frames.flatMap((frame) => encoder.push(frame)), ...encoder.finish()], losses };
};

const chunksOf = (frames: readonly StreamFrame[]): readonly JsonObject[] =>
  encodeAll(frames).events.map((event) => JSON.parse(event.data) as JsonObject);

const foreignAnswer: ConversationResponse = {
  id: 'msg_1',
  model: 'claude-x',
  candidates: [
    {
      index: 0,
      parts: [
        { type: 'reasoning', text: 'Let me think.', signature: 'sig', origin: 'anthropic-messages' },
        {
          type: 'text',
          text: 'Zürich is sunny.',
          citations: [{ url: 'https://w.example', title: 'W', startIndex: 7, endIndex: 16 }],
        },
        { type: 'tool-call', id: 'toolu_1', name: 'get_weather', arguments: '{"city":"Zürich"}' },
      ],
      finishReason: { kind: 'tool-calls', raw: 'tool_use' },
    },
  ],
  usage: { inputTokens: 10, cacheReadTokens: 5, outputTokens: 7, reasoningTokens: 3 },
};

describe('a stream of another dialect', () => {
  it('becomes chunks with whole calls; the last one has the end, the sources and the usage', () => {
    const chunks = chunksOf(foreignFrames);
    for (const chunk of chunks) expect(chunk).toMatchObject({ modelVersion: 'claude-x', responseId: 'msg_1' });
    const parts = chunks.flatMap(
      (chunk) =>
        (chunk['candidates'] as readonly { readonly content: { readonly parts: readonly JsonObject[] } }[])[0]?.content
          .parts ?? [],
    );
    const signature = parts[2]?.['thoughtSignature'] as string;
    expect(untagOpaque(signature)).toEqual({ dialect: 'anthropic-messages', kind: 'signature', value: 'sig' });
    expect(parts).toEqual([
      { text: 'Let me ', thought: true },
      { text: 'think.', thought: true },
      { text: '', thought: true, thoughtSignature: signature },
      { text: 'Zürich ' },
      { text: 'is sunny.' },
      { functionCall: { id: 'toolu_1', name: 'get_weather', args: { city: 'Zürich' } } },
      { text: '' },
    ]);
    expect(chunks.at(-1)).toMatchObject({
      candidates: [
        {
          finishReason: 'STOP',
          groundingMetadata: {
            groundingChunks: [{ web: { uri: 'https://w.example', title: 'W' } }],
            groundingSupports: [
              { segment: { startIndex: 8, endIndex: 17, text: 'is sunny.' }, groundingChunkIndices: [0] },
            ],
          },
        },
      ],
      usageMetadata: {
        promptTokenCount: 15,
        cachedContentTokenCount: 5,
        candidatesTokenCount: 7,
        thoughtsTokenCount: 3,
        totalTokenCount: 25,
      },
    });
    expect(chunks.slice(0, -1).some((chunk) => 'usageMetadata' in chunk)).toBe(false);
    expect(encodeAll(foreignFrames).losses).toEqual([]);
  });

  it('keeps candidates apart and ends each of them', () => {
    const delta = (candidate: number, text: string): StreamEvent => ({
      type: 'text-delta',
      part: `${candidate}`,
      candidate,
      text,
    });
    const finish = (candidate: number, kind: 'stop' | 'length'): StreamEvent => ({
      type: 'finish',
      candidate,
      reason: { kind },
    });
    const chunks = chunksOf([
      { events: [delta(0, 'a'), delta(1, 'b')] },
      { events: [finish(1, 'length')] },
      { events: [finish(0, 'stop')] },
    ]);
    expect(chunks[0]).toMatchObject({ candidates: [{ index: 0 }, { index: 1 }], responseId: 'fallback' });
    expect(chunks[1]).toMatchObject({
      candidates: [
        { index: 0, finishReason: 'STOP' },
        { index: 1, finishReason: 'MAX_TOKENS' },
      ],
    });
  });

  it('keeps calls that nobody ended, and thoughts that said nothing', () => {
    const [thought, call, last] = chunksOf([
      {
        events: [
          { type: 'reasoning-start', part: '0' },
          { type: 'reasoning-end', part: '0' },
        ],
      },
      { events: [{ type: 'finish', reason: { kind: 'tool-calls' } }] },
      { events: [{ type: 'tool-call-start', part: '1', id: 'c1', name: 'f' }] },
      { events: [{ type: 'tool-call-delta', part: '1', argumentsDelta: '{}' }] },
    ]);
    expect(thought).toMatchObject({ candidates: [{ content: { parts: [{ text: '', thought: true }] } }] });
    expect(call).toMatchObject({ candidates: [{ content: { parts: [{ functionCall: { id: 'c1', args: {} } }] } }] });
    expect(last).toMatchObject({ candidates: [{ finishReason: 'STOP' }] });
  });

  it('ends with the error and nothing after it', () => {
    const error = { statusCode: 503, message: 'gone', origin: 'provider' } as const;
    const encoder = codec.createStreamEncoder({ report: { add: () => undefined }, request });
    const [first] = encoder.push({
      events: [
        { type: 'text-delta', part: '0', text: 'a' },
        { type: 'error', error },
      ],
    });
    expect(first?.data).toContain('"text":"a"');
    expect(encoder.push({ events: [{ type: 'text-delta', part: '0', text: 'b' }] })).toEqual([]);
    expect(encoder.finish()).toEqual([]);
    const failed = codec.createStreamEncoder({ report: { add: () => undefined } }).fail(error);
    expect(failed.map((event) => JSON.parse(event.data) as unknown)).toEqual([
      { error: { code: 503, message: 'gone', status: 'UNAVAILABLE' } },
    ]);
  });

  it('reports what no chunk can say', () => {
    const { losses } = encodeAll([
      { events: [{ type: 'server-tool', dialect: 'anthropic-messages', name: 'web_search', value: {} }] },
      { events: [{ type: 'finish', reason: { kind: 'pause', raw: 'pause_turn', stopSequence: 'X' } }] },
      { events: [{ type: 'usage', usage: { cacheWriteTokens: 4 } }] },
    ]);
    expect(losses.map(({ action, field }) => `${action} ${field}`)).toEqual([
      'dropped web_search',
      'changed candidates[0].finish_reason',
      'dropped candidates[0].stop_sequence',
      'changed usage.cache_write_tokens',
    ]);
  });
});

describe('the stream decoder', () => {
  const decode = (...chunks: readonly JsonObject[]): readonly StreamEvent[] => {
    const decoder = codec.createStreamDecoder();
    const frames = chunks.flatMap((chunk) => decoder.push({ data: JSON.stringify(chunk) }));
    return [...frames, ...decoder.finish()].flatMap((frame) => frame.events);
  };
  const chunk = (parts: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
    candidates: [{ content: { parts }, ...more }],
  });

  it('closes open parts and says so when the stream ends without a finishReason', () => {
    expect(decode(chunk([{ text: 'a' }]))).toMatchObject([
      { type: 'response-start' },
      { type: 'text-start', part: '0:0' },
      { type: 'text-delta', text: 'a' },
      { type: 'text-end' },
      { type: 'error', error: { code: 'BF_STREAM_TRUNCATED', statusCode: 502 } },
    ]);
  });

  it('turns a refused prompt into a content-filter end, and an error chunk into an error event', () => {
    expect(decode({ promptFeedback: { blockReason: 'SAFETY' } }).at(-1)).toEqual({
      type: 'finish',
      reason: { kind: 'content-filter', raw: 'SAFETY' },
    });
    const events = decode(chunk([{ text: 'a' }]), {
      error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' },
    });
    expect(events.filter((event) => event.type === 'error')).toMatchObject([{ error: { statusCode: 503 } }]);
  });

  it('refuses what is no JSON object', () => {
    const decoder = codec.createStreamDecoder();
    expect(() => decoder.push({ data: 'null' })).toThrow(/not a JSON object/);
    expect(() => decoder.push({ data: '{"a":' })).toThrow(/not a JSON object/);
  });

  it('joins arguments that come in pieces (Vertex)', () => {
    const call = (functionCall: JsonObject, more: JsonObject = {}): JsonObject => chunk([{ functionCall, ...more }]);
    const piece = (jsonPath: string, value: JsonObject): JsonObject =>
      call({ partialArgs: [{ jsonPath, ...value }], willContinue: true });
    const chunks = [
      call({ name: 'book', id: 'c1', willContinue: true }, { thoughtSignature: 'sig' }),
      piece('$.city', { stringValue: 'Zü', willContinue: true }),
      piece('$.city', { stringValue: 'rich' }),
      piece('$.days[0].n', { numberValue: 2 }),
      piece('$.days[1].n', { boolValue: true }),
      piece('$.none', { nullValue: 'NULL_VALUE' }),
      piece('$.__proto__.polluted', { stringValue: 'no' }),
      call({}),
      chunk([{ text: '' }], { finishReason: 'STOP' }),
    ];
    const events = decode(...chunks);
    expect(events.filter((event) => event.type.startsWith('tool-call'))).toMatchObject([
      { type: 'tool-call-start', id: 'c1', name: 'book' },
      { argumentsDelta: '{"city":"Zürich","days":[{"n":2},{"n":true}],"none":null}' },
      { type: 'tool-call-end', signature: 'sig' },
    ]);
    expect(events.at(-1)).toMatchObject({ type: 'finish', reason: { kind: 'tool-calls', raw: 'STOP' } });
    expect(({} as { readonly polluted?: string }).polluted).toBeUndefined();
    const decoder = codec.createStreamDecoder();
    const encoder = codec.createStreamEncoder({ report: { add: () => undefined } });
    const written = chunks.flatMap((one) =>
      decoder.push({ data: JSON.stringify(one) }).flatMap((frame) => encoder.push(frame)),
    );
    expect(written.map((event) => JSON.parse(event.data) as unknown)).toEqual(chunks);
  });

  it('names a repeated source once', () => {
    const groundingMetadata = { groundingChunks: [{ web: { uri: 'https://a.example', title: 'a' } }] };
    const events = decode(
      chunk([{ text: 'x' }], { groundingMetadata }),
      chunk([{ text: 'y' }], { groundingMetadata, finishReason: 'STOP' }),
    );
    expect(events.filter((event) => event.type === 'citation')).toHaveLength(1);
  });
});

describe('the Google SDK', () => {
  let body = '';
  let contentType = '';
  let statusCode = 200;
  const server = createServer((_, response) => {
    response.writeHead(statusCode, { 'content-type': contentType }).end(body);
  });
  let client: GoogleGenAI;
  beforeAll(async () => {
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    client = new GoogleGenAI({ apiKey: 'none', httpOptions: { baseUrl: `http://127.0.0.1:${port}` } });
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  });

  const stream = async (events: readonly SseEvent[]): Promise<readonly GenerateContentResponse[]> => {
    body = events.map(formatSse).join('');
    contentType = 'text/event-stream';
    statusCode = 200;
    const chunks: GenerateContentResponse[] = [];
    for await (const one of await client.models.generateContentStream({ model: 'm', contents: 'x' })) chunks.push(one);
    return chunks;
  };

  it('reads a generated stream', async () => {
    const chunks = await stream(encodeAll(foreignFrames).events);
    expect(chunks.flatMap((one) => one.functionCalls ?? [])).toEqual([
      { id: 'toolu_1', name: 'get_weather', args: { city: 'Zürich' } },
    ]);
    const texts = chunks
      .flatMap((one) => one.candidates?.[0]?.content?.parts ?? [])
      .filter((part) => part.thought !== true);
    expect(texts.map((part) => part.text ?? '').join('')).toBe('Zürich is sunny.');
    const last = chunks.at(-1);
    expect(last?.candidates?.[0]?.finishReason).toBe('STOP');
    expect(last?.usageMetadata?.totalTokenCount).toBe(25);
    expect(last?.responseId).toBe('msg_1');
  });

  it('reads a generated answer', async () => {
    const losses: Loss[] = [];
    const report = { add: (loss: Loss): void => void losses.push(loss) };
    body = JSON.stringify(codec.encodeResponse(foreignAnswer, { report, request }));
    contentType = 'application/json';
    statusCode = 200;
    const answer = await client.models.generateContent({ model: 'm', contents: 'x' });
    // Not `answer.text`, which warns on the console beside a call.
    expect(answer.candidates?.[0]?.content?.parts?.map((part) => part.text)).toEqual([
      'Let me think.',
      'Zürich is sunny.',
      undefined,
    ]);
    expect(answer.functionCalls).toEqual([{ id: 'toolu_1', name: 'get_weather', args: { city: 'Zürich' } }]);
    expect(answer.candidates?.[0]?.groundingMetadata?.groundingSupports?.[0]?.segment?.text).toBe('is sunny.');
    expect(answer.usageMetadata).toMatchObject({ promptTokenCount: 15, totalTokenCount: 25 });
    expect(losses).toEqual([]);
  });

  it('throws for a generated error, whole and inside a stream', async () => {
    const error = { statusCode: 429, message: 'slow down', origin: 'gateway' } as const;
    body = JSON.stringify(codec.encodeError(error));
    contentType = 'application/json';
    statusCode = 429;
    await expect(client.models.generateContent({ model: 'm', contents: 'x' })).rejects.toThrow('slow down');
    const encoder = codec.createStreamEncoder({ report: { add: () => undefined } });
    const start = encoder.push({ events: [{ type: 'text-delta', part: '0', text: 'a' }] });
    await expect(stream([...start, ...encoder.fail(error)])).rejects.toThrow('slow down');
  });
});
