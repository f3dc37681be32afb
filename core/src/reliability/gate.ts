import { GatewayError } from '@bifrost/sdk';

/** A request that waits for its turn. */
interface Waiter {
  readonly resolve: () => void;
}

/**
 * One provider's concurrency limit with a first-in first-out queue. A request holds its place over its retries; a stream gives
 * it back once its answer has begun. Beyond the queue's size requests are refused where `dropExcess` says so, else they wait too.
 */
export class ProviderGate {
  #limit: number;
  #queueSize: number;
  #active = 0;
  readonly #waiting = new Set<Waiter>();

  constructor(limit: number, queueSize: number) {
    this.#limit = limit;
    this.#queueSize = queueSize;
  }

  get active(): number {
    return this.#active;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes a new configuration over; requests that the wider limit admits start at once. */
  resize(limit: number, queueSize: number): void {
    this.#limit = limit;
    this.#queueSize = queueSize;
    while (this.#active < this.#limit && this.#admitNext());
  }

  /** Takes a place if one is free: true. */
  tryEnter(): boolean {
    if (this.#active >= this.#limit || this.#waiting.size > 0) return false;
    this.#active += 1;
    return true;
  }

  /**
   * Waits for a place. `onCancelable` receives a function that leaves the queue (the promise then stays pending for ever and is
   * collected). Throws 429 `BF_QUEUE_FULL` when the queue is full and excess is dropped.
   */
  enter(dropExcess: boolean, onCancelable: (leave: () => void) => void): Promise<void> {
    if (dropExcess && this.#waiting.size >= this.#queueSize) {
      throw new GatewayError('request dropped: queue is full', {
        code: 'BF_QUEUE_FULL',
        statusCode: 429,
        type: 'rate_limit_error',
        isRetryable: true,
      });
    }
    return new Promise((resolve) => {
      const waiter: Waiter = { resolve };
      this.#waiting.add(waiter);
      onCancelable(() => this.#waiting.delete(waiter));
    });
  }

  /** Gives a place back: to the one who waits longest, if any. */
  leave(): void {
    this.#active -= 1;
    if (this.#active < this.#limit) this.#admitNext();
  }

  #admitNext(): boolean {
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter);
      this.#active += 1;
      waiter.resolve();
      return true;
    }
    return false;
  }
}

/** A place taken at a gate; given back once, however often `release` is called. */
export class Place {
  #gate: ProviderGate | undefined;

  constructor(gate: ProviderGate) {
    this.#gate = gate;
  }

  release(): void {
    const gate = this.#gate;
    this.#gate = undefined;
    gate?.leave();
  }
}
