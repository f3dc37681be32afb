import type { ConversationResponse, DialectName, StreamEvent, StreamFrame, ToolCallPart } from '@bifrost/sdk';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ResponseAccumulator } from '../conversation/accumulator.ts';
import type { SseEvent } from '../sse/event.ts';
import type { Loss } from './codec.ts';
import { codecOf } from './registry.ts';

const dialects: readonly DialectName[] = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'gemini-generate-content',
];

function encode(dialect: DialectName, frames: readonly StreamFrame[], losses: Loss[] = []): readonly SseEvent[] {
  const encoder = codecOf(dialect).createStreamEncoder({ report: { add: (loss) => losses.push(loss) } });
  return [...frames.flatMap((frame) => encoder.push(frame)), ...encoder.finish()];
}

function decode(dialect: DialectName, events: readonly SseEvent[]): readonly StreamFrame[] {
  const decoder = codecOf(dialect).createStreamDecoder();
  return [...events.flatMap((event) => decoder.push(event)), ...decoder.finish()];
}

function answerOf(frames: readonly StreamFrame[]): ConversationResponse {
  const accumulator = new ResponseAccumulator();
  for (const frame of frames) accumulator.push(frame);
  return accumulator.result();
}

const callsOf = (frames: readonly StreamFrame[]): readonly ToolCallPart[] =>
  (answerOf(frames).candidates[0]?.parts ?? []).filter((part) => part.type === 'tool-call');

const signature = fc.option(fc.stringMatching(/^[A-Za-z0-9+/]{8,60}$/), { nil: undefined });

/** The events of each call, in their own order; `pick` says whose event is next, `cuts` where a frame ends. */
const stream = fc
  .record({
    calls: fc.array(fc.record({ signature, value: fc.string({ maxLength: 20 }), cut: fc.nat(30) }), {
      minLength: 1,
      maxLength: 3,
    }),
    picks: fc.array(fc.nat(2), { minLength: 12, maxLength: 12 }),
    isCut: fc.array(fc.boolean(), { minLength: 14, maxLength: 14 }),
    hasText: fc.boolean(),
  })
  .map(({ calls, picks, isCut, hasText }) => {
    const queues = calls.map((call, index): StreamEvent[] => {
      const part = `call-${index}`;
      const text = JSON.stringify({ value: call.value });
      const at = Math.min(call.cut, text.length);
      return [
        { type: 'tool-call-start', part, id: `call_${index}`, name: 'f' },
        { type: 'tool-call-delta', part, argumentsDelta: text.slice(0, at) },
        { type: 'tool-call-delta', part, argumentsDelta: text.slice(at) },
        { type: 'tool-call-end', part, ...(call.signature === undefined ? {} : { signature: call.signature }) },
      ];
    });
    const events: StreamEvent[] = [{ type: 'response-start', id: 'r', model: 'm' }];
    if (hasText) {
      const part = 'text';
      events.push({ type: 'text-start', part }, { type: 'text-delta', part, text: 'so' }, { type: 'text-end', part });
    }
    for (const pick of picks) {
      const open = queues.filter((queue) => queue.length > 0);
      const next = open[pick % Math.max(1, open.length)]?.shift();
      if (next !== undefined) events.push(next);
    }
    events.push(...queues.flat(), { type: 'finish', reason: { kind: 'tool-calls' } });
    const frames: { events: StreamEvent[] }[] = [{ events: [] }];
    for (const [index, event] of events.entries()) {
      frames.at(-1)?.events.push(event);
      if (isCut[index % isCut.length] === true) frames.push({ events: [] });
    }
    const expected = calls.map((call, index) => ({
      id: `call_${index}`,
      arguments: { value: call.value },
      signature: call.signature,
    }));
    return { frames, expected };
  });

const seen = (calls: readonly ToolCallPart[]): readonly object[] =>
  calls
    .map(({ id, arguments: text, signature: proof }) => ({
      id,
      arguments: JSON.parse(text) as unknown,
      signature: proof,
    }))
    .toSorted((left, right) => left.id.localeCompare(right.id));

const isOfSignature = ({ field }: Loss): boolean => field.includes('signature');

describe.each(dialects)('a stream to a client of %s', (dialect) => {
  it("keeps every tool call's signature, however late it comes", () => {
    fc.assert(
      fc.property(stream, ({ frames, expected }) => {
        const losses: Loss[] = [];
        const events = encode(dialect, frames, losses);
        expect(seen(callsOf(decode(dialect, events)))).toEqual(expected);
        expect(losses.filter(isOfSignature)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it.each(dialects)('keeps it when a second gateway makes %s of it', (second) => {
    fc.assert(
      fc.property(stream, ({ frames, expected }) => {
        const losses: Loss[] = [];
        const first = decode(dialect, encode(dialect, frames));
        expect(seen(callsOf(decode(second, encode(second, first, losses))))).toEqual(expected);
        expect(losses.filter(isOfSignature)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('calls that a decoder made', () => {
  it.each(['openai-chat', 'openai-responses', 'anthropic-messages'] satisfies DialectName[])(
    'are not held: their arguments reach a client of %s as they come',
    (dialect) => {
      const encoder = codecOf(dialect).createStreamEncoder({ report: { add: () => undefined } });
      const residue = { dialect: 'gemini-generate-content', fields: {} } as const;
      const push = (event: StreamEvent): number => encoder.push({ events: [event], residue }).length;
      expect(push({ type: 'tool-call-start', part: 'c', id: 'c', name: 'f' })).toBeGreaterThan(0);
      expect(push({ type: 'tool-call-delta', part: 'c', argumentsDelta: '{"a":' })).toBeGreaterThan(0);
    },
  );

  it('are not held either where a plugin wrote what came before them', () => {
    const encoder = codecOf('openai-chat').createStreamEncoder({ report: { add: () => undefined } });
    const start: StreamEvent = { type: 'tool-call-start', part: 'c', id: 'c', name: 'f' };
    expect(encoder.push({ events: [start] })).toEqual([]);
    const delta: StreamEvent = { type: 'tool-call-delta', part: 'c', argumentsDelta: '{}' };
    const residue = { dialect: 'anthropic-messages', fields: {} } as const;
    const events = encoder.push({ events: [delta], residue });
    expect(events.length).toBeGreaterThanOrEqual(2);
  });
});

describe('what is held', () => {
  const frames: readonly StreamFrame[] = [
    { events: [{ type: 'response-start', id: 'r', model: 'm' }] },
    { events: [{ type: 'tool-call-start', part: 'c', id: 'c', name: 'f' }] },
    { events: [{ type: 'tool-call-delta', part: 'c', argumentsDelta: '{"a":1}' }] },
  ];
  it.each(dialects)('reaches a client of %s where the stream ends or fails before the call does', (dialect) => {
    expect(JSON.stringify(encode(dialect, frames))).toContain('"a');
    const encoder = codecOf(dialect).createStreamEncoder({ report: { add: () => undefined } });
    const before = frames.flatMap((frame) => encoder.push(frame));
    const failed = encoder.fail({ statusCode: 500, message: 'broken', origin: 'provider' });
    expect(JSON.stringify([...before, ...failed])).toContain('broken');
  });
});
