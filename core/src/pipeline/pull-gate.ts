import type { PausableSource } from './client-writer.ts';
import type { Cancelable } from './run.ts';

/** Holds a generator back while the client reads too slowly. */
export class PullGate implements PausableSource, Cancelable {
  #waiting: (() => void) | undefined;
  isPaused = false;

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.#waiting?.();
    this.#waiting = undefined;
  }

  cancel(): void {
    this.resume();
  }

  resumed(): Promise<void> {
    return new Promise((resolve) => (this.#waiting = resolve));
  }
}
