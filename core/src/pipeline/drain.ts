import type { DrainOutcome, Usage } from '@bifrost/sdk';
import type { Relay } from './relay.ts';
import type { UsageTail } from './usage-tail.ts';

/** How far an answer is read on whose client has gone. */
export interface DrainLimits {
  readonly maxMs: number;
  readonly maxBytes: number;
}

/** How the reading ended, and what it brought. */
export interface Drained {
  readonly usage: Usage | undefined;
  readonly outcome: DrainOutcome;
  readonly bytes: number;
  readonly tookMs: number;
}

interface DrainOptions {
  readonly limits: DrainLimits;
  /** `performance.now()` when the client went. */
  readonly startedAt: number;
  /** The provider says no more than this is left of its time. */
  expectEnd(graceMs: number): void;
  /** Called once. */
  done(drained: Drained): void;
}

/**
 * Reads an answer on whose client has gone, because its provider bills it to the end anyway: for the usage alone. Bounded in time and
 * bytes here, in silence by the attempt's clock.
 */
export class Drain implements Relay {
  readonly #options: DrainOptions;
  /** Undefined until the head of the answer says what it is. */
  #tail: UsageTail | undefined;
  #bytes = 0;
  #isOver = false;

  constructor(tail: UsageTail | undefined, options: DrainOptions) {
    this.#tail = tail;
    this.#options = options;
  }

  /** `performance.now()` at which it has had its time. */
  get endsAt(): number {
    return this.#options.startedAt + this.#options.limits.maxMs;
  }

  /** The head has come. */
  begin(tail: UsageTail): void {
    this.#tail = tail;
  }

  push(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#bytes += chunk.length;
    const graceMs = this.#tail?.push(chunk);
    if (this.#bytes > this.#options.limits.maxBytes) this.stop('size');
    else if (graceMs !== undefined) this.#options.expectEnd(graceMs);
  }

  end(): void {
    this.stop('complete');
  }

  endEarly(): void {
    this.stop('complete');
  }

  fail(): void {
    this.stop('failed');
  }

  stop(outcome: DrainOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const tookMs = performance.now() - this.#options.startedAt;
    this.#options.done({ usage: this.#tail?.read(), outcome, bytes: this.#bytes, tookMs });
  }
}
