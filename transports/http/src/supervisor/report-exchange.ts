import type { PluginReport, ThreadAnswer } from '@bifrost/framework/plugins';
import type { ServingWorker } from './serving-worker.ts';

const waitMs = 1000;

interface Collection {
  readonly missing: Set<ServingWorker>;
  readonly answers: ThreadAnswer[];
  readonly finish: () => void;
}

/** Asks threads for what they know of their plugins, with a bounded wait: one that stands still is left out. */
export class ReportExchange {
  readonly #collections = new Map<number, Collection>();
  #nextId = 1;

  collect(workers: readonly ServingWorker[], hasTotals: boolean): Promise<readonly ThreadAnswer[]> {
    if (workers.length === 0) return Promise.resolve([]);
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const answers: ThreadAnswer[] = [];
      const finish = (): void => {
        clearTimeout(timer);
        if (this.#collections.delete(id)) resolve(answers);
      };
      const timer = setTimeout(finish, waitMs);
      this.#collections.set(id, { missing: new Set(workers), answers, finish });
      for (const worker of workers) worker.post({ type: 'report', id, hasTotals });
    });
  }

  receive(worker: ServingWorker, id: number, report: PluginReport): void {
    const collection = this.#collections.get(id);
    if (collection?.missing.delete(worker) !== true) return;
    collection.answers.push({ thread: worker.threadNumber, report });
    if (collection.missing.size === 0) collection.finish();
  }

  left(worker: ServingWorker): void {
    for (const { missing, finish } of this.#collections.values()) {
      if (missing.delete(worker) && missing.size === 0) finish();
    }
  }
}
