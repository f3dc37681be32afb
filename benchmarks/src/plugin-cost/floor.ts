/** The least that the mechanism of a cell takes on this machine, beside which what the gateway adds is seen. */
import type { MeasuredHook } from './measured-hooks.ts';

export interface Floor {
  /** The bare call that carries the same values there and back; a promise where the mechanism needs one. */
  call(hook: MeasuredHook): unknown;
  close(): void;
}

/** What has to be told apart by its first answer: a queue, as answers come in the order of the questions. */
export class Answers {
  readonly #waiting: ((value: unknown) => void)[] = [];

  ask(send: () => void): Promise<unknown> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      send();
    });
  }

  answer(value: unknown): void {
    this.#waiting.shift()?.(value);
  }
}
