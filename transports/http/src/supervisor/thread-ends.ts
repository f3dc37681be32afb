import type { Logger } from '../logging/logger.ts';
import type { ServingWorker } from './serving-worker.ts';

/** How long a thread may take to end: while its place is empty, and when the whole process ends and there is nobody to serve. */
const endWithinMs = { serving: 1000, closing: 5000 } as const;

/** Ends threads, and knows those that do not end: they are left to themselves. */
export class ThreadEnds {
  readonly #logger: Logger;
  readonly #onAbandoned: (thread: ServingWorker) => void;
  readonly #abandoned = new Set<ServingWorker>();
  #isClosing = false;

  /** `onAbandoned`: the thread is there, but takes part in nothing any more. */
  constructor(logger: Logger, onAbandoned: (thread: ServingWorker) => void) {
    this.#logger = logger;
    this.#onAbandoned = onAbandoned;
  }

  /** With one, only a kill ends the process. */
  get abandonedCount(): number {
    return this.#abandoned.size;
  }

  /** From now on nobody waits for a place. */
  close(): void {
    this.#isClosing = true;
  }

  async end(thread: ServingWorker): Promise<void> {
    const hasEnded = await thread.terminate(this.#isClosing ? endWithinMs.closing : endWithinMs.serving);
    if (hasEnded || this.#abandoned.has(thread)) return;
    this.#abandoned.add(thread);
    this.#logger.error(`serving thread ${thread.threadNumber} does not end; it is left to itself`);
    this.#onAbandoned(thread);
  }

  /** True where a thread that has ended had been given up: nobody knows it any more. */
  left(thread: ServingWorker): boolean {
    return this.#abandoned.delete(thread);
  }
}
