import type { ErrorInfo, JsonObject, StreamEvent, StreamFrame } from '@bifrost/sdk';
import { recordingById, recordingsOfApi } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { ResponseAccumulator } from '../../conversation/accumulator.ts';
import { parseSse, SseParser } from '../../sse/parser.ts';
import { openaiChatCodec as codec } from './codec.ts';

type Delta = JsonObject;
const chunk = (delta: Delta, more: JsonObject = {}): { readonly data: string } => ({
  data: JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: null, ...more }],
  }),
});
const done = { data: '[DONE]' };
const end = (reason: string): { readonly data: string } => chunk({}, { finish_reason: reason });

const decode = (...events: readonly { readonly data: string; readonly event?: string }[]): readonly StreamFrame[] => {
  const decoder = codec.createStreamDecoder();
  return [...events.flatMap((event) => decoder.push(event)), ...decoder.finish()];
};
const eventsOf = (frames: readonly StreamFrame[]): readonly StreamEvent[] => frames.flatMap((frame) => frame.events);
const accumulate = (frames: readonly StreamFrame[]) => {
  const accumulator = new ResponseAccumulator();
  for (const frame of frames) accumulator.push(frame);
  return accumulator.result();
};
const callsOf = (frames: readonly StreamFrame[]): readonly (readonly string[])[] =>
  accumulate(frames).candidates.flatMap((candidate) =>
    candidate.parts.flatMap((part) => (part.type === 'tool-call' ? [[part.id, part.name, part.arguments]] : [])),
  );

const streams = recordingsOfApi('openai.chat_completions').filter((one) => one.response.stream_format === 'sse');

interface RawCall {
  readonly index?: number;
  readonly id?: string | null;
  readonly function: { readonly name?: string | null; readonly arguments?: string | null };
}
interface RawChunk {
  readonly choices?: readonly {
    readonly index: number;
    readonly delta: {
      readonly content?: unknown;
      readonly tool_calls?: readonly RawCall[] | null;
      readonly reasoning?: string | null;
      readonly reasoning_content?: string | null;
    };
  }[];
}

interface Entry {
  readonly type: string;
  readonly text?: string;
  readonly thinking?: readonly Entry[];
}
const entriesOf = (content: unknown): readonly Entry[] =>
  Array.isArray(content) ? (content as Entry[]) : typeof content === 'string' ? [{ type: 'text', text: content }] : [];

describe('a decoded stream says what its raw chunks say', () => {
  it('in texts, thinking and tool calls, over every recording', () => {
    let callCount = 0;
    for (const { id, response } of streams) {
      const events = parseSse(response.body as string);
      const raw = events.filter((event) => event.data !== '[DONE]').map((event) => JSON.parse(event.data) as RawChunk);
      const choices = raw.flatMap((one) => one.choices ?? []);
      const answer = accumulate(decode(...events));
      for (const candidate of answer.candidates) {
        const deltas = choices.filter((choice) => choice.index === candidate.index).map((choice) => choice.delta);
        const entries = deltas.flatMap((delta) => entriesOf(delta.content));
        const textIn = (parts: readonly Entry[]): string =>
          parts.map((part) => (part.type === 'text' ? (part.text ?? '') : '')).join('');
        const said = (type: 'text' | 'reasoning'): string =>
          candidate.parts.map((part) => (part.type === type ? part.text : '')).join('');
        expect(said('text'), id).toBe(textIn(entries));
        const thinking = deltas.map(
          (delta) =>
            delta.reasoning ??
            delta.reasoning_content ??
            entriesOf(delta.content)
              .map((entry) => textIn(entry.thinking ?? []))
              .join(''),
        );
        expect(said('reasoning'), id).toBe(thinking.join(''));
        const calls = new Map<string, { name: string; text: string }>();
        let last = '';
        for (const call of deltas.flatMap((delta) => delta.tool_calls ?? [])) {
          if (typeof call.id === 'string' && call.id !== '' && !calls.has(call.id))
            calls.set((last = call.id), { name: '', text: '' });
          const known = calls.get(last);
          if (known === undefined) continue;
          known.name ||= call.function.name ?? '';
          known.text += call.function.arguments ?? '';
        }
        callCount += calls.size;
        const decoded = candidate.parts.flatMap((part) =>
          part.type === 'tool-call' ? [[part.id, part.name, part.arguments]] : [],
        );
        expect(decoded, id).toEqual([...calls].map(([callId, call]) => [callId, call.name, call.text]));
      }
    }
    expect(callCount).toBeGreaterThan(35);
  });

  it('the same however the bytes are cut, with CRLF too', () => {
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const chosen = streams.filter((one, index) => (one.response.body as string).length < 60_000 && index % 8 === 0);
    expect(chosen.length).toBeGreaterThan(10);
    for (const { id, response } of chosen) {
      const lf = (response.body as string).replaceAll('\r\n', '\n');
      const whole = decode(...parseSse(lf));
      for (const body of [Buffer.from(lf), Buffer.from(lf.replaceAll('\n', '\r\n'))]) {
        const pieces = (cuts: readonly number[]): readonly StreamFrame[] => {
          const parser = new SseParser();
          const edges = [0, ...cuts, body.length];
          const events = edges.slice(1).flatMap((to, at) => parser.push(body.subarray(edges[at], to)));
          return decode(...events, ...parser.finish());
        };
        const lines = [...body.keys()].filter((at) => body[at - 1] === 0x0a);
        const cuts = Array.from({ length: 64 }, () => random(body.length)).toSorted((a, b) => a - b);
        expect(pieces([]), id).toEqual(whole);
        expect(pieces(lines), id).toEqual(whole);
        expect(pieces(cuts), id).toEqual(whole);
        if (body.length < 8_000) expect(pieces([...body.keys()]), id).toEqual(whole);
      }
    }
  });
});

describe('parallel tool calls', () => {
  const call = (entry: JsonObject): { readonly data: string } => chunk({ tool_calls: [entry] });

  it('are told apart where the server sends index 0 for all of them', () => {
    const frames = decode(
      call({ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":' } }),
      call({ index: 0, function: { arguments: '1}' } }),
      call({ index: 0, id: 'b', type: 'function', function: { name: 'g', arguments: '{}' } }),
      end('tool_calls'),
    );
    expect(callsOf(frames)).toEqual([
      ['a', 'f', '{"x":1}'],
      ['b', 'g', '{}'],
    ]);
  });

  it('are told apart without any index, and without any id', () => {
    expect(
      callsOf(
        decode(
          call({ id: 'a', function: { name: 'f', arguments: '{' } }),
          call({ function: { arguments: '}' } }),
          call({ id: 'b', function: { name: 'g', arguments: '[]' } }),
          end('tool_calls'),
        ),
      ),
    ).toEqual([
      ['a', 'f', '{}'],
      ['b', 'g', '[]'],
    ]);
    const anonymous = callsOf(
      decode(
        call({ index: 0, function: { name: 'f', arguments: '{}' } }),
        call({ index: 0, function: { name: 'g', arguments: '{}' } }),
        end('tool_calls'),
      ),
    );
    expect(anonymous.map(([, name, text]) => [name, text])).toEqual([
      ['f', '{}'],
      ['g', '{}'],
    ]);
    expect(new Set(anonymous.map(([id]) => id)).size).toBe(2);
    expect(anonymous.every(([id]) => /^[a-zA-Z0-9_-]+$/.test(id ?? ''))).toBe(true);
  });

  it('keep to their calls where deltas are interleaved', () => {
    const frames = decode(
      chunk({
        tool_calls: [
          { index: 0, id: 'a', function: { name: 'f', arguments: '' } },
          { index: 1, id: 'b', function: { name: 'g', arguments: '' } },
        ],
      }),
      call({ index: 1, function: { arguments: '{"b":' } }),
      call({ index: 0, function: { arguments: '{"a":' } }),
      chunk({
        tool_calls: [
          { index: 1, function: { arguments: '2}' } },
          { index: 0, function: { arguments: '1}' } },
        ],
      }),
      end('tool_calls'),
    );
    expect(callsOf(frames)).toEqual([
      ['a', 'f', '{"a":1}'],
      ['b', 'g', '{"b":2}'],
    ]);
  });

  it('go on where id and name are repeated, empty or null on later deltas', () => {
    const frames = decode(
      call({ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{' } }),
      call({ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '"k":' } }),
      call({ index: 0, id: null, type: null, function: { name: null, arguments: '1' } }),
      call({ index: 0, id: '', function: { name: '', arguments: '}' } }),
      call({ index: 0, function: { arguments: null } }),
      end('tool_calls'),
    );
    expect(callsOf(frames)).toEqual([['a', 'f', '{"k":1}']]);
    expect(eventsOf(frames).filter((event) => event.type === 'tool-call-start')).toHaveLength(1);
  });

  it('keep arguments that arrive before the name, and arguments that are an object', () => {
    expect(
      callsOf(
        decode(
          call({ index: 0, id: 'a', function: { arguments: '{"k"' } }),
          call({ index: 0, function: { name: 'f', arguments: ':1}' } }),
          end('tool_calls'),
        ),
      ),
    ).toEqual([['a', 'f', '{"k":1}']]);
    expect(
      callsOf(decode(call({ index: 0, id: 'a', function: { name: 'f', arguments: { k: 1 } } }), end('tool_calls'))),
    ).toEqual([['a', 'f', '{"k":1}']]);
  });

  it('read custom tools and the legacy function_call', () => {
    const custom = accumulate(
      decode(
        call({ index: 0, id: 'a', type: 'custom', custom: { name: 'shell', input: 'l' } }),
        call({ index: 0, custom: { input: 's' } }),
        end('tool_calls'),
      ),
    );
    expect(custom.candidates[0]?.parts).toEqual([
      { type: 'tool-call', id: 'a', name: 'shell', arguments: 'ls', isFreeform: true },
    ]);
    const legacy = callsOf(
      decode(
        chunk({ function_call: { name: 'f', arguments: '' } }),
        chunk({ function_call: { arguments: '{}' } }),
        end('function_call'),
      ),
    );
    expect(legacy.map(([, name, text]) => [name, text])).toEqual([['f', '{}']]);
  });
});

describe('chunks out of the ordinary', () => {
  it("begins the response after Azure's first chunk without choices", () => {
    const azure = {
      data: JSON.stringify({
        choices: [],
        created: 0,
        id: '',
        model: '',
        object: '',
        prompt_filter_results: [{ prompt_index: 0 }],
      }),
    };
    const [first, second] = decode(azure, chunk({ role: 'assistant', content: '' }), end('stop'));
    expect(first?.events).toEqual([]);
    expect(second?.events).toEqual([{ type: 'response-start', id: 'chatcmpl-1', model: 'm', createdAt: 1 }]);
  });

  it('reads usage from a last chunk with or without choices', () => {
    const usage = {
      prompt_tokens: 9,
      completion_tokens: 5,
      total_tokens: 14,
      prompt_tokens_details: { cached_tokens: 4 },
      completion_tokens_details: { reasoning_tokens: 2 },
    };
    const expected = { inputTokens: 5, cacheReadTokens: 4, outputTokens: 3, reasoningTokens: 2, totalTokens: 14 };
    const apart = { data: JSON.stringify({ id: 'x', choices: [], usage }) };
    const within = {
      data: JSON.stringify({ id: 'x', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage }),
    };
    expect(accumulate(decode(chunk({ content: 'a' }), end('stop'), apart, done)).usage).toEqual(expected);
    expect(accumulate(decode(chunk({ content: 'a' }), within)).usage).toEqual(expected);
  });

  it('makes an error object inside a 200 a typed error, and adds none at the end', () => {
    const broken = { data: JSON.stringify({ error: { message: 'overloaded', type: 'overloaded_error', code: 503 } }) };
    const frames = decode(chunk({ content: 'a' }), broken);
    const errors = eventsOf(frames).filter((event) => event.type === 'error');
    expect(errors).toHaveLength(1);
    expect((errors[0] as { readonly error: ErrorInfo }).error).toMatchObject({
      statusCode: 503,
      message: 'overloaded',
      origin: 'provider',
    });
    const groq = recordingById(
      'groq/stream_error_stream/pydantic-ai--test-groq-test-tool-use-failed-error-streaming-0-1adb00',
    );
    const recorded = eventsOf(decode(...parseSse(groq.response.body as string))).filter(
      (event) => event.type === 'error',
    );
    expect(recorded).toMatchObject([{ error: { statusCode: 400, code: 'tool_use_failed' } }]);
  });

  it('accepts a missing [DONE] after a finish reason, and a missing finish reason before [DONE]', () => {
    expect(eventsOf(decode(chunk({ content: 'a' }), end('stop'))).map((event) => event.type)).not.toContain('error');
    const silent = eventsOf(decode(chunk({ content: 'a' }), done));
    expect(silent.at(-1)).toEqual({ type: 'finish', reason: { kind: 'other' } });
  });

  it.each([
    ['after some text', [chunk({ role: 'assistant', content: 'a' })]],
    ['in a tool call', [chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"a' } }] })]],
    ['before anything', []],
    ['with [DONE] alone', [done]],
  ])('ends in an error event where the stream breaks off %s', (_, events) => {
    const frames = decode(...events);
    const last = eventsOf(frames).at(-1);
    expect(last).toMatchObject({
      type: 'error',
      error: { code: 'BF_STREAM_TRUNCATED', statusCode: 502, origin: 'provider' },
    });
    const types = eventsOf(frames).map((event) => event.type);
    expect(types.filter((type) => type.endsWith('-start') && type !== 'response-start').length).toBe(
      types.filter((type) => type.endsWith('-end')).length,
    );
  });

  it('opens no part for empty deltas, roles and obfuscation', () => {
    const padded = {
      data: JSON.stringify({
        id: 'x',
        model: 'm',
        obfuscation: 'Xa9',
        choices: [{ index: 0, delta: { role: 'assistant', content: '', refusal: null }, logprobs: null }],
      }),
    };
    expect(
      eventsOf(
        decode(padded, chunk({}), chunk({ content: null, tool_calls: null }), chunk({ content: 'a' }), end('stop')),
      ).map((event) => event.type),
    ).toEqual(['response-start', 'text-start', 'text-delta', 'text-end', 'finish']);
  });

  it('keeps a signature with the thinking that it signs, and encrypted thinking as a part of its own', () => {
    const answer = accumulate(
      decode(
        chunk({ reasoning: 'Hm', reasoning_details: [{ type: 'reasoning.text', text: 'Hm', index: 0 }] }),
        chunk({ reasoning_details: [{ type: 'reasoning.text', text: '', signature: 'S', index: 0 }] }),
        chunk({ reasoning_details: [{ type: 'reasoning.encrypted', data: 'E', id: 'rs_1', index: 1 }] }),
        chunk({ content: 'Hi' }),
        end('stop'),
      ),
    );
    expect(answer.candidates[0]?.parts).toEqual([
      { type: 'reasoning', text: 'Hm', signature: 'S', origin: 'openai-chat' },
      { type: 'reasoning', text: '', id: 'rs_1', encrypted: 'E', origin: 'openai-chat' },
      { type: 'text', text: 'Hi' },
    ]);
  });

  it('throws a typed error for an event that is no JSON object', () => {
    for (const data of ['{"id":', '[1]', 'null', 'hello']) {
      expect(() => codec.createStreamDecoder().push({ data })).toThrow(
        expect.objectContaining({ code: 'BF_DIALECT_STREAM_INVALID' }),
      );
    }
  });
});
