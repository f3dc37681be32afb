import Anthropic from '@anthropic-ai/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, StreamEvent, StreamFrame } from '@bifrost/sdk';
import { recordingsOfApi } from '@bifrost/testkit';
import { ResponseAccumulator } from '../../conversation/accumulator.ts';
import type { SseEvent } from '../../sse/event.ts';
import { formatSse, parseSse } from '../../sse/parser.ts';
import type { Loss } from '../codec.ts';
import { tagOpaque, unpackToolCallId } from '../provenance.ts';
import { anthropicMessagesCodec as codec } from './codec.ts';
import { canonicalFrames } from './testing/canonical-streams.ts';
import { checkAnthropicStream } from './testing/check-anthropic-stream.ts';

function encode(frames: readonly StreamFrame[], losses: Loss[] = []): readonly SseEvent[] {
  const encoder = codec.createStreamEncoder({ report: { add: (loss) => losses.push(loss) } });
  return [...frames.flatMap((frame) => encoder.push(frame)), ...encoder.finish()];
}

/** One event a frame. */
function frames(...events: readonly StreamEvent[]): readonly StreamFrame[] {
  return events.map((event) => ({ events: [event] }));
}

function bodies(events: readonly SseEvent[]): readonly JsonObject[] {
  return events.map((event) => JSON.parse(event.data) as JsonObject);
}

function decode(events: readonly SseEvent[]) {
  const decoder = codec.createStreamDecoder();
  const accumulator = new ResponseAccumulator();
  for (const frame of [...events.flatMap((event) => decoder.push(event)), ...decoder.finish()]) accumulator.push(frame);
  expect(accumulator.error).toBeUndefined();
  return accumulator.result();
}

const start: StreamEvent = { type: 'response-start', id: 'chatcmpl-1', model: 'gpt-x' };

describe('recorded streams', () => {
  const streams = recordingsOfApi('anthropic.messages').filter((one) => one.stream);

  it('all are legal, message by message (five bodies hold several)', () => {
    let joined = 0;
    for (const recording of streams) {
      const events = parseSse(recording.response.body as string);
      const starts = events.flatMap((event, index) => (event.event === 'message_start' ? [index] : []));
      if (starts.length > 1) joined += 1;
      for (const [number, from] of starts.entries()) {
        expect([recording.id, checkAnthropicStream(events.slice(from, starts[number + 1]))]).toEqual([
          recording.id,
          undefined,
        ]);
      }
    }
    expect(joined).toBe(5);
  });

  it('stay legal and say the same when they are generated anew from their events alone', () => {
    for (const recording of streams) {
      const events = parseSse(recording.response.body as string);
      if (events.filter((event) => event.event === 'message_start').length > 1) continue;
      const decoder = codec.createStreamDecoder();
      const bare = events.flatMap((event) => decoder.push(event)).map((frame) => ({ events: frame.events }));
      const generated = encode(bare);
      expect([recording.id, checkAnthropicStream(generated)]).toEqual([recording.id, undefined]);
      const accumulator = new ResponseAccumulator();
      for (const frame of bare) accumulator.push(frame);
      expect(decode(generated).candidates).toEqual(accumulator.result().candidates);
    }
  });

  it('show a change of canonical members even where the residue was kept: nothing is kept raw', () => {
    let changed = 0;
    for (const recording of streams) {
      const decoder = codec.createStreamDecoder();
      const decoded = parseSse(recording.response.body as string).flatMap((event) => decoder.push(event));
      const edited = decoded.map((frame) => ({
        ...frame,
        events: frame.events.map((event): StreamEvent => {
          if (event.type === 'text-delta' || event.type === 'reasoning-delta') return { ...event, text: 'edited' };
          if (event.type === 'tool-call-delta') return { ...event, argumentsDelta: '{"edited":1}' };
          if (event.type === 'usage') return { ...event, usage: { inputTokens: 1, outputTokens: 2 } };
          return event.type === 'finish' ? { ...event, reason: { kind: 'length' } } : event;
        }),
      }));
      for (const body of bodies(encode(edited))) {
        const delta = body['delta'] as JsonObject | undefined;
        const said = delta?.['text'] ?? delta?.['thinking'] ?? delta?.['partial_json'];
        if (typeof said === 'string' && said !== '' && delta?.['type'] !== 'input_json_delta') {
          expect(said).toBe('edited');
          changed += 1;
        }
        if (body['type'] !== 'message_delta') continue;
        expect(delta?.['stop_reason']).toBe('max_tokens');
        expect(body['usage']).toMatchObject({ input_tokens: 1, output_tokens: 2 });
      }
    }
    expect(changed).toBeGreaterThan(2000);
  });

  it('stay legal when a plugin changes, removes or adds single frames', () => {
    for (const recording of streams.slice(0, 40)) {
      const events = parseSse(recording.response.body as string);
      if (events.filter((event) => event.event === 'message_start').length > 1) continue;
      const decoder = codec.createStreamDecoder();
      const decoded = events.flatMap((event) => decoder.push(event));
      const changed = decoded.flatMap((frame, index): StreamFrame[] => {
        const [first] = frame.events;
        if (first?.type === 'text-delta' && index % 3 === 0)
          return [{ events: [{ ...first, text: first.text.toUpperCase() }] }];
        if (first?.type === 'text-delta' && index % 3 === 1) return [];
        if (first?.type === 'text-end')
          return [{ events: [{ type: 'text-delta', part: first.part, text: '!' }] }, frame];
        if (first?.type === 'text-start' && index % 2 === 0) return [{ events: frame.events }];
        return [frame];
      });
      expect([recording.id, checkAnthropicStream(encode(changed))]).toEqual([recording.id, undefined]);
    }
  });
});

describe('generated streams', () => {
  it('are legal for any legal canonical stream, and lose nothing', () => {
    fc.assert(
      fc.property(canonicalFrames, (canonical) => {
        const generated = encode(canonical);
        expect(checkAnthropicStream(generated)).toBeUndefined();
        const events = canonical.flatMap((frame) => frame.events);
        const parts = decode(generated).candidates[0]?.parts ?? [];
        const said = parts.map((part) => ('text' in part ? part.text : '')).join('');
        const deltas = events.flatMap((event) => ('text' in event ? [event] : []));
        for (const delta of deltas) expect(said.split(delta.text).length).toBe(2);
        for (const part of new Set(deltas.map((delta) => delta.part))) {
          const order = deltas.filter((delta) => delta.part === part).map((delta) => said.indexOf(delta.text));
          expect(order).toEqual(order.toSorted((a, b) => a - b));
        }
        const calls = parts.filter((part) => part.type === 'tool-call');
        const expected = events.flatMap((event) => (event.type === 'tool-call-start' ? [event] : []));
        expect(calls.map((call) => [call.id, call.name])).toEqual(expected.map((call) => [call.id, call.name]));
        for (const call of calls) {
          const text = events
            .flatMap((event) =>
              event.type === 'tool-call-delta' && `call_${event.part}` === call.id ? [event.argumentsDelta] : [],
            )
            .join('');
          expect(call.arguments).toBe(text === '' ? '{}' : text);
        }
        const stop = bodies(generated).find((body) => body['type'] === 'message_delta')?.['delta'] as JsonObject;
        if (calls.length > 0 && events.some((event) => event.type === 'finish' && event.reason.kind === 'stop')) {
          expect(stop['stop_reason']).toBe(
            events.some((event) => event.type === 'refusal-delta') ? 'refusal' : 'tool_use',
          );
        }
        expect(stop['stop_reason'] === 'tool_use' && calls.length === 0).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('are read by the Anthropic SDK', async () => {
    await fc.assert(
      fc.asyncProperty(canonicalFrames, async (canonical) => {
        const generated = encode(canonical);
        const text = generated.map(formatSse).join('');
        const client = new Anthropic({
          apiKey: 'none',
          maxRetries: 0,
          fetch: () => Promise.resolve(new Response(text, { headers: { 'content-type': 'text/event-stream' } })),
        });
        const stream = client.messages.stream({
          model: 'm',
          max_tokens: 9,
          messages: [{ role: 'user', content: 'x' }],
        });
        const message = await stream.finalMessage();
        expect(message.usage).toMatchObject({ input_tokens: 7, output_tokens: 11 });
        const calls = message.content.filter((block) => block.type === 'tool_use');
        const decoded = (decode(generated).candidates[0]?.parts ?? []).filter((part) => part.type === 'tool-call');
        expect(calls.map((call) => [call.id, call.input])).toEqual(
          decoded.map((call) => [call.id, JSON.parse(call.arguments) as unknown]),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('start a turn of tools only at index 0', () => {
    const events = encode(
      frames(
        start,
        { type: 'text-start', part: 't' },
        { type: 'tool-call-start', part: 'c', id: 'call_1', name: 'f' },
        { type: 'tool-call-delta', part: 'c', argumentsDelta: '{}' },
        { type: 'tool-call-end', part: 'c' },
        { type: 'text-end', part: 't' },
        { type: 'finish', reason: { kind: 'tool-calls' } },
      ),
    );
    expect(bodies(events).map((body) => [body['type'], body['index']])).toEqual([
      ['message_start', undefined],
      ['content_block_start', 0],
      ['content_block_delta', 0],
      ['content_block_stop', 0],
      ['message_delta', undefined],
      ['message_stop', undefined],
    ]);
  });

  it('pass tool arguments on as they come, and hold a second call only until the first is complete', () => {
    const encoder = codec.createStreamEncoder({ report: { add: () => undefined } });
    const residue = { dialect: 'openai-chat', fields: {} } as const;
    const push = (event: StreamEvent) => encoder.push({ events: [event], residue }).map((one) => one.event);
    encoder.push({ events: [start] });
    expect(push({ type: 'tool-call-start', part: 'a', id: 'a', name: 'f' })).toEqual(['content_block_start']);
    expect(push({ type: 'tool-call-delta', part: 'a', argumentsDelta: '{"x":' })).toEqual(['content_block_delta']);
    expect(push({ type: 'tool-call-start', part: 'b', id: 'b', name: 'g' })).toEqual([]);
    expect(push({ type: 'tool-call-delta', part: 'b', argumentsDelta: '{"y":' })).toEqual([]);
    expect(push({ type: 'tool-call-delta', part: 'a', argumentsDelta: '1}' })).toEqual([
      'content_block_delta',
      'content_block_stop',
      'content_block_start',
      'content_block_delta',
    ]);
    expect(push({ type: 'tool-call-delta', part: 'b', argumentsDelta: '2}' })).toEqual(['content_block_delta']);
  });

  it('carry a foreign signature in the id of its call', () => {
    const events = encode([
      { events: [start] },
      {
        events: [
          { type: 'tool-call-start', part: 'c', id: 'call|1', name: 'f' },
          { type: 'tool-call-delta', part: 'c', argumentsDelta: '{}' },
          { type: 'tool-call-end', part: 'c', signature: 'thought' },
        ],
      },
    ]);
    const block = bodies(events)[1]?.['content_block'] as JsonObject;
    expect(block['id']).toMatch(/^[a-zA-Z0-9_-]+$/);
    expect(unpackToolCallId(block['id'] as string).signature).toBe('thought');
    expect(decode(events).candidates[0]?.parts[0]).toMatchObject({ id: 'call|1', signature: 'thought' });
  });

  it('tag foreign reasoning, and leave unsigned reasoning unsigned', () => {
    const events = encode(
      frames(
        start,
        { type: 'reasoning-start', part: 'r' },
        { type: 'reasoning-delta', part: 'r', text: 'hm' },
        { type: 'reasoning-end', part: 'r', encrypted: 'abc', origin: 'openai-responses' },
        { type: 'reasoning-start', part: 's' },
        { type: 'reasoning-end', part: 's', encrypted: 'def', origin: 'openai-responses' },
      ),
    );
    const tag = (value: string) => tagOpaque({ dialect: 'openai-responses', kind: 'encrypted', value });
    expect(bodies(events)[3]?.['delta']).toEqual({ type: 'signature_delta', signature: tag('abc') });
    expect(bodies(events)[5]?.['content_block']).toEqual({ type: 'redacted_thinking', data: tag('def') });
    expect(decode(events).candidates[0]?.parts).toMatchObject([
      { text: 'hm', encrypted: 'abc', origin: 'openai-responses' },
      { text: '', encrypted: 'def', origin: 'openai-responses' },
    ]);
  });

  it('put free text of a custom tool into an object', () => {
    const events = encode(
      frames(
        start,
        { type: 'tool-call-start', part: 'c', id: 'c', name: 'sh', isFreeform: true },
        { type: 'tool-call-delta', part: 'c', argumentsDelta: 'echo "a' },
        { type: 'tool-call-delta', part: 'c', argumentsDelta: '\n\ud83d' },
        { type: 'tool-call-delta', part: 'c', argumentsDelta: '\ude00"' },
        { type: 'tool-call-end', part: 'c' },
      ),
    );
    const call = decode(events).candidates[0]?.parts[0];
    expect(JSON.parse(call?.type === 'tool-call' ? call.arguments : '')).toEqual({ input: 'echo "a\n😀"' });
  });

  it('report what a stream of Anthropic has no place for', () => {
    const losses: Loss[] = [];
    encode(
      frames(
        start,
        { type: 'media-delta', part: 'm', kind: 'image', data: 'AAAA' },
        { type: 'server-tool', dialect: 'openai-responses', name: 'web_search_call', value: {} },
        { type: 'text-delta', part: 't', candidate: 1, text: 'other' },
      ),
      losses,
    );
    expect(losses.map((loss) => loss.field)).toEqual(['content.image', 'content.server_tool', 'choices[1]']);
  });

  it('end with the error event and nothing else when they fail', () => {
    const encoder = codec.createStreamEncoder({ report: { add: () => undefined } });
    const before = encoder.push({ events: [start, { type: 'text-delta', part: 't', text: 'a' }] });
    const failure = encoder.fail({ statusCode: 529, message: 'busy', origin: 'provider' });
    expect(bodies(failure)).toEqual([{ type: 'error', error: { type: 'overloaded_error', message: 'busy' } }]);
    expect([...encoder.push({ events: [start] }), ...encoder.finish()]).toEqual([]);
    expect(checkAnthropicStream([...before, ...failure])).toBeUndefined();
  });
});

describe('the checker', () => {
  const legal = encode(
    frames(start, { type: 'text-delta', part: 't', text: 'a' }, { type: 'finish', reason: { kind: 'stop' } }),
  );

  it('accepts the legal and refuses any stream with one event left out, doubled or swapped', () => {
    expect(checkAnthropicStream(legal)).toBeUndefined();
    for (let index = 0; index < legal.length; index += 1) {
      const without = legal.toSpliced(index, 1);
      const isDelta = legal[index]?.event === 'content_block_delta';
      if (!isDelta) expect([index, checkAnthropicStream(without)]).not.toEqual([index, undefined]);
      const doubled = legal.toSpliced(index, 0, legal[index] as SseEvent);
      if (!isDelta) expect([index, checkAnthropicStream(doubled)]).not.toEqual([index, undefined]);
      const swapped = without.toSpliced(index + 1, 0, legal[index] as SseEvent);
      if (index + 1 < legal.length) expect([index, checkAnthropicStream(swapped)]).not.toEqual([index, undefined]);
    }
  });
});
