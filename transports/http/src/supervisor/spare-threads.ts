import type { Logger } from '../logging/logger.ts';
import type { ServingWorker } from './serving-worker.ts';

export interface SpareThreadsOptions {
  /** Starts a thread that takes part in nothing yet. */
  readonly start: () => ServingWorker;
  readonly end: (thread: ServingWorker) => Promise<void>;
  readonly logger: Logger;
}

/** How long a thread waits for a place: suspicions come in swarms, on a machine that is short of time. */
const keepMs = 30_000;

/**
 * Threads that have loaded what all load, and wait. One is started when a thread is late with its heartbeat: should it turn out to stand
 * still, another one is there without the time that a start takes, which is longest while something burns the processor. They have no
 * plugins until they get a place, so a false alarm is nothing that plugins or clients could notice.
 */
export class SpareThreads {
  readonly #options: SpareThreadsOptions;
  readonly #waiting = new Set<ServingWorker>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SpareThreadsOptions) {
    this.#options = options;
  }

  /** Has so many at hand, from now on for a while. */
  want(count: number): void {
    while (this.#waiting.size < count) {
      const thread = this.#options.start();
      thread.state = 'spare';
      thread.post({ type: 'warm' });
      this.#waiting.add(thread);
      this.#options.logger.debug(`serving thread ${thread.threadNumber} stands by: another one is late`);
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.close(), keepMs).unref();
  }

  /** The one that waits longest, which is a starting thread from now on; undefined where there is none. */
  take(): ServingWorker | undefined {
    const [thread] = this.#waiting;
    if (thread === undefined) return undefined;
    this.#waiting.delete(thread);
    thread.beginStart();
    return thread;
  }

  /** True where a thread that has ended was one of them. */
  left(thread: ServingWorker): boolean {
    return this.#waiting.delete(thread);
  }

  /** Ends those that wait. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const threads = [...this.#waiting];
    await Promise.all(threads.map((thread) => this.#options.end(thread)));
  }
}
