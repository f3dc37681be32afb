import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Candidate, ConversationResponse, Part, StreamEvent, Usage } from '@bifrost/sdk';
import { ResponseAccumulator } from './accumulator.ts';
import { framesOf } from './response-frames.ts';

const accumulate = (...events: readonly StreamEvent[]): ResponseAccumulator => {
  const accumulator = new ResponseAccumulator();
  for (const event of events) accumulator.push({ events: [event] });
  return accumulator;
};
const partsOf = (...events: readonly StreamEvent[]): readonly Part[] | undefined =>
  accumulate(...events).result().candidates[0]?.parts;

const optional = { requiredKeys: [] as [] };
const text = fc.string();
const citation = fc.record({ url: text, title: text, startIndex: fc.nat(), endIndex: fc.nat() }, optional);
const logprob = fc.record({ token: text, logprob: fc.integer() });
const usage = fc.record<Usage>({ inputTokens: fc.nat(), outputTokens: fc.nat(), cacheReadTokens: fc.nat() }, optional);
const media = fc.record(
  {
    type: fc.constant('media' as const),
    kind: fc.constantFrom('image' as const, 'file' as const, 'audio' as const, 'video' as const),
    source: fc.oneof(
      fc.record({ type: fc.constant('base64' as const), data: fc.base64String() }),
      fc.record({ type: fc.constant('url' as const), url: text }),
      fc.record({ type: fc.constant('file-id' as const), fileId: text }),
      fc.record({ type: fc.constant('text' as const), text }),
    ),
    mediaType: text,
    filename: text,
    signature: text,
  },
  { requiredKeys: ['type', 'kind', 'source'] },
);
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record(
    {
      type: fc.constant('text' as const),
      text,
      citations: fc.array(citation, { minLength: 1 }),
      signature: text,
      logprobs: fc.array(logprob, { minLength: 1 }),
    },
    { requiredKeys: ['type', 'text'] },
  ),
  fc.record({ type: fc.constant('refusal' as const), text }),
  fc.record(
    {
      type: fc.constant('reasoning' as const),
      text,
      isSummary: fc.boolean(),
      signature: text,
      origin: fc.constantFrom('anthropic-messages' as const, 'openai-responses' as const),
      encrypted: text,
      id: text,
    },
    { requiredKeys: ['type', 'text'] },
  ),
  fc.record(
    {
      type: fc.constant('tool-call' as const),
      id: text,
      name: text,
      arguments: text,
      isFreeform: fc.boolean(),
      signature: text,
    },
    { requiredKeys: ['type', 'id', 'name', 'arguments'] },
  ),
  media,
  fc.record({
    type: fc.constant('server-tool' as const),
    dialect: fc.constant('anthropic-messages' as const),
    name: text,
    value: fc.record({ type: text }),
  }),
  fc.record({
    type: fc.constant('opaque' as const),
    dialect: fc.constant('openai-chat' as const),
    value: fc.record({ x: text }),
  }),
);
const candidates = fc
  .array(
    fc.record(
      {
        parts: fc.array(part, { minLength: 1, maxLength: 5 }),
        finishReason: fc.record({ kind: fc.constantFrom('stop' as const, 'tool-calls' as const), raw: text }),
      },
      { requiredKeys: ['parts'] },
    ),
    { maxLength: 3 },
  )
  .map((list) => list.map((one, index): Candidate => ({ index, ...one })));
const response: fc.Arbitrary<ConversationResponse> = fc.record(
  { id: text, model: text, createdAt: fc.nat(), candidates, usage },
  { requiredKeys: ['candidates'] },
);

describe('ResponseAccumulator', () => {
  it('is the inverse of framesOf, for every answer', () => {
    fc.assert(
      fc.property(response, (whole) => {
        const accumulator = new ResponseAccumulator();
        for (const frame of framesOf(whole)) accumulator.push(frame);
        expect(accumulator.result()).toEqual(whole);
        expect(accumulator.error).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it('does not care how the events are grouped in frames', () => {
    fc.assert(
      fc.property(response, (whole) => {
        const events = framesOf(whole).flatMap((frame) => frame.events);
        const oneFrame = new ResponseAccumulator();
        oneFrame.push({ events });
        expect(oneFrame.result()).toEqual(whole);
        expect(accumulate(...events).result()).toEqual(whole);
      }),
    );
  });

  it('keeps the order in which parts began when their deltas interleave', () => {
    const parts = partsOf(
      { type: 'tool-call-start', part: 'a', id: '1', name: 'f' },
      { type: 'tool-call-start', part: 'b', id: '2', name: 'g' },
      { type: 'tool-call-delta', part: 'b', argumentsDelta: '{"y"' },
      { type: 'tool-call-delta', part: 'a', argumentsDelta: '{}' },
      { type: 'tool-call-delta', part: 'b', argumentsDelta: ':2}' },
      { type: 'tool-call-end', part: 'a', signature: 'sig' },
    );
    expect(parts).toEqual([
      { type: 'tool-call', id: '1', name: 'f', arguments: '{}', signature: 'sig' },
      { type: 'tool-call', id: '2', name: 'g', arguments: '{"y":2}' },
    ]);
  });

  it('replaces usage bucket by bucket and never sums it', () => {
    const accumulator = accumulate(
      { type: 'usage', usage: { inputTokens: 10, cacheReadTokens: 3, outputTokens: 1 } },
      { type: 'usage', usage: { outputTokens: 7 } },
    );
    expect(accumulator.result().usage).toEqual({ inputTokens: 10, cacheReadTokens: 3, outputTokens: 7 });
  });

  it('joins media pieces, whether cut anywhere or padded one by one', () => {
    const bytes = Buffer.from('some audio bytes');
    const whole = bytes.toString('base64');
    const piece = (data: string): StreamEvent => ({ type: 'media-delta', part: 'm', kind: 'audio', data });
    const expected = [{ type: 'media', kind: 'audio', source: { type: 'base64', data: whole } }];
    expect(partsOf(piece(whole.slice(0, 5)), piece(whole.slice(5)))).toEqual(expected);
    const padded = [bytes.subarray(0, 4), bytes.subarray(4)].map((slice) => piece(slice.toString('base64')));
    expect(partsOf(...padded)).toEqual(expected);
  });

  it('opens a part at a delta without a start, and puts a citation of no known part on the newest text', () => {
    const events: StreamEvent[] = [
      { type: 'text-delta', part: '0', text: 'a' },
      { type: 'citation', part: 'unknown', citation: { url: 'u' } },
    ];
    expect(partsOf(...events)).toEqual([{ type: 'text', text: 'a', citations: [{ url: 'u' }] }]);
  });

  it('keeps the first error beside the answer so far, and finish reasons per candidate', () => {
    const failure = { statusCode: 529, message: 'Overloaded', origin: 'provider' } as const;
    const accumulator = accumulate(
      { type: 'text-delta', part: 'x', candidate: 1, text: 'b' },
      { type: 'finish', candidate: 1, reason: { kind: 'length' } },
      { type: 'finish', reason: { kind: 'stop', raw: 'end_turn' } },
      { type: 'error', error: failure },
      { type: 'error', error: { ...failure, message: 'later' } },
    );
    expect(accumulator.error).toEqual(failure);
    expect(accumulator.result().candidates).toEqual([
      { index: 0, parts: [], finishReason: { kind: 'stop', raw: 'end_turn' } },
      { index: 1, parts: [{ type: 'text', text: 'b' }], finishReason: { kind: 'length' } },
    ]);
  });
});
