import type { ConversationRequest, JsonObject, StreamEvent, StreamFrame } from '@bifrost/sdk';
import { recordingsOfApi } from '@bifrost/testkit';
import fc from 'fast-check';
import { ChatCompletionStream } from 'openai/lib/ChatCompletionStream';
import { describe, expect, it } from 'vitest';
import { parseSse } from '../../sse/parser.ts';
import type { SseEvent } from '../../sse/event.ts';
import type { Loss } from '../codec.ts';
import { tagOpaque, unpackToolCallId } from '../provenance.ts';
import { openaiChatCodec as codec } from './codec.ts';

const ask = (isStreamUsageRequested: boolean): ConversationRequest => ({
  model: 'm',
  messages: [],
  stream: true,
  isStreamUsageRequested,
});

const encode = (
  frames: readonly StreamFrame[],
  request = ask(true),
): { readonly events: readonly SseEvent[]; readonly losses: readonly Loss[] } => {
  const losses: Loss[] = [];
  const encoder = codec.createStreamEncoder({
    report: { add: (loss) => void losses.push(loss) },
    request,
    fallbackId: 'chatcmpl-f',
  });
  return { events: [...frames.flatMap((frame) => encoder.push(frame)), ...encoder.finish()], losses };
};
const frame = (...events: readonly StreamEvent[]): StreamFrame => ({ events });

interface Chunk {
  readonly choices: readonly {
    readonly index: number;
    readonly delta: JsonObject;
    readonly finish_reason: string | null;
  }[];
  readonly usage?: JsonObject;
}
const chunksOf = (events: readonly SseEvent[]): readonly Chunk[] =>
  events.filter((event) => event.data !== '[DONE]').map((event) => JSON.parse(event.data) as Chunk);

/** The answer as OpenAI's own stream helper puts it together. */
const readWithSdk = async (events: readonly SseEvent[]) => {
  const lines = chunksOf(events).map((chunk) => `${JSON.stringify(chunk)}\n`);
  const bytes = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const line of lines) controller.enqueue(new TextEncoder().encode(line));
      controller.close();
    },
  });
  return ChatCompletionStream.fromReadableStream(bytes).finalChatCompletion();
};

const foreign: readonly StreamFrame[] = [
  frame({ type: 'response-start', id: 'msg_1', model: 'claude', createdAt: 9 }),
  frame({ type: 'reasoning-start', part: 'r' }, { type: 'reasoning-delta', part: 'r', text: 'Let me ' }),
  frame({ type: 'reasoning-delta', part: 'r', text: 'see.' }),
  frame({ type: 'reasoning-end', part: 'r', signature: 'SIG', origin: 'anthropic-messages' }),
  frame({ type: 'text-start', part: 't' }, { type: 'text-delta', part: 't', text: 'Looking' }),
  frame({ type: 'text-delta', part: 't', text: ' up.' }, { type: 'text-end', part: 't' }),
  frame(
    { type: 'tool-call-start', part: 'a', id: 'call_a', name: 'f' },
    { type: 'tool-call-delta', part: 'a', argumentsDelta: '{"x":' },
  ),
  frame(
    { type: 'tool-call-start', part: 'b', id: 'call_b', name: 'g' },
    { type: 'tool-call-delta', part: 'b', argumentsDelta: '{}' },
    { type: 'tool-call-end', part: 'b', signature: 'TS' },
  ),
  frame({ type: 'tool-call-delta', part: 'a', argumentsDelta: '1}' }, { type: 'tool-call-end', part: 'a' }),
  frame({ type: 'usage', usage: { inputTokens: 3, cacheReadTokens: 4, outputTokens: 5 } }),
  frame({ type: 'finish', reason: { kind: 'tool-calls', raw: 'tool_use' } }),
];

describe('a stream made from frames of another dialect', () => {
  it("is read by OpenAI's stream helper: text, calls with their own index, finish reason, usage", async () => {
    const answer = await readWithSdk(encode(foreign).events);
    const [choice] = answer.choices;
    expect(answer).toMatchObject({ id: 'msg_1', model: 'claude', created: 9, object: 'chat.completion' });
    expect(choice?.message.content).toBe('Looking up.');
    expect(choice?.finish_reason).toBe('tool_calls');
    expect(
      choice?.message.tool_calls?.map((call) =>
        call.type === 'function' ? [call.function.name, call.function.arguments] : [],
      ),
    ).toEqual([
      ['f', '{"x":1}'],
      ['g', '{}'],
    ]);
    expect(choice?.message.tool_calls?.map((call) => unpackToolCallId(call.id))).toEqual([
      { id: 'call_a' },
      { id: 'call_b', signature: 'TS' },
    ]);
    expect(answer.usage).toMatchObject({
      prompt_tokens: 7,
      completion_tokens: 5,
      total_tokens: 12,
      prompt_tokens_details: { cached_tokens: 4 },
    });
  });

  it('has the role first, one finish chunk, names only on first deltas, usage and [DONE] last', () => {
    const { events, losses } = encode(foreign);
    const chunks = chunksOf(events);
    expect(chunks[0]?.choices).toEqual([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]);
    expect(chunks.filter((chunk) => chunk.choices.some((choice) => choice.finish_reason !== null))).toHaveLength(1);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 7 } });
    expect(events.at(-1)).toEqual({ data: '[DONE]' });
    const calls = chunks.flatMap((chunk) =>
      chunk.choices.flatMap((choice) => (choice.delta['tool_calls'] as JsonObject[] | undefined) ?? []),
    );
    expect(calls.map((call) => call['index'])).toEqual([0, 0, 1, 1, 0]);
    expect(calls.filter((call) => 'id' in call).map((call) => call['type'])).toEqual(['function', 'function']);
    expect(
      calls
        .filter((call) => !('id' in call))
        .every((call) => !('name' in (call['function'] as JsonObject)) && !('type' in call)),
    ).toBe(true);
    expect(losses).toEqual([]);
  });

  it('carries the signature of foreign thinking in reasoning_details, with the text that it signs', () => {
    const details = chunksOf(encode(foreign).events).flatMap((chunk) =>
      chunk.choices.flatMap((choice) => choice.delta['reasoning_details'] ?? []),
    );
    const signature = tagOpaque({ dialect: 'anthropic-messages', kind: 'signature', value: 'SIG' });
    expect(details.flat()).toEqual([{ type: 'reasoning.text', text: 'Let me see.', signature, index: 0 }]);
  });

  it('keeps the usage chunk from a client that did not ask for it', () => {
    expect(chunksOf(encode(foreign, ask(false)).events).some((chunk) => chunk.usage !== undefined)).toBe(false);
  });

  it('ends in the error alone when it fails, whether by event or by call', () => {
    const error = { statusCode: 529, message: 'overloaded', type: 'overloaded_error', origin: 'provider' } as const;
    const { events } = encode([...foreign.slice(0, 6), frame({ type: 'error', error }), ...foreign.slice(6)]);
    expect(JSON.parse(events.at(-1)?.data ?? '')).toEqual({
      error: { message: 'overloaded', type: 'overloaded_error', param: null, code: null },
    });
    const encoder = codec.createStreamEncoder({ report: { add: () => undefined } });
    encoder.push(foreign[0] as StreamFrame);
    expect(encoder.fail(error)).toHaveLength(1);
    expect([...encoder.push(foreign[4] as StreamFrame), ...encoder.finish(), ...encoder.fail(error)]).toEqual([]);
  });

  it('reports what a chunk cannot say', () => {
    const { losses } = encode([
      frame({ type: 'server-tool', dialect: 'anthropic-messages', name: 'web_search_tool_result', value: {} }),
      frame({ type: 'text-end', part: 't', signature: 'S' }),
      frame({ type: 'finish', reason: { kind: 'pause', raw: 'pause_turn' } }),
    ]);
    expect(losses.map((loss) => loss.action)).toEqual(['dropped', 'dropped', 'changed']);
  });

  it('says again what any sequence of deltas said', () => {
    const text = fc.string({ minLength: 1 });
    const step = fc.oneof(
      fc.record({ kind: fc.constant('text' as const), text }),
      fc.record({ kind: fc.constant('call' as const), text, at: fc.nat(3) }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        const said = { text: '', calls: new Map<number, string>() };
        const frames = steps.map((one) => {
          if (one.kind === 'text') {
            said.text += one.text;
            return frame({ type: 'text-delta', part: 't', text: one.text });
          }
          const known = said.calls.get(one.at);
          said.calls.set(one.at, (known ?? '') + one.text);
          const delta = { type: 'tool-call-delta', part: `c${one.at}`, argumentsDelta: one.text } as const;
          const start = { type: 'tool-call-start', part: `c${one.at}`, id: `id_${one.at}`, name: 'f' } as const;
          return known === undefined ? frame(start, delta) : frame(delta);
        });
        const decoder = codec.createStreamDecoder();
        const { events } = encode([...frames, frame({ type: 'finish', reason: { kind: 'stop' } })]);
        const heard = { text: '', calls: new Map<string, string>() };
        const ids = new Map<string, string>();
        for (const event of events.flatMap((one) => decoder.push(one)).flatMap((one) => one.events)) {
          if (event.type === 'text-delta') heard.text += event.text;
          if (event.type === 'tool-call-start') ids.set(event.part, event.id);
          if (event.type !== 'tool-call-delta') continue;
          const id = ids.get(event.part) ?? '';
          heard.calls.set(id, (heard.calls.get(id) ?? '') + event.argumentsDelta);
        }
        expect(heard.text).toBe(said.text);
        expect(heard.calls).toEqual(new Map([...said.calls].map(([at, value]) => [`id_${at}`, value])));
      }),
    );
  });
});

describe('a stream of this dialect whose frames were changed', () => {
  const streams = recordingsOfApi('openai.chat_completions').filter((one) => one.response.stream_format === 'sse');

  it("is generated anew and read by OpenAI's helper, over every recording without its residue", async () => {
    let count = 0;
    for (const { id, response, features } of streams) {
      if (features.includes('mid_stream_error')) continue;
      const decoder = codec.createStreamDecoder();
      const frames = parseSse(response.body as string).flatMap((event) => decoder.push(event));
      const answer = await readWithSdk(encode(frames.map(({ events }) => ({ events }))).events);
      const texts = new Map<number, string>();
      for (const event of frames.flatMap((one) => one.events)) {
        if (event.type === 'text-delta')
          texts.set(event.candidate ?? 0, (texts.get(event.candidate ?? 0) ?? '') + event.text);
      }
      for (const choice of answer.choices) expect(choice.message.content ?? '', id).toBe(texts.get(choice.index) ?? '');
      count += 1;
    }
    expect(count).toBeGreaterThan(115);
  });

  it('writes a changed text into the very chunk it came in', () => {
    const data = JSON.stringify({
      id: 'x',
      extra: 1,
      choices: [{ index: 0, delta: { content: 'secret' }, token_id: 5 }],
    });
    const [decoded] = codec.createStreamDecoder().push({ data });
    const events =
      decoded?.events.map((event) => (event.type === 'text-delta' ? { ...event, text: '***' } : event)) ?? [];
    const { events: written } = encode([{ ...decoded, events }]);
    expect(JSON.parse(written[0]?.data ?? '')).toEqual({
      id: 'x',
      extra: 1,
      choices: [{ index: 0, delta: { content: '***' }, token_id: 5 }],
    });
    expect(JSON.stringify(decoded?.residue)).not.toContain('secret');
  });

  it('keeps to the order when some frames are generated and some are not', async () => {
    const decoder = codec.createStreamDecoder();
    const wire = (delta: JsonObject, reason: string | null = null): SseEvent => ({
      data: JSON.stringify({
        id: 'x',
        object: 'chat.completion.chunk',
        created: 1,
        model: 'm',
        choices: [{ index: 0, delta, finish_reason: reason }],
      }),
    });
    const frames = [
      wire({ role: 'assistant', content: '' }),
      wire({ content: 'one ' }),
      wire({ content: 'two ' }),
      wire({}, 'stop'),
      { data: '[DONE]' },
    ].flatMap((event) => decoder.push(event));
    const mixed = frames.map((one, at) => (at % 2 === 0 ? one : { events: one.events }));
    const { events } = encode(mixed);
    const answer = await readWithSdk(events);
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'one two ' } });
    expect(events.filter((event) => event.data === '[DONE]')).toHaveLength(1);
  });
});
