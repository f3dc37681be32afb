/** Events on their way past the stream hooks, with the frames that they came in. */
import type { StreamEvent } from '@bifrost/sdk';
import { deltaText, isDelta, partKey } from './stream-text.ts';
import type { StreamTrack } from './stream-track.ts';
import type { PartWindow } from './stream-window.ts';

/** An event with the frame that it came in; what a hook made stands in the frame of what it stands for. */
export interface StreamItem {
  readonly event: StreamEvent;
  readonly track: StreamTrack;
}

/** An item that waits in its stage. */
export interface HeldItem extends StreamItem {
  /** Made by the hook: it may be cut. */
  readonly isMade: boolean;
  /** The part's window, for a delta that is held back with it. */
  readonly window: PartWindow | undefined;
}

/** What an event without text of its own is taken to weigh. */
const eventWeight = 128;

/** What a hook made, up to an error: nothing follows that. */
export function madeItems(
  events: readonly StreamEvent[],
  track: StreamTrack,
  window: PartWindow | undefined,
): HeldItem[] {
  const end = events.findIndex((event) => event.type === 'error');
  return events.slice(0, end === -1 ? events.length : end).map((event) => ({
    event,
    track,
    isMade: true,
    window: window !== undefined && isDelta(event) && partKey(event) === window.key ? window : undefined,
  }));
}

/** Puts a piece of `whole` into the queue. */
export function addPiece(queue: HeldItem[], whole: HeldItem, piece: HeldItem): void {
  whole.track.pending += 1;
  queue.push(piece);
}

/** Keeps the counts of the frames right when `made` takes the place of `gone`. */
export function noteReplaced(gone: readonly StreamItem[], made: readonly StreamItem[]): void {
  for (const { track } of gone) {
    track.isChanged = true;
    track.pending -= 1;
  }
  for (const { track } of made) {
    track.isChanged = true;
    track.pending += 1;
  }
}

/** What an event counts for in the bound of what is held. */
export function weightOf(event: StreamEvent): number {
  if (isDelta(event)) return deltaText(event).length;
  return event.type === 'media-delta' ? eventWeight + event.data.length : eventWeight;
}
