import type { RequestRun } from './run.ts';

/** While a hook takes its time, no more than this waits for it before the source is paused. */
const maxWaiting = 32;

/** Pauses the source of a stream while too much waits for a hook. */
export class SourceHold {
  readonly #writer: RequestRun['writer'];
  #isHeld = false;

  constructor(writer: RequestRun['writer']) {
    this.#writer = writer;
  }

  /** Pauses it where too much waits. */
  look(waiting: number): void {
    if (this.#isHeld || waiting < maxWaiting) return;
    this.#isHeld = true;
    this.#writer.hold();
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#writer.release();
  }
}
