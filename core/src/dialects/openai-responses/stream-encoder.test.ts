import type { JsonObject, StreamEvent, StreamFrame } from '@bifrost/sdk';
import { recordedBytes, recordingById, recordingsOfApi } from '@bifrost/testkit';
import OpenAI from 'openai';
import type { Response as OpenAIResponse } from 'openai/resources/responses/responses';
import { describe, expect, it } from 'vitest';
import { ResponseAccumulator } from '../../conversation/accumulator.ts';
import type { SseEvent } from '../../sse/event.ts';
import { formatSse, parseSse } from '../../sse/parser.ts';
import type { Loss } from '../codec.ts';
import { packToolCallId, untagOpaque } from '../provenance.ts';
import { openaiResponsesCodec } from './codec.ts';

const streams = recordingsOfApi('openai.responses').filter((one) => one.response.stream_format === 'sse');

function decode(events: readonly SseEvent[]): readonly StreamFrame[] {
  const decoder = openaiResponsesCodec.createStreamDecoder();
  return [...events.flatMap((event) => decoder.push(event)), ...decoder.finish()];
}

function encode(frames: readonly StreamFrame[], losses: Loss[] = []): readonly SseEvent[] {
  const encoder = openaiResponsesCodec.createStreamEncoder({ report: { add: (loss) => losses.push(loss) } });
  return [...frames.flatMap((frame) => encoder.push(frame)), ...encoder.finish()];
}

function accumulate(frames: readonly StreamFrame[]): ResponseAccumulator {
  const accumulator = new ResponseAccumulator();
  for (const frame of frames) accumulator.push(frame);
  return accumulator;
}

function dataOf(event: SseEvent | undefined): JsonObject {
  return JSON.parse(event?.data ?? '{}') as JsonObject;
}

async function finalResponse(events: readonly SseEvent[]): Promise<OpenAIResponse> {
  const body = events.map(formatSse).join('');
  const fetch = async (): Promise<Response> =>
    new Response(body, { status: 200, headers: { 'content-type': 'text/event-stream' } });
  const client = new OpenAI({ apiKey: 'none', baseURL: 'http://gateway.test/v1', fetch, maxRetries: 0 });
  return client.responses.stream({ model: 'm', input: 'hello' }).finalResponse();
}

const native = new Map<string, Promise<OpenAIResponse | undefined>>();

/** What the official client makes of the recorded stream itself; undefined where it refuses one that lacks pieces as recorded. */
async function nativeResponse(id: string, events: readonly SseEvent[]): Promise<OpenAIResponse | undefined> {
  const known = native.get(id) ?? finalResponse(events).catch(() => undefined);
  native.set(id, known);
  return known;
}

const changeText = (event: StreamEvent): StreamEvent =>
  event.type === 'text-delta' || event.type === 'reasoning-delta'
    ? { ...event, text: '*'.repeat(event.text.length) }
    : event;

describe('a stream that is passed on', () => {
  it.each(streams.map((one) => [one.id, one] as const))('shows changed texts in every snapshot: %s', (_, recording) => {
    const frames = decode(parseSse(recordedBytes(recording.response)));
    const changed = frames.map((frame) => ({ ...frame, events: frame.events.map(changeText) }));
    const again = accumulate(decode(encode(changed))).result();
    expect(again.candidates).toEqual(accumulate(changed).result().candidates);
  });

  it('lets no trace of a text through that was taken out', () => {
    const recording = recordingById(
      'deepseek/responses_tools_stream/pydantic-ai--test-deepseek-responses-test-deepseek-responses-0-f504a2',
    );
    const frames = decode(parseSse(recordedBytes(recording.response)));
    const changed = frames.map((frame) => ({
      ...frame,
      events: frame.events.map((event) =>
        event.type === 'tool-call-delta' ? { ...event, argumentsDelta: '' } : event,
      ),
    }));
    const events = encode(changed).map(dataOf);
    const done = events.find((event) => event['type'] === 'response.function_call_arguments.done');
    expect(done?.['arguments']).toBe('');
    const { response } = events.at(-1) as unknown as { readonly response: { readonly output: readonly JsonObject[] } };
    expect(response.output.at(-1)).toMatchObject({ type: 'function_call', name: 'get_temperature', arguments: '' });
  });

  it('keeps no text of deltas in the residue', () => {
    for (const recording of streams.slice(0, 40)) {
      for (const frame of decode(parseSse(recordedBytes(recording.response)))) {
        for (const event of frame.events) {
          if (event.type === 'text-delta') expect(frame.residue?.fields).not.toHaveProperty('delta');
        }
      }
    }
  });
});

/** Recorded with other words in the snapshot than in the deltas: the text cannot be the one of the snapshot. */
const mended: ReadonlySet<string> = new Set([
  'openai/responses_server_tools_stream/ai--openai-shell-container-1-0-8a64ca',
]);

describe('generation takes over', () => {
  const halves = ['all frames', 'the second half'] as const;

  it.each(halves)('where %s lost their residue: the official client reads the same answer', async (which) => {
    let checked = 0;
    for (const recording of streams) {
      const bytes = recordedBytes(recording.response);
      // The official client is slow on long streams; these have nothing that shorter ones lack.
      if (bytes.length > 60_000) continue;
      const events = parseSse(bytes);
      const before = await nativeResponse(recording.id, events);
      if (mended.has(recording.id) || before === undefined) continue;
      const frames = decode(events);
      const from = which === 'all frames' ? 0 : Math.floor(frames.length / 2);
      const bare = frames.map((frame, index) => (index < from ? frame : { events: frame.events }));
      const encoded = encode(bare);
      const numbers = encoded.map((event) => dataOf(event)['sequence_number']);
      expect(numbers.slice(from)).toEqual(numbers.slice(from).map((_, index) => Number(numbers[from]) + index));
      const after = await finalResponse(encoded);
      expect([recording.id, after.output_text]).toEqual([recording.id, before.output_text]);
      expect(after.status).toBe(before.status);
      expect(after.usage).toMatchObject({
        input_tokens: before.usage?.input_tokens,
        output_tokens: before.usage?.output_tokens,
      });
      const calls = (response: OpenAIResponse): unknown[] =>
        response.output.flatMap((item) =>
          item.type === 'function_call' ? [[item.call_id, item.name, item.arguments]] : [],
        );
      expect(calls(after)).toEqual(calls(before));
      const servers = (response: OpenAIResponse): unknown[] =>
        response.output.map(({ type }) => type).filter((type) => type.endsWith('_search_call'));
      expect(servers(after)).toEqual(servers(before));
      checked += 1;
    }
    expect(checked).toBeGreaterThan(60);
  });

  it('where a plugin says more in a frame than its event can', async () => {
    const recording = recordingById(
      'azure-openai/responses_reasoning_stream/ruby_llm--chat-responses-protocol-dialects-with-azure-gpt-5-nano-streams-responses-0-6cb2cc',
    );
    const frames = decode(parseSse(recordedBytes(recording.response))).map((frame) => ({
      ...frame,
      events: frame.events.flatMap((event): StreamEvent[] =>
        event.type === 'text-delta' ? [event, { ...event, text: '!' }] : [event],
      ),
    }));
    expect((await finalResponse(encode(frames))).output_text).toBe('4!');
  });

  it('where a plugin puts a text in between', async () => {
    const recording = recordingById(
      'azure-openai/responses_reasoning_stream/ruby_llm--chat-responses-protocol-dialects-with-azure-gpt-5-nano-streams-responses-0-6cb2cc',
    );
    const frames = [...decode(parseSse(recordedBytes(recording.response)))];
    frames.splice(-1, 0, {
      events: [
        { type: 'text-start', part: 'mine' },
        { type: 'text-delta', part: 'mine', text: ' (checked)' },
        { type: 'text-end', part: 'mine' },
      ],
    });
    const response = await finalResponse(encode(frames));
    expect(response.output_text).toBe('4 (checked)');
    expect(response.id).toMatch(/^resp_082ac2a584945d9a/);
  });
});

describe('frames of other dialects', () => {
  it('carry signatures inside encrypted content and call ids', () => {
    const events = encode([
      { events: [{ type: 'response-start', id: 'r', model: 'm' }] },
      {
        events: [
          { type: 'reasoning-start', part: 'a' },
          { type: 'reasoning-delta', part: 'a', text: 'hm' },
        ],
      },
      { events: [{ type: 'reasoning-end', part: 'a', signature: 'sig', origin: 'anthropic-messages' }] },
      {
        events: [
          { type: 'reasoning-start', part: 'b' },
          { type: 'reasoning-end', part: 'b', encrypted: 'red', origin: 'anthropic-messages' },
        ],
      },
      {
        events: [
          { type: 'tool-call-start', part: 'c', id: 'call', name: 'f' },
          { type: 'tool-call-delta', part: 'c', argumentsDelta: '{}' },
          { type: 'tool-call-end', part: 'c', signature: 'thought' },
        ],
      },
      { events: [{ type: 'finish', reason: { kind: 'tool-calls' } }] },
    ]);
    const { response } = dataOf(events.at(-1)) as unknown as {
      readonly response: { readonly output: readonly JsonObject[] };
    };
    const [first, second, call] = response.output;
    expect(untagOpaque(first?.['encrypted_content'] as string)).toEqual({
      dialect: 'anthropic-messages',
      kind: 'signature',
      value: 'sig',
    });
    expect(untagOpaque(second?.['encrypted_content'] as string)).toEqual({
      dialect: 'anthropic-messages',
      kind: 'encrypted',
      value: 'red',
    });
    expect(call).toMatchObject({
      type: 'function_call',
      call_id: packToolCallId('call', 'thought'),
      name: 'f',
      arguments: '{}',
    });
    const added = events
      .map(dataOf)
      .find(
        (event) =>
          event['type'] === 'response.output_item.added' && (event['item'] as JsonObject)['type'] === 'function_call',
      );
    expect(added?.['item']).toMatchObject({ name: 'f', call_id: packToolCallId('call', 'thought') });
  });

  it('lose server tools of others, and say so', () => {
    const losses: Loss[] = [];
    encode(
      [{ events: [{ type: 'server-tool', dialect: 'anthropic-messages', name: 'web_search', value: {} }] }],
      losses,
    );
    expect(losses).toEqual([{ action: 'dropped', field: 'content[0]', reason: 'only anthropic-messages knows it' }]);
  });
});

describe('streams as providers send them', () => {
  it('end in an error when they break off', () => {
    const [recording] = streams;
    const events = parseSse(recordedBytes(recording?.response ?? { body_encoding: 'none' }));
    const frames = decode(events.slice(0, -1));
    expect(frames.at(-1)?.events.at(-1)).toMatchObject({
      type: 'error',
      error: { code: 'BF_STREAM_TRUNCATED', statusCode: 502 },
    });
    expect(
      encode(frames)
        .map(({ event }) => event)
        .slice(-2),
    ).toEqual(['error', 'response.failed']);
  });

  it('say arguments that came only at the end as one delta', () => {
    const recording = recordingById('lmstudio/responses_tools_stream/ai--lmstudio-tool-call-1-0-e453ba');
    const { candidates } = accumulate(decode(parseSse(recordedBytes(recording.response)))).result();
    expect(candidates[0]?.parts.at(-1)).toMatchObject({
      type: 'tool-call',
      name: 'weather',
      arguments: '{"location":"San Francisco"}',
    });
  });

  it('may lack sequence numbers and the type inside the data', () => {
    const events: SseEvent[] = [
      { event: 'response.created', data: '{"response":{"id":"r","model":"m","output":[]}}' },
      {
        event: 'response.output_text.delta',
        data: '{"type":"response.output_text.delta","delta":"a","sequence_number":"two"}',
      },
      { event: 'response.completed', data: '{"response":{"id":"r","status":"completed","output":[]}}' },
    ];
    const frames = decode(events);
    expect(frames.flatMap((frame) => frame.events.map(({ type }) => type))).toEqual([
      'response-start',
      'text-start',
      'text-delta',
      'text-end',
      'finish',
    ]);
    expect(encode(frames).map((event) => ({ ...event, data: dataOf(event) }))).toEqual(
      events.map((event) => ({ ...event, data: dataOf(event) })),
    );
  });

  it('are refused where the data is not JSON', () => {
    expect(() => decode([{ event: 'response.created', data: '{oops' }])).toThrow(/whose data is not JSON/);
  });
});
