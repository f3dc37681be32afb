import { FrameError } from './frame-codec.ts';

/** Before anything was answered, and at most. */
const [firstExcused, maxExcused] = [100, 100_000];

/**
 * Answers and events that belong to nothing. They may have been under way when their call or stream was given up, and a program may be so
 * careless as to answer twice; who sends such things without end only wants to keep the thread busy.
 */
export class Strays {
  #excused = firstExcused;

  /** Throws FrameError where more come than are allowed. */
  excuse(what: string): void {
    if (this.#excused === 0) throw new FrameError(`${what}, over and over`);
    this.#excused -= 1;
  }

  /** So many more may come: for each call that was answered or given up, and for each event that was asked for. */
  allow(strays: number): void {
    this.#excused = Math.min(maxExcused, this.#excused + strays);
  }
}
