import { performance } from 'node:perf_hooks';
import type { Logger } from '../logging/logger.ts';
import type { ServingWorker } from './serving-worker.ts';
import { pluginOnStack } from './stack-look.ts';

export interface ThreadLooksOptions {
  readonly logger: Logger;
  /** Whether code of plugins runs in the threads. */
  readonly mayLook: () => boolean;
  /** Names the plugin of a load, and shuts it out. */
  readonly blame: (thread: ServingWorker, what: string, load: number) => string | undefined;
  /** Its code was on the stack at both looks, and the thread still stands. */
  readonly onCulprit: (thread: ServingWorker, silenceMs: number, plugin: string) => void;
}

/** A thread in which nothing was found is not stopped again at once. */
const againAfterMs = 2000;

/**
 * Looks at the stacks of threads that stand still where no hook's mark says why: code of a plugin may stand still after an `await` or in
 * a timer.
 */
export class ThreadLooks {
  readonly #options: ThreadLooksOptions;
  readonly #underWay = new WeakMap<ServingWorker, Promise<void>>();
  readonly #endedAt = new WeakMap<ServingWorker, number>();

  constructor(options: ThreadLooksOptions) {
    this.#options = options;
  }

  /** Looks, unless that is under way or was done a moment ago. */
  begin(thread: ServingWorker): void {
    if (this.#underWay.has(thread) || !this.#options.mayLook()) return;
    if (performance.now() - (this.#endedAt.get(thread) ?? Number.NEGATIVE_INFINITY) < againAfterMs) return;
    const looking = this.#look(thread).finally(() => {
      this.#underWay.delete(thread);
      this.#endedAt.set(thread, performance.now());
    });
    this.#underWay.set(thread, looking);
  }

  /** Resolves when nobody looks at the thread: it is not ended before. */
  settled(thread: ServingWorker): Promise<void> {
    return this.#underWay.get(thread) ?? Promise.resolve();
  }

  async #look(thread: ServingWorker): Promise<void> {
    const { threadId, threadNumber } = thread;
    const silentBefore = thread.silenceMs(performance.now());
    const seen = await pluginOnStack({ threadId });
    const silenceMs = thread.silenceMs(performance.now());
    // One that has turned meanwhile is only slow, whoever slows it.
    if (seen === undefined || thread.state === 'ended' || silenceMs < silentBefore) return;
    const what = `blocked serving thread ${threadNumber} for ${Math.round(silenceMs)} ms`;
    const plugin = this.#options.blame(thread, what, seen.load);
    if (plugin === undefined) return;
    this.#options.logger.error(`plugin ${plugin} stood still in serving thread ${threadNumber}, outside of its hooks`, {
      thread: threadNumber,
      plugin,
    });
    this.#options.onCulprit(thread, silenceMs, plugin);
  }
}
