import { describe, expect, it } from 'vitest';
import type { ServingWorker, WorkerState } from './serving-worker.ts';
import { ThreadRoster } from './thread-roster.ts';

/** The roster looks at nothing of a thread but its state. */
const thread = (state: WorkerState): ServingWorker => ({ state }) as ServingWorker;

function rosterOf(...threads: readonly ServingWorker[]): ThreadRoster {
  const roster = new ThreadRoster();
  for (const one of threads) roster.add(one);
  return roster;
}

describe('the roster', () => {
  it('counts a place once, while somebody takes it', () => {
    const [old, next] = [thread('serving'), thread('starting')];
    const roster = rosterOf(old, next);
    roster.replace(old, next, false);
    expect(roster.filledPlaces).toBe(1);
    roster.delete(old);
    expect(roster.filledPlaces).toBe(1);
  });

  it('has blocked threads take no part in changes, but recycled ones, which are well', () => {
    const [blocked, recycled, next] = [thread('serving'), thread('serving'), thread('starting')];
    const roster = rosterOf(blocked, recycled, next);
    roster.replace(blocked, next, false);
    roster.replace(recycled, next, true);
    expect(roster.taking).toEqual([recycled, next]);
    // Its own code blocks it before its successor is there.
    roster.replace(recycled, next, false);
    expect(roster.taking).toEqual([next]);
  });

  it('has a place free again whose replacement did not come up', () => {
    const [old, next] = [thread('serving'), thread('starting')];
    const roster = rosterOf(old, next);
    roster.replace(old, next, false);
    roster.delete(next);
    expect(roster.isReplaced(old)).toBe(false);
    expect(roster.filledPlaces).toBe(1);
  });

  it('knows who leaves', () => {
    expect(rosterOf(thread('leaving'), thread('lingering'), thread('serving')).leavingCount).toBe(2);
  });
});
