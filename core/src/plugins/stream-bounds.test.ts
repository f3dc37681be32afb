import { afterEach, describe, expect, it, vi } from 'vitest';
import type { StreamEvent } from '@bifrost/sdk';
import { chainsOf } from './__tests__/chains-of.ts';
import type { TestPlugin } from './__tests__/chains-of.ts';
import { createTrack } from './stream-track.ts';
import { wholeCharacters } from './stream-text.ts';

const delta = (text: string): StreamEvent => ({ type: 'text-delta', part: '0', text });

afterEach(() => {
  vi.useRealTimers();
});

/** Pushes all events as one frame each, and gives what has left. */
async function passed(plugins: readonly TestPlugin[], events: readonly StreamEvent[]) {
  const made = chainsOf(plugins);
  const hooks = made.open().openStream({
    request: { model: 'm', isStream: true, fallbacks: [] },
    startedAt: 0,
    onDue: () => undefined,
  });
  const tracks = events.map(() => createTrack());
  for (const [index, event] of events.entries()) await hooks?.push(tracks[index] ?? createTrack(), [event]);
  return { ...made, hooks, out: tracks.flatMap((track) => track.out) };
}

describe('what a stream hook holds', () => {
  const holding = (maxBytes: number): TestPlugin => ({
    name: 'holds',
    streamEventHook: { chunks: 'end', holdBack: { characters: 8, maxBytes }, handler: () => undefined },
  });

  it('leaves whole where there is more than it may hold, the newest text too', async () => {
    const { out } = await passed([holding(100)], [delta('a'.repeat(60)), delta('b'.repeat(60))]);
    expect(out).toEqual([delta('a'.repeat(60)), delta('b'.repeat(60))]);
  });

  it('counts what waits behind held text: media by its size, all else by a little', async () => {
    const media: StreamEvent = { type: 'media-delta', part: 'm', kind: 'audio', data: 'x'.repeat(1000) };
    const large = await passed([holding(1000)], [delta('a'), media]);
    expect(large.out).toEqual([delta('a'), media]);
    const finishes = Array.from({ length: 9 }, (): StreamEvent => ({ type: 'usage', usage: {} }));
    const many = await passed([holding(1000)], [delta('a'), ...finishes]);
    expect(many.out).toHaveLength(10);
    const few = await passed([holding(1000)], [delta('a'), ...finishes.slice(0, 4)]);
    expect(few.out).toEqual([]);
  });

  it('leaves before the error of a hook that ran before it', async () => {
    const error = { statusCode: 451, message: 'no', origin: 'plugin' } as const;
    const failing: TestPlugin = {
      name: 'ends',
      streamEventHook: (_, event) =>
        event.type === 'text-delta' && event.text === 'bad' ? [{ type: 'error', error }] : undefined,
    };
    // Stream hooks run in reverse: `ends` comes first.
    const { hooks, out } = await passed([holding(1000), failing], [delta('fine'), delta('bad')]);
    expect(out).toEqual([delta('fine')]);
    expect(hooks?.error).toEqual(error);
  });

  it('needs no timer where no hook has a clock', async () => {
    vi.useFakeTimers();
    await passed([holding(1000)], [delta('a'), delta('b')]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a cut of text', () => {
  it.each(['\u{10000}', '😀', '\u{10ffff}'])('never parts the halves of %j', (character) => {
    expect(wholeCharacters(`a${character}b`, 2)).toBe(1);
    expect(wholeCharacters(`a${character}b`, 3)).toBe(3);
  });
});
