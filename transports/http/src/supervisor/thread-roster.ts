import type { ServingWorker } from './serving-worker.ts';

/** The serving threads that there are, and which of them takes whose place. Spare threads are not in it. */
export class ThreadRoster {
  readonly #threads = new Set<ServingWorker>();
  readonly #replacements = new Map<ServingWorker, ServingWorker>();
  /** Threads whose place is taken though they are well. */
  readonly #recycled = new Set<ServingWorker>();

  get all(): readonly ServingWorker[] {
    return [...this.#threads];
  }

  get serving(): readonly ServingWorker[] {
    return this.all.filter(({ state }) => state === 'serving');
  }

  /** The threads that take part in changes. */
  get taking(): readonly ServingWorker[] {
    const isBlocked = (thread: ServingWorker): boolean => this.#replacements.has(thread) && !this.#recycled.has(thread);
    return this.all.filter(
      (thread) =>
        thread.state === 'lingering' ||
        thread.state === 'starting' ||
        (thread.state === 'serving' && !isBlocked(thread)),
    );
  }

  /** How many end what they have under way. */
  get leavingCount(): number {
    return this.all.filter(({ state }) => state === 'leaving' || state === 'lingering').length;
  }

  /** Places that are filled, also by threads that are still starting. */
  get filledPlaces(): number {
    return this.#threads.size - this.#replacements.size;
  }

  add(thread: ServingWorker): void {
    this.#threads.add(thread);
  }

  /** `by` takes the place of `old`; `isWell`: which goes on for as long as it has something to do. */
  replace(old: ServingWorker, by: ServingWorker, isWell: boolean): void {
    this.#replacements.set(old, by);
    if (isWell) this.#recycled.add(old);
    else this.#recycled.delete(old);
  }

  isReplaced(thread: ServingWorker): boolean {
    return this.#replacements.has(thread);
  }

  replacementOf(thread: ServingWorker): ServingWorker | undefined {
    return this.#replacements.get(thread);
  }

  /** True where its place was taken though it is well. */
  isRecycled(thread: ServingWorker): boolean {
    return this.#recycled.has(thread);
  }

  /** Those whose places `by` takes. */
  replacedBy(by: ServingWorker): readonly ServingWorker[] {
    return [...this.#replacements].filter(([, replacement]) => replacement === by).map(([old]) => old);
  }

  delete(thread: ServingWorker): void {
    this.#threads.delete(thread);
    this.#recycled.delete(thread);
    this.#replacements.delete(thread);
    // A replacement that did not come up: the watch sees that its place is still to be taken.
    for (const old of this.replacedBy(thread)) this.#replacements.delete(old);
  }
}
