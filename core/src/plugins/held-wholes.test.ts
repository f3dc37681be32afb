import { describe, expect, it } from 'vitest';
import { HeldWholes } from './held-wholes.ts';
import { createTrack } from './stream-track.ts';

describe('pieces of a part that is whole at its end', () => {
  it('count for the bound as long as they wait, each part for itself', () => {
    const wholes = new HeldWholes();
    const end = createTrack();
    wholes.add({ key: 'a', isEnd: false }, createTrack(), 10);
    wholes.add({ key: 'b', isEnd: false }, createTrack(), 7);
    wholes.add({ key: 'a', isEnd: true }, end, 5);
    wholes.settle();
    expect(wholes.weight).toBe(7);
  });

  it('leave when their part has, also where pieces have ceased to wait meanwhile', () => {
    const wholes = new HeldWholes();
    const [piece, end, late] = [createTrack(), createTrack(), createTrack()];
    end.pending = 1;
    wholes.add({ key: 'a', isEnd: false }, piece, 10);
    wholes.add({ key: 'a', isEnd: true }, end, 5);
    wholes.close({ isDropped: false });
    wholes.add({ key: 'b', isEnd: false }, late, 10);
    expect([piece.pending, late.pending]).toEqual([1, 0]);
    end.pending = 0;
    end.isChanged = true;
    wholes.settle();
    expect([piece.pending, piece.isChanged, wholes.weight]).toEqual([0, true, 0]);
  });
});
