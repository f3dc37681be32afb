import fc from 'fast-check';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { LocalSharedState } from '@bifrost/core';
import type { SharedState } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import { createSharedStateBuffer, headCells, viewsOf } from './layout.ts';
import { openSharedState } from './open-shared-state.ts';

const open = (buffer = createSharedStateBuffer()): SharedState => openSharedState(buffer)('p');

type Step =
  | readonly ['add', string, number]
  | readonly ['set', string, fc.JsonValue | undefined]
  | readonly ['get', string];

const key = fc.oneof(fc.constantFrom('a', 'b', '', 'key', '\ud800', '\u{1f600}'), fc.string({ maxLength: 20 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constant('add' as const), key, fc.integer()),
  fc.tuple(fc.constant('set' as const), key, fc.option(fc.jsonValue(), { nil: undefined })),
  fc.tuple(
    fc.constant('set' as const),
    key,
    fc.integer({ min: 0, max: 70_000 }).map((size) => 'x'.repeat(size)),
  ),
  fc.tuple(fc.constant('get' as const), key),
);

/** What a step gives, or the message of what it throws. */
function run(state: SharedState, [kind, name, value]: Step): unknown {
  try {
    if (kind === 'add') return state.add(name, value);
    if (kind === 'get') return state.get(name);
    // The generator makes JSON.
    return state.set(name, value as Parameters<SharedState['set']>[1]);
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
}

describe('shared state in memory of many threads', () => {
  it('behaves as the state of one thread, seen from any of its openings', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 60 }), (steps) => {
        const buffer = createSharedStateBuffer();
        const [first, second, model] = [open(buffer), open(buffer), new LocalSharedState('p')];
        for (const [one, isSecond] of steps) {
          expect(run(isSecond ? second : first, one)).toEqual(run(model, one));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is full at the same bounds', () => {
    for (const state of [open(), new LocalSharedState('p')]) {
      for (let index = 0; index < 1024; index += 1) state.add(`counter ${index}`);
      expect(state.add('counter 1023')).toBe(2);
      expect(() => state.add('one more')).toThrow(/at most 1024 counters/);
      for (let index = 0; index < 256; index += 1) state.set(`${index}`, index);
      expect(() => state.set('one more', 1)).toThrow(/at most 256 values/);
      state.set('0', undefined);
      expect(() => state.set('0', 'x'.repeat(65_536))).toThrow(/at most 65536 bytes/);
      expect(state.get('255')).toBe(255);
    }
  });

  it('keeps counters apart whose names fall on each other', () => {
    // Of the same 32 bits by FNV-1a, found by trying.
    const [one, other] = ['n101488', 'count-337104'];
    const buffer = createSharedStateBuffer();
    open(buffer).add(one, 5);
    expect(open(buffer).add(other, 1)).toBe(1);
    expect([open(buffer).add(one, 0), open(buffer).add(other, 0)]).toEqual([5, 1]);
  });

  it('takes the lock from a thread that was ended while it wrote', () => {
    const buffer = createSharedStateBuffer();
    open(buffer).set('a', 'before');
    Atomics.store(viewsOf(buffer).head, headCells.lock, 4711);
    open(buffer).set('a', 'after');
    expect(open(buffer).get('a')).toBe('after');
  });

  it('loses no addition and tears no value with threads that write at once', async () => {
    const buffer = createSharedStateBuffer();
    const threads = Array.from({ length: 3 }, (_, number) => {
      const url = new URL('./__tests__/hammer.ts', import.meta.url);
      return new Worker(url, { workerData: { buffer, number, rounds: 3000 } });
    });
    const torn = await Promise.all(threads.map(async (thread) => ((await once(thread, 'message')) as [number])[0]));
    expect(torn).toEqual([0, 0, 0]);
    const state = open(buffer);
    expect(state.add('all', 0)).toBe(9000);
    expect([0, 1, 2].map((number) => state.add(`own ${number}`, 0))).toEqual([3000, 3000, 3000]);
    expect([...Array(50).keys()].reduce((sum, index) => sum + state.add(`spread ${index}`, 0), 0)).toBe(9000);
  });
});
