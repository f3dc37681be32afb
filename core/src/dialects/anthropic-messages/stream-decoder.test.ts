import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StreamFrame, Usage } from '@bifrost/sdk';
import { recordingById, recordingsOfApi } from '@bifrost/testkit';
import { ResponseAccumulator } from '../../conversation/accumulator.ts';
import type { SseEvent } from '../../sse/event.ts';
import { parseSse, SseParser } from '../../sse/parser.ts';
import { anthropicMessagesCodec as codec } from './codec.ts';

const streams = recordingsOfApi('anthropic.messages').filter((one) => one.stream);

function wire(
  ...bodies: readonly { readonly type: string; readonly [member: string]: unknown }[]
): readonly SseEvent[] {
  return bodies.map((body) => ({ event: body.type, data: JSON.stringify(body) }));
}

function decode(events: readonly SseEvent[]): readonly StreamFrame[] {
  const decoder = codec.createStreamDecoder();
  return [...events.flatMap((event) => decoder.push(event)), ...decoder.finish()];
}

function fold(events: readonly SseEvent[]) {
  const accumulator = new ResponseAccumulator();
  for (const frame of decode(events)) accumulator.push(frame);
  return accumulator;
}

function decodeChunks(chunks: readonly Uint8Array[]): string {
  const parser = new SseParser();
  const events = [...chunks.flatMap((chunk) => [...parser.push(chunk)]), ...parser.finish()];
  return JSON.stringify(decode(events));
}

function cutAt(bytes: Buffer, cuts: readonly number[]): readonly Uint8Array[] {
  const bounds = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
}

const messageStart = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 1 },
  },
};
const messageDelta = {
  type: 'message_delta',
  delta: { stop_reason: 'end_turn', stop_sequence: null },
  usage: { output_tokens: 5 },
};
const messageStop = { type: 'message_stop' };

describe('law 4: the frames do not depend on how the bytes were cut', () => {
  it('whole, by line, with CRLF, at 64 random places: every recording', () => {
    for (const recording of streams) {
      const body = recording.response.body as string;
      const bytes = Buffer.from(body);
      const whole = decodeChunks([bytes]);
      expect(decodeChunks(body.split(/(?<=\n)/).map((line) => Buffer.from(line)))).toBe(whole);
      expect(decodeChunks([Buffer.from(body.replaceAll(/\r?\n/g, '\r\n'))])).toBe(whole);
      const [cuts] = fc.sample(fc.array(fc.nat(bytes.length), { minLength: 64, maxLength: 64 }), {
        numRuns: 1,
        seed: 7,
      });
      expect(decodeChunks(cutAt(bytes, cuts ?? []))).toBe(whole);
    }
  });

  it('byte by byte', () => {
    for (const recording of streams.filter((one) => (one.response.body as string).length < 12_000)) {
      const bytes = Buffer.from(recording.response.body as string);
      expect(decodeChunks(Array.from(bytes, (_, index) => bytes.subarray(index, index + 1)))).toBe(
        decodeChunks([bytes]),
      );
    }
  });
});

describe('usage', () => {
  it('of message_delta replaces that of message_start and is never added to it', () => {
    for (const recording of streams) {
      const events = parseSse(recording.response.body as string);
      if (events.filter((event) => event.event === 'message_start').length > 1) continue;
      const last = JSON.parse(events.findLast((event) => event.event === 'message_delta')?.data ?? '{}') as {
        usage: Record<string, number>;
      };
      const { usage } = fold(events);
      const output = (usage?.outputTokens ?? 0) + (usage?.reasoningTokens ?? 0);
      expect([recording.id, output]).toEqual([recording.id, last.usage['output_tokens']]);
      const written = (usage?.cacheWriteTokens ?? 0) + (usage?.cacheWrite1hTokens ?? 0);
      const total = last.usage['cache_creation_input_tokens'];
      if (total !== undefined) expect([recording.id, written]).toEqual([recording.id, total]);
      const read = last.usage['cache_read_input_tokens'];
      if (read !== undefined) expect(usage?.cacheReadTokens).toBe(read);
    }
  });

  it('counts 1-hour cache writes once, though message_delta repeats only their total', () => {
    const cache = {
      cache_creation_input_tokens: 100,
      cache_creation: { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 70 },
    };
    const start = {
      ...messageStart,
      message: { ...messageStart.message, usage: { ...messageStart.message.usage, ...cache } },
    };
    const delta = { ...messageDelta, usage: { output_tokens: 5, cache_creation_input_tokens: 120 } };
    const events = wire(start, delta, messageStop);
    expect(fold(events).usage).toEqual({
      inputTokens: 10,
      outputTokens: 5,
      cacheWriteTokens: 50,
      cacheWrite1hTokens: 70,
    });
    let read: Usage | undefined;
    for (const event of events) read = { ...read, ...codec.readStreamUsage(event, read) };
    expect(read).toEqual(fold(events).usage);
    const withoutEarlier = codec.readStreamUsage(events[1] as SseEvent);
    expect(withoutEarlier).toEqual({ outputTokens: 5, cacheWriteTokens: 120, cacheWrite1hTokens: 0 });
  });

  it('read from undecoded events is that of the decoded stream', () => {
    for (const recording of streams) {
      const events = parseSse(recording.response.body as string);
      if (events.filter((event) => event.event === 'message_start').length > 1) continue;
      let usage: Usage | undefined;
      for (const event of events) {
        const read = codec.readStreamUsage(event, usage);
        if (read !== undefined) usage = { ...usage, ...read };
      }
      expect([recording.id, usage]).toEqual([recording.id, fold(events).usage]);
    }
  });
});

describe('blocks', () => {
  it('keep thinking, its signature and redacted thinking byte for byte and in order', () => {
    const events = wire(
      messageStart,
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'a\u00e9 ' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: '\n' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'EqQB+/==' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'redacted_thinking', data: 'Emw=' } },
      { type: 'content_block_stop', index: 1 },
      messageDelta,
      messageStop,
    );
    expect(fold(events).result().candidates[0]?.parts).toEqual([
      { type: 'reasoning', text: 'a\u00e9 \n', signature: 'EqQB+/==', origin: 'anthropic-messages' },
      { type: 'reasoning', text: '', encrypted: 'Emw=', origin: 'anthropic-messages' },
    ]);
  });

  it('join tool arguments whose pieces are no JSON by themselves, and give {} for none', () => {
    const tool = (index: number, id: string) => ({
      type: 'content_block_start',
      index,
      content_block: { type: 'tool_use', id, name: 'f', input: {} },
    });
    const events = wire(
      messageStart,
      tool(0, 'toolu_1'),
      ...['', '{"a', '": "\\', 'u00', 'e9"}'].map((piece) => ({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'input_json_delta', partial_json: piece },
      })),
      { type: 'content_block_stop', index: 0 },
      tool(1, 'toolu_2'),
      { type: 'content_block_stop', index: 1 },
      messageDelta,
      messageStop,
    );
    expect(fold(events).result().candidates[0]?.parts).toEqual([
      { type: 'tool-call', id: 'toolu_1', name: 'f', arguments: '{"a": "\\u00e9"}' },
      { type: 'tool-call', id: 'toolu_2', name: 'f', arguments: '{}' },
    ]);
  });

  it('hand out server tools whole, with the input that came in pieces', () => {
    const recording = recordingById('anthropic/server_tools_stream/ai--anthropic-code-execution-20250825-1-0-884fb5');
    const parts = fold(parseSse(recording.response.body as string)).result().candidates[0]?.parts ?? [];
    const use = parts.find((part) => part.type === 'server-tool');
    expect(use).toMatchObject({
      dialect: 'anthropic-messages',
      name: 'server_tool_use',
      value: { input: { command: expect.any(String) as string } },
    });
  });

  it('agree with the whole answers: a stream folded and encoded is a message that decodes to the same parts', () => {
    for (const recording of streams) {
      const folded = fold(parseSse(recording.response.body as string)).result();
      const report = { add: () => undefined };
      const parts = folded.candidates[0]?.parts ?? [];
      const own = { ...folded, residue: { dialect: 'anthropic-messages', fields: {} } } as const;
      const again = codec.decodeResponse(codec.encodeResponse(own, { report }));
      const bare = JSON.parse(JSON.stringify(again.candidates[0]?.parts)) as typeof parts;
      const canonical = (list: typeof parts) =>
        list.map((part) =>
          part.type === 'tool-call' ? { ...part, arguments: JSON.parse(part.arguments) as unknown } : part,
        );
      expect([recording.id, canonical(bare)]).toEqual([
        recording.id,
        canonical(JSON.parse(JSON.stringify(parts)) as typeof parts),
      ]);
    }
  });
});

describe('endings', () => {
  it('report a stream that breaks off', () => {
    const events = wire(messageStart, {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'text', text: '' },
    });
    const accumulator = fold(events);
    expect(accumulator.error).toMatchObject({ statusCode: 502, code: 'BF_STREAM_TRUNCATED', origin: 'provider' });
    expect(
      decode(events)
        .at(-1)
        ?.events.map((event) => event.type),
    ).toEqual(['text-end', 'error']);
  });

  it('give the provider its own error, with the status that its type stands for, once', () => {
    const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const events = wire(messageStart, overloaded);
    const errors = decode(events).flatMap((frame) => frame.events.filter((event) => event.type === 'error'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ error: { statusCode: 529, type: 'overloaded_error', message: 'Overloaded' } });
  });

  it('refuse an event that cannot be read', () => {
    expect(() => codec.createStreamDecoder().push({ event: 'message_start', data: '{"type":' })).toThrow(
      expect.objectContaining({ code: 'BF_DIALECT_STREAM_INVALID', statusCode: 502 }),
    );
  });
});

describe('classes of undecoded events', () => {
  const classOf = (
    body: { readonly type: string; readonly [member: string]: unknown },
    name: string | undefined = body.type,
  ) => codec.classifyStreamEvent({ ...(name === undefined ? {} : { event: name }), data: JSON.stringify(body) });
  const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
  const text = (value: string) => ({
    type: 'content_block_delta',
    index: 0,
    delta: { type: 'text_delta', text: value },
  });
  const block = (content_block: object) => ({ type: 'content_block_start', index: 0, content_block });

  it('an error is an error as first, second and fifth event, named or not', () => {
    const before = [messageStart, block({ type: 'text', text: '' }), { type: 'ping' }, text('a')];
    for (const position of [0, 1, 4]) {
      const classes = [...before.slice(0, position), error].map((body) => classOf(body));
      expect(classes.at(-1)).toBe('error');
      expect(classes.slice(0, -1)).not.toContain('error');
    }
    expect(codec.classifyStreamEvent({ data: JSON.stringify(error) })).toBe('error');
    expect(codec.classifyStreamEvent({ event: 'message', data: `{"error":{},"type":"error"}` })).toBe('error');
  });

  it('only what a reader can see or use is content', () => {
    expect(classOf(messageStart)).toBe('lifecycle');
    expect(classOf({ type: 'ping' })).toBe('lifecycle');
    expect(classOf(block({ type: 'text', text: '' }))).toBe('lifecycle');
    expect(classOf(block({ text: '', type: 'text' }))).toBe('lifecycle');
    expect(classOf(block({ type: 'thinking', thinking: '', signature: '' }))).toBe('lifecycle');
    expect(classOf(text(''))).toBe('lifecycle');
    expect(classOf(messageDelta)).toBe('lifecycle');
    expect(classOf(text('a'))).toBe('content');
    expect(classOf(text('"text":""'))).toBe('content');
    expect(classOf(block({ type: 'tool_use', id: 'a', name: 'f', input: {} }))).toBe('content');
    expect(classOf(block({ type: 'redacted_thinking', data: 'x' }))).toBe('content');
    expect(classOf({ type: 'something_new' })).toBe('content');
    expect(
      classOf({ ...messageStart, message: { ...messageStart.message, content: [{ type: 'tool_use' }] } } as never),
    ).toBe('content');
    expect(classOf(messageStop)).toBe('terminal');
  });

  it('every recorded stream has content before its one terminal event, which is its last', () => {
    for (const recording of streams) {
      const events = parseSse(recording.response.body as string);
      if (events.filter((event) => event.event === 'message_start').length > 1) continue;
      const classes = events.map((event) => codec.classifyStreamEvent(event));
      expect([recording.id, classes.indexOf('terminal')]).toEqual([recording.id, classes.length - 1]);
      expect(classes).toContain('content');
      expect(classes).not.toContain('error');
      const bare = events.map(({ data }) => codec.classifyStreamEvent({ data }));
      expect(bare).toEqual(classes);
    }
  });
});
