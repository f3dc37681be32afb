import { addParts } from '../serving/metrics/add-parts.ts';
import type { MetricPart } from '../serving/metrics/metric-part.ts';
import type { ServingWorker } from './serving-worker.ts';

const waitMs = 500;

interface Gathering {
  readonly parts: MetricPart[];
  missing: Set<ServingWorker>;
  finish(): void;
}

/**
 * Brings the figures of all threads to the one that was scraped, with a bounded wait. Counters of threads that have ended or do
 * not answer stay in the sum as they were last seen: a counter of the process never falls.
 */
export class MetricsExchange {
  readonly #lastParts = new Map<ServingWorker, MetricPart>();
  /** The counters of all threads that have ended, added up. */
  #retired: MetricPart = [];
  readonly #gatherings = new Map<number, Gathering>();
  #nextId = 1;

  /** Asks all `others` for their figures and posts them to `asker`. */
  gather(asker: ServingWorker, askerId: number, others: readonly ServingWorker[]): void {
    const id = this.#nextId++;
    const gathering: Gathering = {
      parts: [],
      missing: new Set(others),
      finish: () => {
        clearTimeout(timer);
        if (!this.#gatherings.delete(id)) return;
        const stale = [...gathering.missing].flatMap((worker) => this.#lastParts.get(worker) ?? []);
        const parts = [...gathering.parts, ...(stale.length === 0 ? [] : [stale]), this.#retired];
        asker.post({ type: 'collected', id: askerId, parts, threads: others.length + 1 });
      },
    };
    const timer = setTimeout(() => gathering.finish(), waitMs);
    this.#gatherings.set(id, gathering);
    for (const worker of others) worker.post({ type: 'collect', id });
    if (others.length === 0) gathering.finish();
  }

  receive(worker: ServingWorker, id: number, part: MetricPart): void {
    this.#lastParts.set(worker, part);
    const gathering = this.#gatherings.get(id);
    if (gathering === undefined || !gathering.missing.delete(worker)) return;
    gathering.parts.push(part);
    if (gathering.missing.size === 0) gathering.finish();
  }

  /** Remembers the counters of threads as they are now, for the case that they end without a last word. */
  refresh(workers: readonly ServingWorker[]): void {
    for (const worker of workers) worker.post({ type: 'collect', id: 0 });
  }

  retire(worker: ServingWorker): void {
    const part = this.#lastParts.get(worker);
    this.#lastParts.delete(worker);
    for (const gathering of this.#gatherings.values()) {
      if (gathering.missing.delete(worker) && gathering.missing.size === 0) gathering.finish();
    }
    if (part === undefined) return;
    const counters = part.filter(({ type }) => String(type) !== 'gauge');
    this.#retired = addParts(this.#retired, counters);
  }
}
