import type { MetricPart } from './metric-part.ts';

/** A scrape does not wait longer for the other threads. */
const waitMs = 1000;

export interface Gathered {
  readonly parts: readonly MetricPart[];
  /** With the one that asks. */
  readonly threads: number;
}

/** Asks for the figures of the other threads, through the supervisor, with a bounded wait. */
export class MetricsGatherer {
  readonly #ask: (id: number) => void;
  readonly #waiting = new Map<number, (gathered: Gathered) => void>();
  #nextId = 1;

  constructor(ask: (id: number) => void) {
    this.#ask = ask;
  }

  gather(): Promise<Gathered> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.deliver(id, { parts: [], threads: 1 }), waitMs);
      this.#waiting.set(id, (gathered) => {
        clearTimeout(timer);
        resolve(gathered);
      });
      this.#ask(id);
    });
  }

  deliver(id: number, gathered: Gathered): void {
    const resolve = this.#waiting.get(id);
    this.#waiting.delete(id);
    resolve?.(gathered);
  }
}
