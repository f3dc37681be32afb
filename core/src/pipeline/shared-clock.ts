/** Whoever has deadlines. */
export interface Watched {
  /** Looks at its deadlines; returns when to be called again, in the time of `performance.now()`. */
  lookAtClocks(now: number): number;
  /** When to be called next; kept here by the clock. */
  nextLookAt: number;
}

/** Deadlines further away than this may be looked at late, by up to the coarse step: one look then serves many. */
const coarseFromMs = 1000;
const coarseStepMs = 100;

/**
 * One timer for the deadlines of all attempts of an engine. Attempts are many and nearly always over long before their first
 * deadline: taking part costs an entry in a set, where a timer of one's own costs 2 µs to make and to clear.
 */
export class SharedClock {
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;

  /** From now on `one` is called at `lookAt`, and then whenever it asks to be. */
  watch(one: Watched, lookAt: number, now: number): void {
    one.nextLookAt = coarsen(lookAt, now);
    this.#watched.add(one);
    if (one.nextLookAt < this.#dueAt) this.#arm(one.nextLookAt, now);
  }

  /** `one` is over. The timer stays: it finds nothing to do, or serves the next. */
  forget(one: Watched): void {
    this.#watched.delete(one);
  }

  #arm(dueAt: number, now: number): void {
    clearTimeout(this.#timer);
    this.#dueAt = dueAt;
    this.#timer = setTimeout(this.#onTimer, Math.max(1, Math.ceil(dueAt - now)));
    // Sockets keep a program alive while an attempt waits; the clock alone must not.
    this.#timer.unref();
  }

  readonly #onTimer = (): void => {
    const now = performance.now();
    this.#dueAt = Number.POSITIVE_INFINITY;
    let nearest = Number.POSITIVE_INFINITY;
    for (const one of this.#watched) {
      if (one.nextLookAt <= now) one.nextLookAt = coarsen(one.lookAtClocks(now), now);
      if (this.#watched.has(one) && one.nextLookAt < nearest) nearest = one.nextLookAt;
    }
    if (nearest < this.#dueAt) this.#arm(nearest, now);
  };
}

function coarsen(lookAt: number, now: number): number {
  return lookAt - now < coarseFromMs ? lookAt : Math.ceil(lookAt / coarseStepMs) * coarseStepMs;
}
