/**
 * Parts that the provider says in pieces and the decoder shows as a whole at their end (a tool that the provider runs). Hooks that hold
 * text back would else see such a part when its pieces have left: here the pieces wait until it has passed the hooks. Where a hook changed
 * it, they go with what they said.
 */
import type { WholeFrame } from '@bifrost/sdk';
import type { StreamTrack } from './stream-track.ts';

interface HeldWhole {
  readonly pieces: StreamTrack[];
  weight: number;
  /** The frame that shows the part; undefined while it has not come. */
  end: StreamTrack | undefined;
}

export class HeldWholes {
  /** Characters of the pieces that wait. */
  weight = 0;
  readonly #open = new Map<string, HeldWhole>();
  #ended: HeldWhole[] = [];
  /** Pieces no longer wait. */
  #isOff = false;

  /** Takes the frame of `track` in; `weight` is what it counts for in the bound. */
  add({ key, isEnd }: WholeFrame, track: StreamTrack, weight: number): void {
    let whole = this.#open.get(key);
    if (isEnd) {
      this.#open.delete(key);
      if (whole === undefined) return;
      whole.end = track;
      this.#ended.push(whole);
      return;
    }
    if (this.#isOff) return;
    if (whole === undefined) this.#open.set(key, (whole = { pieces: [], weight: 0, end: undefined }));
    track.pending += 1;
    whole.pieces.push(track);
    whole.weight += weight;
    this.weight += weight;
  }

  /** Lets go of the pieces whose part has passed all hooks. */
  settle(): void {
    if (this.#ended.length === 0) return;
    this.#ended = this.#ended.filter((whole) => {
      const { end } = whole;
      if (end === undefined || end.pending > 0) return true;
      this.#letGo(whole, end.isChanged);
      return false;
    });
  }

  /** Nothing more comes, or nothing more may wait: what is still open goes as it came, or not at all. */
  close({ isDropped }: { readonly isDropped: boolean }): void {
    this.#isOff = true;
    for (const whole of this.#open.values()) this.#letGo(whole, isDropped);
    this.#open.clear();
    this.settle();
  }

  #letGo({ pieces, weight }: HeldWhole, isChanged: boolean): void {
    this.weight -= weight;
    for (const track of pieces) {
      track.pending -= 1;
      track.isChanged ||= isChanged;
    }
  }
}
