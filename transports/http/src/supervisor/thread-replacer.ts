import { performance } from 'node:perf_hooks';
import type { JsonObject } from '@bifrost/sdk';
import type { Logger } from '../logging/logger.ts';
import type { Condition } from './condition.ts';
import { muteDescriptors } from './mute-descriptors.ts';
import { giveConnections, rescueConnections } from './rescue-connections.ts';
import type { ServingWorker } from './serving-worker.ts';
import type { ThreadLooks } from './thread-looks.ts';
import type { ThreadRoster } from './thread-roster.ts';

export interface ReplacerOptions {
  /** Serving threads that there should be. */
  readonly threads: number;
  /** See `WatchLimits`. */
  readonly maxThreadBytes: number;
  readonly logger: Logger;
  readonly roster: ThreadRoster;
  readonly condition: Condition;
  /** Brings one more thread on its way. */
  readonly spawn: () => ServingWorker;
  readonly end: (thread: ServingWorker) => Promise<void>;
  /** Names the plugin that ran in the thread, before another thread takes its place. */
  readonly blame: (thread: ServingWorker, what: string) => string | undefined;
  readonly looks: Pick<ThreadLooks, 'begin' | 'settled'>;
  /** A thread takes part in changes no more, though it may still be there. */
  readonly exclude: (thread: ServingWorker) => void;
}

const leaveWithinMs = 30_000;
/** How long a recycled thread may go on with its streams. */
const recycleWithinMs = 900_000;
const maxRestartDelayMs = 10_000;
/** A thread that lived this long was no failed start: its replacement comes at once. */
const soundLifeMs = 5000;
/** A thread whose heartbeat is younger than this turns: it beats every 100 ms. */
const turnsWithinMs = 500;

/** Puts threads in the place of those that crash, stand still, grow too large or have too much old code. */
export class ThreadReplacer {
  readonly #options: ReplacerOptions;
  /** Threads that are being ended for their memory. */
  readonly #condemned = new WeakSet<ServingWorker>();
  #isRecycling = false;
  #failedStarts = 0;
  #isClosing = false;

  constructor(options: ReplacerOptions) {
    this.#options = options;
  }

  /** Nothing is replaced any more. */
  close(): void {
    this.#isClosing = true;
  }

  /** `culprit`: whose code was found on its stack, and has been blamed. */
  replaceBlocked(thread: ServingWorker, silenceMs: number, culprit?: string): void {
    const { roster, logger, exclude, condition, end, spawn } = this.#options;
    // A recycled one is well: that its place is taken already says nothing.
    if (this.#isClosing || (roster.isReplaced(thread) && !roster.isRecycled(thread))) return;
    const { threadNumber } = thread;
    const blockedMs = Math.round(silenceMs);
    const blamed = culprit === undefined ? this.#findCulprit(thread, blockedMs) : { plugin: culprit };
    const detail = { thread: threadNumber, blocked_ms: blockedMs, ...blamed };
    logger.error(
      `serving thread ${threadNumber} has been blocked for ${blockedMs} ms; a new one takes its place`,
      detail,
    );
    // One that does not serve yet is waited for: nobody can take its place while it is there.
    if (thread.state === 'starting') void end(thread).then(() => this.respawn());
    else if (thread.state === 'lingering') void end(thread);
    else roster.replace(thread, roster.replacementOf(thread) ?? spawn(), false);
    // Changes do not wait for it: should it turn again, it ends what it has and goes.
    exclude(thread);
    condition.changed();
  }

  /** While a plugin's hook runs it is the one that grows: the thread ends now. Else its requests may end, in a thread that is left. */
  replaceLarge(thread: ServingWorker, bytes: number): void {
    if (this.#isClosing || this.#condemned.has(thread)) return;
    const { maxThreadBytes, logger } = this.#options;
    const { threadNumber } = thread;
    const { running, loading } = thread.pluginMarks;
    const megabytes = Math.round(bytes / 1_048_576);
    const isFarOut = bytes > 2 * maxThreadBytes;
    if (running === 0 && loading === 0 && !isFarOut) {
      this.recycle([threadNumber], `it has ${megabytes} MB of memory`);
      return;
    }
    const culprit = this.#blame(thread, `filled serving thread ${threadNumber} with ${megabytes} MB`);
    logger.error(
      `serving thread ${threadNumber} has ${megabytes} MB of memory; it is ended and a new one takes its place`,
      { thread: threadNumber, megabytes, ...culprit },
    );
    this.#condemned.add(thread);
    void this.#endGrowing(thread, running !== 0);
  }

  replaceCrashed(thread: ServingWorker, error: Error, detail: JsonObject): void {
    this.#options.logger.error(
      `serving thread ${thread.threadNumber} crashed (${error.message}); a new one takes its place`,
      detail,
    );
    const isSound = performance.now() - thread.startedAt >= soundLifeMs;
    this.#failedStarts = isSound ? 0 : this.#failedStarts + 1;
    this.respawn();
  }

  /** Where a thread is missing. At once the first times, then with growing pauses: a thread that cannot start must not keep a core busy. */
  respawn(): void {
    const { roster, threads, spawn } = this.#options;
    const delayMs = this.#failedStarts <= 3 ? 0 : Math.min(maxRestartDelayMs, 100 * 2 ** (this.#failedStarts - 3));
    setTimeout(() => {
      if (!this.#isClosing && roster.filledPlaces < threads) spawn();
    }, delayMs);
  }

  /** One after the other; their requests run to their end. Ignored while that is going on. */
  recycle(threads: readonly number[], reason: string): void {
    if (this.#isRecycling || this.#isClosing) return;
    this.#isRecycling = true;
    void this.#recycleAll(threads, reason).finally(() => {
      this.#isRecycling = false;
    });
  }

  /** Its replacement serves: it ends, with its requests if it is well or has come to life again meanwhile. */
  async retire(thread: ServingWorker): Promise<void> {
    const { roster, logger, end } = this.#options;
    if (roster.isRecycled(thread)) {
      this.#leave(thread, true);
      return;
    }
    if (thread.silenceMs(performance.now()) < turnsWithinMs) {
      logger.info(`serving thread ${thread.threadNumber} runs again; it ends what it has under way`);
      this.#leave(thread, false);
      return;
    }
    if (thread.state === 'serving') await muteDescriptors(thread.descriptors);
    await this.#options.looks.settled(thread);
    const heir = roster.replacementOf(thread);
    const rescued = thread.state === 'serving' ? await rescueConnections(thread) : [];
    await end(thread);
    giveConnections(heir, rescued);
  }

  #findCulprit(thread: ServingWorker, blockedMs: number): { readonly plugin?: string } {
    // A hook that happens to run while the thread is short of time is not to blame.
    const isInPlugin = thread.pluginMarks.loading !== 0 || thread.hookMs(performance.now()) > blockedMs / 2;
    if (isInPlugin) return this.#blame(thread, `blocked serving thread ${thread.threadNumber} for ${blockedMs} ms`);
    this.#options.looks.begin(thread);
    return {};
  }

  #blame(thread: ServingWorker, what: string): { readonly plugin?: string } {
    const plugin = this.#options.blame(thread, what);
    return plugin === undefined ? {} : { plugin };
  }

  async #endGrowing(thread: ServingWorker, isInHook: boolean): Promise<void> {
    if (isInHook) await muteDescriptors(thread.descriptors);
    await this.#options.end(thread);
    this.respawn();
  }

  async #recycleAll(threads: readonly number[], reason: string): Promise<void> {
    const { roster, condition, logger, spawn } = this.#options;
    for (const number of threads) {
      const thread = roster.serving.find(({ threadNumber }) => threadNumber === number);
      if (thread === undefined || roster.isReplaced(thread)) continue;
      // As many may drain at once as serve: streams that never end must not keep ever more threads.
      await condition.until(() => this.#isClosing || roster.leavingCount < this.#options.threads);
      if (this.#isClosing) return;
      logger.info(`serving thread ${number} is recycled: ${reason}`, { thread: number });
      roster.replace(thread, spawn(), true);
      await condition.until(() => this.#isClosing || thread.state !== 'serving' || !roster.isReplaced(thread));
    }
  }

  #leave(thread: ServingWorker, isPatient: boolean): void {
    const { end, condition } = this.#options;
    thread.state = isPatient ? 'lingering' : 'leaving';
    thread.enqueue(() => ({ type: 'drain', isPatient }));
    const timer = setTimeout(() => void end(thread), isPatient ? recycleWithinMs : leaveWithinMs);
    timer.unref();
    condition.changed();
  }
}
