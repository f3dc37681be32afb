import { FrameError } from './frame-codec.ts';

/** Strays that are excused before anything was answered, and at most. */
const [firstExcused, maxExcused] = [100, 100_000];

/**
 * Messages that belong to nothing. Each may have been under way when its call or stream was given up, and a program may be so careless as
 * to answer twice; who sends such things without end only wants to keep this thread busy.
 */
export class Strays {
  #excused = firstExcused;

  /** One came. Throws FrameError where it is one too many. */
  excuse(what: string): void {
    if (this.#excused === 0) throw new FrameError(`${what}, over and over`);
    this.#excused -= 1;
  }

  /** So many more may come. */
  allow(strays: number): void {
    this.#excused = Math.min(maxExcused, this.#excused + strays);
  }
}
