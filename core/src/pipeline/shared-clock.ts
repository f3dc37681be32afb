/** Whoever has deadlines. */
export interface Watched {
  /** Looks at its deadlines; returns when to be called again, in the time of `performance.now()`. */
  lookAtClocks(now: number): number;
  /** When to be called next, and the neighbours in the clock's list: kept by the clock. */
  nextLookAt: number;
  watchedBefore: Watched | null;
  watchedAfter: Watched | null;
}

/** Deadlines further away than this may be looked at late, by up to the coarse step: one look then serves many. */
const coarseFromMs = 1000;
const coarseStepMs = 100;

/**
 * One timer for the deadlines of all attempts of an engine. Attempts are many and nearly always over long before their first
 * deadline: taking part costs two links, where a timer of one's own costs 2 µs to make and to clear.
 *
 * The list is linked through its members and not a `Set`: a table that a `Set` has outgrown still points at its members and at the
 * next table, so that one such table in the old generation kept every request alive after it (docs/decisions/0005).
 */
export class SharedClock {
  #first: Watched | null = null;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;

  /** From now on `one` is called at `lookAt`, and then whenever it asks to be. */
  watch(one: Watched, lookAt: number, now: number): void {
    one.nextLookAt = coarsen(lookAt, now);
    one.watchedAfter = this.#first;
    if (this.#first !== null) this.#first.watchedBefore = one;
    this.#first = one;
    if (one.nextLookAt < this.#dueAt) this.#arm(one.nextLookAt, now);
  }

  /** `one` is called at `lookAt` already. */
  hasten(one: Watched, lookAt: number, now: number): void {
    if (lookAt >= one.nextLookAt) return;
    one.nextLookAt = coarsen(lookAt, now);
    if (one.nextLookAt < this.#dueAt) this.#arm(one.nextLookAt, now);
  }

  /** `one` is over. The timer stays: it finds nothing to do, or serves the next. */
  forget(one: Watched): void {
    const { watchedBefore, watchedAfter } = one;
    if (watchedBefore !== null) watchedBefore.watchedAfter = watchedAfter;
    else if (this.#first === one) this.#first = watchedAfter;
    if (watchedAfter !== null) watchedAfter.watchedBefore = watchedBefore;
    one.watchedBefore = null;
    one.watchedAfter = null;
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
    // A look may end its own attempt, and with it any other: those that are due are noted before the first look.
    for (const one of this.#due(now)) one.nextLookAt = coarsen(one.lookAtClocks(now), now);
    let nearest = Number.POSITIVE_INFINITY;
    for (let one = this.#first; one !== null; one = one.watchedAfter) {
      if (one.nextLookAt < nearest) nearest = one.nextLookAt;
    }
    if (nearest < this.#dueAt) this.#arm(nearest, now);
  };

  #due(now: number): readonly Watched[] {
    const due: Watched[] = [];
    for (let one = this.#first; one !== null; one = one.watchedAfter) if (one.nextLookAt <= now) due.push(one);
    return due;
  }
}

function coarsen(lookAt: number, now: number): number {
  return lookAt - now < coarseFromMs ? lookAt : Math.ceil(lookAt / coarseStepMs) * coarseStepMs;
}
