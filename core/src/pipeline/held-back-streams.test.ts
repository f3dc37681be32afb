import fc from 'fast-check';
import type { DialectName, StreamEvent, StreamFrame } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import { ResponseAccumulator } from '../conversation/accumulator.ts';
import { codecOf } from '../dialects/registry.ts';
import type { TestPlugin } from '../plugins/__tests__/chains-of.ts';
import { formatSse, parseSse } from '../sse/parser.ts';
import { cutAt, relay } from './__tests__/relay-harness.ts';

const dialects = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini-generate-content'] as const;
const kinds = ['text', 'reasoning', 'refusal', 'tool-call'] as const;
type Kind = (typeof kinds)[number];

/** Characters that no wire format uses of itself, a surrogate pair among them. */
const secret = '☂☃★😀☎';
const secretCharacters = /[☂☃★☎]|\ud83d|\ude00|\\u26|\\ud83d/i;

const codecReport = { add: () => undefined };

function deltaOf(kind: Kind, text: string): StreamEvent {
  if (kind === 'tool-call') return { type: 'tool-call-delta', part: 'p', argumentsDelta: text };
  return { type: `${kind}-delta`, part: 'p', text };
}

/** A stream of `dialect` that says `text` as one part of this kind, in pieces of `size` code points. */
function streamOf(dialect: DialectName, kind: Kind, text: string, size: number): Buffer {
  const start: StreamEvent =
    kind === 'tool-call'
      ? { type: 'tool-call-start', part: 'p', id: 'call_1', name: 'look' }
      : { type: `${kind}-start`, part: 'p' };
  const points = Array.from(text);
  const pieces = Array.from({ length: Math.ceil(points.length / size) }, (_, index) =>
    points.slice(index * size, (index + 1) * size).join(''),
  );
  const frames: StreamFrame[] = [
    { events: [{ type: 'response-start', id: 'r', model: 'm' }] },
    { events: [start] },
    ...pieces.map((piece) => ({ events: [deltaOf(kind, piece)] })),
    { events: [{ type: `${kind}-end`, part: 'p' }] },
    { events: [{ type: 'usage', usage: { inputTokens: 1, outputTokens: 2 } }] },
    { events: [{ type: 'finish', reason: { kind: kind === 'tool-call' ? 'tool-calls' : 'stop' } }] },
  ];
  const encoder = codecOf(dialect).createStreamEncoder({ report: codecReport, fallbackId: 'r' });
  const events = [...frames.flatMap((frame) => encoder.push(frame)), ...encoder.finish()];
  return Buffer.from(events.map(formatSse).join(''));
}

function textOf(event: StreamEvent): string | undefined {
  if (event.type === 'tool-call-delta') return event.argumentsDelta;
  return 'text' in event ? event.text : undefined;
}

function guard(decide: (event: StreamEvent, text: string) => readonly StreamEvent[] | undefined): TestPlugin {
  return {
    name: 'guard',
    guard: true,
    streamEventHook: {
      holdBack: { characters: secret.length },
      handler(_, event) {
        const text = textOf(event);
        return text?.includes(secret) === true ? decide(event, text) : undefined;
      },
    },
  };
}

const blocking = guard(() => [
  { type: 'error', error: { statusCode: 451, message: 'not that', code: 'blocked', origin: 'plugin' } },
]);
const redacting = guard((event, text) => {
  const clean = text.replaceAll(secret, '[x]');
  if (event.type === 'tool-call-delta') return [{ ...event, argumentsDelta: clean }];
  return 'text' in event ? [{ ...event, text: clean }] : undefined;
});

/** All that a reader of the dialect gets: the joined text and arguments of all parts. */
function readBack(dialect: DialectName, sent: string): string {
  const decoder = codecOf(dialect).createStreamDecoder();
  const accumulator = new ResponseAccumulator();
  for (const event of parseSse(sent)) for (const frame of decoder.push(event)) accumulator.push(frame);
  for (const frame of decoder.finish()) accumulator.push(frame);
  const parts = accumulator.result().candidates.flatMap((candidate) => candidate.parts);
  return parts
    .map((part) => {
      if (part.type === 'tool-call') return part.arguments;
      return 'text' in part ? part.text : '';
    })
    .join('');
}

/** A request in every dialect at once. */
const body = {
  model: 'm',
  max_tokens: 1,
  input: 'x',
  messages: [{ role: 'user', content: 'x' }],
  contents: [{ role: 'user', parts: [{ text: 'x' }] }],
};

const around = (kind: Kind, middle: string): string =>
  kind === 'tool-call' ? `{"query":"before ${middle} after it all"}` : `before ${middle} after it all`;

describe.each(dialects)('a secret in a %s stream', (dialect) => {
  it.each(kinds)('in its %s: no character of it leaves, however it is divided', async (kind) => {
    for (let size = 1; size <= 12; size += 1) {
      const bytes = streamOf(dialect, kind, around(kind, secret), size);
      const { sink, run } = await relay({ dialect, chunks: cutAt(bytes, [size * 31, size * 57]), plugins: [blocking] });
      expect(sink.text).not.toMatch(secretCharacters);
      expect(sink.text).toContain('not that');
      expect(sink.isEnded).toBe(true);
      expect(run.error?.code).toBe('blocked');
    }
  });

  it.each(kinds)('in its %s: a guard takes it out, the rest stays, and the change is told', async (kind) => {
    for (let size = 1; size <= 12; size += 1) {
      const bytes = streamOf(dialect, kind, around(kind, secret), size);
      const { sink, run, lines } = await relay({ dialect, chunks: [bytes], plugins: [redacting] });
      expect(lines).toEqual([]);
      expect(sink.text).not.toMatch(secretCharacters);
      expect(readBack(dialect, sink.text)).toBe(around(kind, '[x]'));
      expect(run.lane).toBe('translated');
      expect(sink.text).toContain(': x-bf-lane: translated\n');
    }
  });

  it('passes into another dialect in the same way', async () => {
    for (const clientDialect of dialects) {
      if (clientDialect === dialect) continue;
      const bytes = streamOf(dialect, 'text', around('text', secret), 2);
      const { sink } = await relay({ dialect, clientDialect, body, chunks: [bytes], plugins: [redacting] });
      expect(sink.text).not.toMatch(secretCharacters);
      expect(readBack(clientDialect, sink.text)).toBe(around('text', '[x]'));
    }
  });
});

describe('a pattern no longer than what is held back', () => {
  it('is seen whole by the hook before any of it has left, wherever text and bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          dialect: fc.constantFrom(...dialects),
          kind: fc.constantFrom(...kinds),
          before: fc.nat(60),
          size: fc.integer({ min: 1, max: 9 }),
          cuts: fc.array(fc.nat(4000), { maxLength: 5 }),
          isPaced: fc.boolean(),
        }),
        async ({ dialect, kind, before, size, cuts, isPaced }) => {
          const text = around(kind, `${'y'.repeat(before)}${secret}${'z'.repeat(60 - before)}`);
          const bytes = streamOf(dialect, kind, text, size);
          const { sink } = await relay({ dialect, chunks: cutAt(bytes, cuts), plugins: [redacting], isPaced });
          expect(sink.text).not.toMatch(secretCharacters);
          expect(readBack(dialect, sink.text)).toBe(text.replace(secret, '[x]'));
        },
      ),
      { numRuns: 150 },
    );
  });
});
