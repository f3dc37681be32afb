import { recordedBytes, recordingsOfDialect, withCrlf } from '@bifrost/testkit';
import type { ChunkMode, DialectName, HoldBack } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import type { TestPlugin } from '../plugins/__tests__/chains-of.ts';
import { cutAt, relay } from './__tests__/relay-harness.ts';

const dialects = [
  'openai-chat',
  'openai-completions',
  'openai-responses',
  'anthropic-messages',
  'gemini-generate-content',
] as const satisfies readonly DialectName[];

const modes: readonly { readonly chunks?: ChunkMode; readonly holdBack?: HoldBack }[] = [
  {},
  { holdBack: { characters: 40 } },
  { chunks: 'sentence' },
  { chunks: 'tool-call', holdBack: { characters: 7 } },
  { chunks: 'end', holdBack: { characters: 0, maxBytes: 10_000_000 } },
  { chunks: { afterBytes: 50 } },
];

const late = (): Promise<undefined> => Promise.resolve(undefined);

function watcher(name: string, mode: (typeof modes)[number], isLate: boolean): TestPlugin {
  const handler = isLate ? late : () => undefined;
  return { name, guard: true, streamEventHook: { ...mode, handler } };
}

/** A repeatable draw. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe.each(dialects)('a %s stream that its hooks leave unchanged', (dialect) => {
  const streams = recordingsOfDialect(dialect).filter(
    ({ response }) => response.stream_format === 'sse' && response.status < 400,
  );

  it('leaves in the bytes that it would leave in without them, in every mode, however it is cut', async () => {
    expect(streams.length).toBeGreaterThan(0);
    const draw = random(7);
    for (const [index, recording] of streams.entries()) {
      const recorded = recordedBytes(recording.response);
      const bytes = index % 3 === 2 ? withCrlf(recorded) : recorded;
      const body = recording.request?.body;
      const isUsageWithheld = index % 4 === 1;
      const plain = await relay({ dialect, chunks: [bytes], body, isUsageWithheld });
      // Two modes a stream, in turn: each meets a third of the recordings.
      for (const at of [index % modes.length, (index + 3) % modes.length]) {
        const mode = modes[at] ?? {};
        const offsets = Array.from({ length: at * 4 }, () => Math.floor(draw() * bytes.length));
        const hooked = await relay({
          dialect,
          body,
          isUsageWithheld,
          chunks: cutAt(bytes, offsets),
          plugins: [
            watcher('first', mode, (index + at) % 2 === 0),
            watcher('second', modes[(at + 1) % modes.length] ?? {}, false),
            { name: 'chunks', httpTransportStreamChunkHook: () => undefined },
          ],
        });
        expect(hooked.lines, recording.id).toEqual([]);
        expect(hooked.failure, recording.id).toEqual(plain.failure);
        expect(hooked.sink.text, `${recording.id} in mode ${JSON.stringify(mode)}`).toBe(plain.sink.text);
        expect(hooked.run.lane).toBe('identical');
      }
    }
  }, 120_000);
});
