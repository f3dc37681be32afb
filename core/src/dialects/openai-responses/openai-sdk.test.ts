import type { ConversationRequest, StreamFrame } from '@bifrost/sdk';
import { recordedBytes, recordingsOfApi } from '@bifrost/testkit';
import OpenAI from 'openai';
import type { Response as OpenAIResponse, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { describe, expect, it } from 'vitest';
import { ResponseAccumulator } from '../../conversation/accumulator.ts';
import { framesOf } from '../../conversation/response-frames.ts';
import { formatSse, parseSse } from '../../sse/parser.ts';
import type { DialectCodec } from '../codec.ts';
import { codecOf } from '../registry.ts';
import { openaiResponsesCodec } from './codec.ts';

const report = { add: () => undefined };

/** The official client, fed with the wire text in place of a server's answer. */
function clientOf(text: string): OpenAI {
  const fetch = async (): Promise<Response> =>
    new Response(text, { status: 200, headers: { 'content-type': 'text/event-stream' } });
  return new OpenAI({ apiKey: 'none', baseURL: 'http://gateway.test/v1', fetch, maxRetries: 0 });
}

function wireOf(frames: readonly StreamFrame[], request?: ConversationRequest): string {
  const encoder = openaiResponsesCodec.createStreamEncoder({ report, ...(request === undefined ? {} : { request }) });
  return [...frames.flatMap((frame) => encoder.push(frame)), ...encoder.finish()].map(formatSse).join('');
}

async function consume(text: string): Promise<{ events: ResponseStreamEvent[]; response: OpenAIResponse }> {
  const stream = clientOf(text).responses.stream({ model: 'm', input: 'hello' });
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return { events, response: await stream.finalResponse() };
}

function framesOfRecording(codec: DialectCodec, body: Buffer): readonly StreamFrame[] {
  const decoder = codec.createStreamDecoder();
  return [...parseSse(body).flatMap((event) => decoder.push(event)), ...decoder.finish()];
}

const sources = [
  ['anthropic-messages', 'anthropic.messages'],
  ['openai-chat', 'openai.chat_completions'],
  ['gemini-generate-content', 'google.stream_generate_content'],
] as const;

describe.each(sources)('streams of %s through the official client', (dialect, api) => {
  // The official client is slow on long streams; these have nothing that shorter ones lack.
  const recordings = recordingsOfApi(api).filter(
    ({ response }) => response.stream_format === 'sse' && recordedBytes(response).length < 40_000,
  );

  it.each(recordings.map((one) => [one.id, one] as const))('%s', async (_, recording) => {
    const frames = framesOfRecording(codecOf(dialect), recordedBytes(recording.response));
    const accumulator = new ResponseAccumulator();
    for (const frame of frames) accumulator.push(frame);
    const { candidates } = accumulator.result();
    const parts = candidates.find((candidate) => candidate.index === 0)?.parts ?? [];
    if (accumulator.error !== undefined) {
      await expect(consume(wireOf(frames))).rejects.toThrow(accumulator.error.message);
      return;
    }
    const { events, response } = await consume(wireOf(frames));
    const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
    expect(response.output_text).toBe(texts.join(''));
    const calls = parts.flatMap((part) => (part.type === 'tool-call' ? [[part.name, part.arguments]] : []));
    const items = response.output.flatMap((item) =>
      item.type === 'function_call' ? [[item.name, item.arguments]] : [],
    );
    expect(items).toEqual(calls);
    const thoughts = parts.flatMap((part) => (part.type === 'reasoning' && part.text !== '' ? [part.text] : []));
    const reasoning = response.output.flatMap((item) =>
      item.type === 'reasoning' ? [...(item.content ?? []), ...item.summary].map(({ text }) => text) : [],
    );
    expect(reasoning).toEqual(thoughts);
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((__, index) => index));
    expect(events.slice(0, 2).map(({ type }) => type)).toEqual(['response.created', 'response.in_progress']);
    expect(events.at(-1)?.type).toMatch(/^response\.(completed|incomplete)$/);
  });
});

describe('a generated stream', () => {
  const answer = {
    id: 'msg_1',
    model: 'claude',
    createdAt: 1,
    candidates: [
      {
        index: 0,
        parts: [
          { type: 'reasoning', text: 'hm', signature: 'sig', origin: 'anthropic-messages' },
          { type: 'text', text: 'Hello' },
          { type: 'tool-call', id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' },
        ],
        finishReason: { kind: 'tool-calls', raw: 'tool_use' },
      },
    ],
    usage: { inputTokens: 10, cacheReadTokens: 4, outputTokens: 3, reasoningTokens: 2 },
  } as const;

  it('has the events of the API in the order of the API', () => {
    const types = parseSse(wireOf(framesOf(answer))).map(({ event }) => event);
    expect(types).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.reasoning_text.delta',
      'response.reasoning_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
      'response.completed',
    ]);
  });

  it('echoes the request and counts the tokens', async () => {
    const request = openaiResponsesCodec.decodeRequest(
      {
        model: 'm',
        instructions: 'Be brief.',
        input: 'hello',
        temperature: 0.2,
        tool_choice: 'required',
        tools: [{ type: 'function', name: 'weather', parameters: { type: 'object' }, strict: true }],
        reasoning: { effort: 'low', summary: 'auto' },
        store: false,
        previous_response_id: 'resp_0',
      },
      {},
    );
    const { response } = await consume(wireOf(framesOf(answer), request));
    expect(response).toMatchObject({
      instructions: 'Be brief.',
      temperature: 0.2,
      top_p: 1,
      tool_choice: 'required',
      tools: [{ type: 'function', name: 'weather' }],
      reasoning: { effort: 'low', summary: 'auto' },
      store: false,
      previous_response_id: 'resp_0',
      parallel_tool_calls: true,
      truncation: 'disabled',
      status: 'completed',
      error: null,
      incomplete_details: null,
      usage: {
        input_tokens: 14,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens: 5,
        output_tokens_details: { reasoning_tokens: 2 },
        total_tokens: 19,
      },
    });
    expect(response.output[0]).toMatchObject({ type: 'reasoning', summary: [{ type: 'summary_text', text: 'hm' }] });
  });

  it.each([
    ['length', 'max_output_tokens'],
    ['content-filter', 'content_filter'],
  ] as const)('ends with response.incomplete on %s', async (kind, reason) => {
    const [candidate] = answer.candidates;
    const cut = {
      ...answer,
      candidates: [{ ...candidate, parts: [{ type: 'text', text: 'He' } as const], finishReason: { kind } }],
    };
    const { events, response } = await consume(wireOf(framesOf(cut)));
    expect(events.at(-1)?.type).toBe('response.incomplete');
    expect(response.incomplete_details).toEqual({ reason });
    expect(response.output_text).toBe('He');
  });

  it('ends with an error event and response.failed, and with nothing after them', () => {
    const encoder = openaiResponsesCodec.createStreamEncoder({ report });
    const frames = framesOf(answer).slice(0, 2);
    const before = frames.flatMap((frame) => encoder.push(frame));
    const error = { statusCode: 529, code: 'overloaded', message: 'try later', origin: 'provider' } as const;
    const after = [
      ...encoder.fail(error),
      ...encoder.finish(),
      ...encoder.push({ events: [{ type: 'text-delta', part: 'x', text: 'y' }] }),
    ];
    expect(after.map(({ event }) => event)).toEqual(['error', 'response.failed']);
    const [first, second] = after.map(({ data }) => JSON.parse(data) as Record<string, unknown>);
    expect(first).toEqual({
      type: 'error',
      code: 'overloaded',
      message: 'try later',
      param: null,
      sequence_number: before.length,
    });
    expect(second).toMatchObject({ response: { status: 'failed', error: { message: 'try later' } } });
  });
});
