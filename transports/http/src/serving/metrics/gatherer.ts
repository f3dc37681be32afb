import type { MetricPart } from './metric-part.ts';

/** A scrape does not wait longer for the other threads. */
const waitMs = 1000;

/** Asks for the figures of the other threads, through the supervisor, with a bounded wait. */
export class MetricsGatherer {
  readonly #ask: (id: number) => void;
  readonly #waiting = new Map<number, (parts: readonly MetricPart[]) => void>();
  #nextId = 1;

  constructor(ask: (id: number) => void) {
    this.#ask = ask;
  }

  gather(): Promise<readonly MetricPart[]> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.deliver(id, []), waitMs);
      this.#waiting.set(id, (parts) => {
        clearTimeout(timer);
        resolve(parts);
      });
      this.#ask(id);
    });
  }

  deliver(id: number, parts: readonly MetricPart[]): void {
    const resolve = this.#waiting.get(id);
    this.#waiting.delete(id);
    resolve?.(parts);
  }
}
