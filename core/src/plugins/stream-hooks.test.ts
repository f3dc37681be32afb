import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChunkMode, HoldBack, LLMOutcome, StreamEvent } from '@bifrost/sdk';
import { chainsOf } from './__tests__/chains-of.ts';
import type { TestPlugin } from './__tests__/chains-of.ts';
import { createTrack } from './stream-track.ts';

type Mode = { readonly chunks?: ChunkMode; readonly holdBack?: HoldBack };

const delta = (text: string, part = '0'): StreamEvent => ({ type: 'text-delta', part, text });
const start = (part = '0'): StreamEvent => ({ type: 'text-start', part });
const end = (part = '0'): StreamEvent => ({ type: 'text-end', part });
const args = (text: string): StreamEvent => ({ type: 'tool-call-delta', part: 'c', argumentsDelta: text });
const finish: StreamEvent = { type: 'finish', reason: { kind: 'stop' } };

const head = { model: 'm', isStream: true, fallbacks: [] };

/** Opens the stream hooks of `plugins`; each event is a frame of its own. */
function open(plugins: readonly TestPlugin[]) {
  const { open: openRun, lines, chains } = chainsOf(plugins);
  const due = { count: 0 };
  const hooks = openRun().openStream({ request: head, startedAt: 0, onDue: () => void (due.count += 1) });
  if (hooks === null) throw new Error('no hook is due');
  const tracks: ReturnType<typeof createTrack>[] = [];
  return {
    hooks,
    lines,
    chains,
    due,
    tracks,
    async push(...events: readonly StreamEvent[]) {
      for (const event of events) {
        const track = createTrack();
        tracks.push(track);
        await hooks.push(track, [event]);
      }
    },
    /** What has left, in the order of the frames. */
    get out(): readonly StreamEvent[] {
      return tracks.flatMap((track) => track.out);
    },
  };
}

/** A plugin that notes the texts that it is shown, with `|` after the last of a part. */
function noting(mode: Mode, seen: string[]): TestPlugin {
  return {
    name: 'notes',
    streamEventHook: {
      ...mode,
      handler(_, event) {
        if ('text' in event) seen.push(event.isLast === true ? `${event.text}|` : event.text);
        else if (event.type === 'tool-call-delta') seen.push(event.argumentsDelta);
        else seen.push(event.type);
      },
    },
  };
}

async function shown(mode: Mode, ...events: readonly StreamEvent[]): Promise<readonly string[]> {
  const seen: string[] = [];
  const stream = open([noting(mode, seen)]);
  await stream.push(...events);
  await stream.hooks.end();
  expect(stream.lines).toEqual([]);
  expect(stream.out).toEqual(events);
  expect(stream.tracks.every((track) => !track.isChanged && track.pending === 0)).toBe(true);
  return seen;
}

describe('what a stream hook is shown', () => {
  const hello = [start(), delta('Hel'), delta('lo. Ho'), delta('w are'), delta(' you?\nFine'), end(), finish];

  it('is every event as it comes, without options', async () => {
    expect(await shown({}, ...hello)).toEqual([
      'text-start',
      'Hel',
      'lo. Ho',
      'w are',
      ' you?\nFine',
      'text-end',
      'finish',
    ]);
  });

  it('is text up to the end of a sentence or line', async () => {
    expect(await shown({ chunks: 'sentence' }, ...hello)).toEqual([
      'text-start',
      'Hello. ',
      'How are you?\n',
      'Fine|',
      'text-end',
      'finish',
    ]);
    expect(await shown({ chunks: 'sentence' }, delta('v1.5 is "out." '), delta('好。是'))).toEqual([
      'v1.5 is "out." ',
      '好。',
      '是|',
    ]);
  });

  it('is the arguments of a tool call in one piece, in the modes that say so', async () => {
    const call: StreamEvent[] = [
      { type: 'tool-call-start', part: 'c', id: 'i', name: 'n' },
      args('{"a'),
      args('":1. 2}'),
      { type: 'tool-call-end', part: 'c' },
    ];
    for (const chunks of ['tool-call', 'sentence', 'end'] as const) {
      expect(await shown({ chunks }, ...call)).toEqual(['tool-call-start', '{"a":1. 2}', 'tool-call-end']);
    }
    expect(await shown({ chunks: 'tool-call' }, delta('a'), delta('b'), end())).toEqual(['a', 'b', 'text-end']);
  });

  it('is each part in one piece at its end, also where the stream ends without it', async () => {
    expect(await shown({ chunks: 'end' }, ...hello)).toEqual([
      'text-start',
      'Hello. How are you?\nFine|',
      'text-end',
      'finish',
    ]);
    expect(await shown({ chunks: 'end' }, delta('a', '1'), delta('b', '2'), delta('c', '1'))).toEqual(['ac|', 'b|']);
  });

  it('is what has come within a size', async () => {
    const mode = { chunks: { afterBytes: 4 } } as const;
    expect(await shown(mode, delta('ab'), delta('cd'), delta('e'), end())).toEqual(['abcd', 'e|', 'text-end']);
  });

  it('begins with what was kept, and is shown once more at the end of its part', async () => {
    const mode = { holdBack: { characters: 3 } };
    expect(await shown(mode, delta('ab'), delta('cd'), delta('ef'), end(), finish)).toEqual([
      'ab',
      'abcd',
      'abcdef',
      'cdef|',
      'text-end',
      'finish',
    ]);
  });
});

describe('what is held back', () => {
  it('is the newest text, in whole events, and all that comes after it; the end of the part lets it go', async () => {
    const stream = open([noting({ holdBack: { characters: 3 } }, [])]);
    await stream.push(delta('ab'), delta('cd'));
    expect(stream.out).toEqual([]);
    await stream.push({ type: 'usage', usage: {} }, delta('ef'), delta('g'));
    expect(stream.out).toEqual([delta('ab'), delta('cd'), { type: 'usage', usage: {} }]);
    await stream.push(start('1'), delta('other', '1'), end());
    expect(stream.out.slice(3)).toEqual([delta('ef'), delta('g'), start('1')]);
    await stream.push(end('1'));
    expect(stream.out.slice(6)).toEqual([delta('other', '1'), end(), end('1')]);
  });

  it('is what the hook made of it, cut where only so much may stay, and never within a character', async () => {
    const stream = open([
      {
        name: 'upper',
        streamEventHook: {
          holdBack: { characters: 2 },
          handler: (_, event) =>
            event.type === 'text-delta' ? [{ ...event, text: event.text.toUpperCase() }] : undefined,
        },
      },
    ]);
    await stream.push(delta('abcd'), delta('e😀'));
    expect(stream.out).toEqual([delta('AB'), delta('CDE')]);
    await stream.push(delta('f'));
    await stream.hooks.end();
    const text = stream.out.map((event) => ('text' in event ? event.text : '')).join('');
    expect(text).toBe('ABCDE😀F');
    for (const event of stream.out) expect('text' in event && event.text.isWellFormed()).toBe(true);
  });

  it('is bounded: above it the hook has failed, and its policy decides', async () => {
    const hold = { chunks: 'end', holdBack: { characters: 0, maxBytes: 100 } } as const;
    const lenient = open([{ name: 'a', streamEventHook: { ...hold, handler: () => undefined } }]);
    await lenient.push(delta('x'.repeat(60)), delta('y'.repeat(60)));
    expect(lenient.out.length).toBe(2);
    expect(lenient.lines).toEqual([expect.stringContaining('its bound of 100 bytes')]);
    expect(lenient.chains.figures()[0]?.hooks.streamEventHook?.errors).toBe(1);
    const guard = open([{ name: 'g', guard: true, streamEventHook: { ...hold, handler: () => undefined } }]);
    await guard.push(delta('x'.repeat(60)), delta('y'.repeat(60)), end());
    expect(guard.out).toEqual([]);
    expect(guard.hooks.error).toMatchObject({ code: 'BF_PLUGIN_HOOK_FAILED' });
  });
});

describe('an answer of a stream hook', () => {
  it('takes the place of all that it was shown', async () => {
    const stream = open([
      {
        name: 'a',
        streamEventHook: {
          chunks: 'sentence',
          handler: (_, event) =>
            event.type === 'text-delta' ? [{ ...event, text: `<${event.text.trim()}>` }, finish] : undefined,
        },
      },
    ]);
    await stream.push(delta('One. T'), delta('wo'), delta('. Rest'), end());
    expect(stream.out).toEqual([delta('<One.>'), finish, delta('<Two.>'), finish, delta('<Rest>'), finish, end()]);
    expect(stream.tracks.map((track) => [track.isChanged, track.pending])).toEqual([
      [true, 0],
      [true, 0],
      [true, 0],
      [false, 0],
    ]);
  });

  it('that is an error ends the stream after what may leave, and what is not seen stays', async () => {
    const error = { statusCode: 451, message: 'no', origin: 'plugin' } as const;
    const stream = open([
      noting({}, []),
      {
        name: 'a',
        streamEventHook: {
          holdBack: { characters: 4 },
          handler: (_, event) =>
            event.type === 'text-delta' && event.text.includes('bad')
              ? [delta('sorry'), { type: 'error', error }, delta('never')]
              : undefined,
        },
      },
    ]);
    await stream.push(delta('fine '), delta('an'), delta('d b'), delta('ad'), delta('more'), end());
    expect(stream.out).toEqual([delta('fine '), delta('sorry')]);
    expect(stream.hooks.error).toEqual(error);
  });

  it('that is a copy of what was shown is no change', async () => {
    const stream = open([{ name: 'a', streamEventHook: (_, event) => [{ ...event }] }]);
    await stream.push(delta('x'), { type: 'text-delta', part: '0', text: 'y', logprobs: [] });
    expect(stream.tracks.map((track) => track.isChanged)).toEqual([false, false]);
  });

  it('of one plugin is what the next one is shown, held text included', async () => {
    const seen: string[] = [];
    const stream = open([
      noting({ holdBack: { characters: 2 } }, seen),
      {
        name: 'doubles',
        streamEventHook: {
          chunks: { afterBytes: 3 },
          handler: async (_, event) =>
            event.type === 'text-delta' ? [{ ...event, text: event.text + event.text }] : undefined,
        },
      },
    ]);
    await stream.push(delta('a'), delta('b'), delta('c'), end());
    expect(seen).toEqual(['abcabc', 'abcabc|', 'text-end']);
    expect(stream.out.map((event) => ('text' in event ? event.text : event.type)).join('')).toBe('abcabctext-end');
  });
});

describe('chunks by time', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('are shown when the first of their text has waited that long', async () => {
    const seen: string[] = [];
    const stream = open([noting({ chunks: { afterMs: 50 } }, seen)]);
    await stream.push(delta('a'));
    vi.advanceTimersByTime(30);
    await stream.push(delta('b'));
    expect(stream.due.count).toBe(0);
    vi.advanceTimersByTime(20);
    expect(stream.due.count).toBe(1);
    await stream.hooks.tick();
    expect(seen).toEqual(['ab']);
    expect(stream.out).toEqual([delta('a'), delta('b')]);
    stream.hooks.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('postLLMHook with chunks', () => {
  it('is called for each event with the outcome so far, and says what is sent in its place', async () => {
    const outcomes: LLMOutcome[] = [];
    const order: string[] = [];
    const stream = open([
      {
        name: 'post',
        streamEventHook: () => void order.push('event'),
        postLLMHook: {
          chunks: 'each',
          handler(_, outcome) {
            order.push('post');
            outcomes.push(outcome);
            const { event } = outcome;
            if (event?.type === 'text-delta')
              return event.text === 'drop' ? { events: [] } : { events: [delta('new')] };
            return undefined;
          },
        },
      },
    ]);
    await stream.push(delta('old'), delta('drop'), end());
    expect(stream.out).toEqual([delta('new'), end()]);
    expect(outcomes.map((one) => one.event)).toEqual([delta('old'), delta('drop'), end()]);
    expect(outcomes[0]).toMatchObject({ request: head, statusCode: 200 });
    expect(outcomes[0]).not.toHaveProperty('response');
    expect(order.slice(0, 2)).toEqual(['post', 'event']);
  });

  it('ends the stream with an error, and hears of a whole answer only at the end', async () => {
    const error = { statusCode: 403, message: 'no', origin: 'plugin' } as const;
    const stream = open([{ name: 'post', postLLMHook: { chunks: 'each', handler: () => ({ error }) } }]);
    await stream.push(delta('x'));
    expect([stream.out, stream.hooks.error]).toEqual([[], error]);
    const { open: openRun, chains } = chainsOf([{ name: 'plain', postLLMHook: () => undefined }]);
    expect(chains.needs.streamEvent).toBeUndefined();
    expect(openRun().openStream({ request: head, startedAt: 0, onDue: () => undefined })).toBeNull();
  });
});

describe('any events through any stages', () => {
  const part = fc.constantFrom('0', '1');
  const event = fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.string({ unit: fc.constantFrom('a', '.', ' ', '\n', '😀'), maxLength: 6 }), part)
        .map(([text, at]) => delta(text, at)),
    },
    { weight: 1, arbitrary: part.map((at) => end(at)) },
    { weight: 1, arbitrary: fc.constant(finish) },
  );
  const mode = fc.record(
    {
      chunks: fc.constantFrom<ChunkMode>('each', 'sentence', 'tool-call', 'end', { afterBytes: 3 }),
      holdBack: fc.record({ characters: fc.nat(5) }),
    },
    { requiredKeys: [] },
  );

  it('come out as they went in, in order and at the latest at the end, while no hook changes them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 20 }),
        fc.array(mode, { minLength: 1, maxLength: 3 }),
        async (events, modes) => {
          const stream = open(
            modes.map((one, index) => ({
              name: `p${index}`,
              streamEventHook: { ...one, handler: index % 2 === 0 ? () => undefined : async () => undefined },
            })),
          );
          await stream.push(...events);
          await stream.hooks.end();
          expect(stream.lines).toEqual([]);
          expect(stream.out).toEqual(events);
          expect(stream.tracks.some((track) => track.isChanged || track.pending !== 0)).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('lose and repeat no text where hooks change every delta', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 20 }),
        fc.array(mode, { minLength: 1, maxLength: 3 }),
        async (events, modes) => {
          const stream = open(
            modes.map((one, index) => ({
              name: `p${index}`,
              streamEventHook: {
                ...one,
                handler: (_context, shownEvent) =>
                  shownEvent.type === 'text-delta'
                    ? [
                        { ...shownEvent, text: shownEvent.text.replaceAll(' ', '_') },
                        { type: 'usage', usage: {} },
                      ]
                    : undefined,
              },
            })),
          );
          await stream.push(...events);
          await stream.hooks.end();
          const textOf = (list: readonly StreamEvent[], at: string) =>
            list.map((one) => (one.type === 'text-delta' && one.part === at ? one.text : '')).join('');
          for (const at of ['0', '1']) {
            expect(textOf(stream.out, at)).toBe(textOf(events, at).replaceAll(' ', '_'));
          }
          expect(stream.tracks.some((track) => track.pending !== 0)).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });
});
