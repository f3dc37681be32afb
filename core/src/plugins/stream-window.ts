/** What a stage holds of one part's text, and how much of it is to be shown to the hook. */
import type { ChunkMode } from '@bifrost/sdk';
import { lastSentenceEnd } from './stream-text.ts';
import type { DeltaEvent } from './stream-text.ts';

/** A sentence end that was cut off is found again from this far back: punctuation, quotes, spaces. */
const searchBack = 16;

export class PartWindow {
  readonly key: string;
  /** The part's first held delta: what merged deltas are made like. */
  readonly model: DeltaEvent;
  /** The text of all held deltas of the part, in order. */
  text = '';
  /** How much of `text`, from its begin, the hook has seen. */
  shown = 0;
  /** Nothing more of the part follows. */
  isEnded = false;
  /** `performance.now()` when the first text came that the hook has not seen. */
  waitingSince = 0;
  #searched = 0;

  constructor(key: string, model: DeltaEvent) {
    this.key = key;
    this.model = model;
  }

  get isWaiting(): boolean {
    return this.shown < this.text.length;
  }

  add(text: string, now: number): void {
    if (!this.isWaiting) this.waitingSince = now;
    this.text += text;
  }

  /** Up to which offset the hook is to be shown the text now; undefined where it has to wait for more. */
  due(mode: ChunkMode, now: number): number | undefined {
    if (!this.isWaiting) return undefined;
    const isCall = this.model.type === 'tool-call-delta';
    if (typeof mode === 'object') return this.#isTimeOrSize(mode, now) ? this.text.length : undefined;
    if (mode === 'each' || (mode === 'tool-call' && !isCall)) return this.text.length;
    if (mode !== 'sentence' || isCall) return undefined;
    const end = lastSentenceEnd(this.text, Math.max(this.shown, this.#searched - searchBack));
    this.#searched = this.text.length;
    return end;
  }

  /** The first `count` code units have left. */
  drop(count: number): void {
    this.text = this.text.slice(count);
    this.shown -= count;
    this.#searched = Math.max(0, this.#searched - count);
  }

  /** Another text stands in the place of `from` to `upTo`, and counts as shown. */
  replace(from: number, upTo: number, text: string): void {
    this.text = this.text.slice(0, from) + text + this.text.slice(upTo);
    this.shown = from + text.length;
    this.#searched = this.shown;
  }

  #isTimeOrSize({ afterMs, afterBytes }: Exclude<ChunkMode, string>, now: number): boolean {
    if (afterBytes !== undefined && this.text.length - this.shown >= afterBytes) return true;
    if (afterMs !== undefined && now - this.waitingSince >= afterMs) return true;
    return afterMs === undefined && afterBytes === undefined;
  }
}
