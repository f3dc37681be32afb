/** Tells when a realm's loop has not turned for too long: it is asked for a sign of life, one at a time. */

export interface LoopWatchOptions {
  ping(number: number): void;
  /** How long the loop may be blocked now, in milliseconds. */
  limitMs(): number;
  onBlocked(blockedMs: number): void;
  /** @default 100 */
  readonly intervalMs?: number;
}

export class LoopWatch {
  readonly #options: LoopWatchOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #intervalMs: number;
  #lastTick = performance.now();
  #asked = 0;
  #askedAt: number | undefined;

  constructor(options: LoopWatchOptions) {
    this.#options = options;
    this.#intervalMs = options.intervalMs ?? 100;
    this.#timer = setInterval(this.#tick, this.#intervalMs);
    this.#timer.unref();
  }

  /** The realm has answered. */
  pong(number: number): void {
    if (number === this.#asked) this.#askedAt = undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  readonly #tick = (): void => {
    const now = performance.now();
    // If this thread was blocked itself, answers may be waiting unread: that time does not count.
    const own = now - this.#lastTick - this.#intervalMs;
    this.#lastTick = now;
    if (this.#askedAt === undefined) {
      this.#asked += 1;
      this.#askedAt = now;
      this.#options.ping(this.#asked);
      return;
    }
    if (own > this.#intervalMs) this.#askedAt += own;
    const blockedMs = now - this.#askedAt;
    if (blockedMs > this.#options.limitMs()) this.#options.onBlocked(blockedMs);
  };
}
