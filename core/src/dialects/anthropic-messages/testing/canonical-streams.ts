/** Legal canonical streams for property tests: parts of all kinds, interleaved and framed at random. */
import fc from 'fast-check';
import type { FinishReasonKind, StreamEvent, StreamFrame } from '@bifrost/sdk';

/** A part's events in order. Pieces of text carry unique marks, so that a test can find each again. */
type PartEvents = readonly StreamEvent[];

function pieces(part: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `<${part}.${index}>`);
}

function cut(text: string, at: readonly number[]): readonly string[] {
  const bounds = [0, ...at.map((ratio) => Math.floor(ratio * text.length)).toSorted((a, b) => a - b), text.length];
  return bounds.slice(1).map((end, index) => text.slice(bounds[index], end));
}

const ratios = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 });

function textPart(part: string): fc.Arbitrary<PartEvents> {
  return fc
    .record({ count: fc.nat(3), kind: fc.constantFrom('text' as const, 'refusal' as const) })
    .map(({ count, kind }) => [
      { type: `${kind}-start`, part },
      ...pieces(part, count).map((text) => ({ type: `${kind}-delta`, part, text }) as const),
      { type: `${kind}-end`, part },
    ]);
}

function reasoningPart(part: string): fc.Arbitrary<PartEvents> {
  const opaque = fc.constantFrom(
    {},
    { signature: 'c2ln', origin: 'anthropic-messages' as const },
    { signature: 'c2ln', origin: 'gemini-generate-content' as const },
    { encrypted: 'ZW5j', origin: 'openai-responses' as const },
  );
  return fc
    .record({ count: fc.nat(3), opaque })
    .map(({ count, opaque: values }) => [
      { type: 'reasoning-start', part },
      ...pieces(part, count).map((text) => ({ type: 'reasoning-delta', part, text }) as const),
      { type: 'reasoning-end', part, ...values },
    ]);
}

function toolPart(part: string): fc.Arbitrary<PartEvents> {
  const input = fc.dictionary(fc.string({ maxLength: 4 }), fc.oneof(fc.string(), fc.integer(), fc.boolean()), {
    maxKeys: 3,
  });
  return fc
    .record({ input, ratios, isEmpty: fc.boolean() })
    .map(({ input: value, ratios: at, isEmpty }) => [
      { type: 'tool-call-start', part, id: `call_${part}`, name: `tool_${part}` },
      ...(isEmpty ? [] : cut(JSON.stringify(value), at)).map(
        (argumentsDelta) => ({ type: 'tool-call-delta', part, argumentsDelta }) as const,
      ),
      { type: 'tool-call-end', part },
    ]);
}

/** Merges the parts' events, keeping the order within each; `choices` decides whose turn it is. */
function interleave(parts: readonly PartEvents[], choices: readonly number[]): readonly StreamEvent[] {
  const queues = parts.map((part) => [...part]);
  const merged: StreamEvent[] = [];
  for (let turn = 0; ; turn += 1) {
    const waiting = queues.filter((queue) => queue.length > 0);
    if (waiting.length === 0) return merged;
    const choice = choices.length === 0 ? 0 : (choices[turn % choices.length] ?? 0);
    const next = waiting[choice % waiting.length]?.shift();
    if (next !== undefined) merged.push(next);
  }
}

const kinds: readonly FinishReasonKind[] = ['stop', 'length', 'tool-calls', 'content-filter', 'other'];

/** Frames of a stream of another dialect: start, parts, usage and finish reason. */
export const canonicalFrames: fc.Arbitrary<readonly StreamFrame[]> = fc
  .array(fc.constantFrom(textPart, reasoningPart, toolPart), { maxLength: 5 })
  .chain((makers) =>
    fc.record({
      parts: fc.tuple(...makers.map((make, index) => make(`p${index}`))),
      choices: fc.array(fc.nat(4), { maxLength: 40 }),
      sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }),
      kind: fc.constantFrom(...kinds),
    }),
  )
  .map(({ parts, choices, sizes, kind }) => {
    const events: StreamEvent[] = [
      { type: 'response-start', id: 'msg_1', model: 'some-model' },
      ...interleave(parts, choices),
      { type: 'finish', reason: { kind } },
      { type: 'usage', usage: { inputTokens: 7, outputTokens: 11 } },
    ];
    const frames: StreamFrame[] = [];
    for (let turn = 0; events.length > 0; turn += 1)
      frames.push({ events: events.splice(0, sizes[turn % sizes.length]) });
    return frames;
  });
