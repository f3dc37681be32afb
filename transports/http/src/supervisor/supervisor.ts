import type {
  ConfigQuestion,
  GenerationChange,
  PluginReport,
  RecordingOrder,
  ThreadAnswer,
  ThreadGroup,
  ThreadGroupObserver,
} from '@bifrost/framework/plugins';
import { GatewayError } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import type { Logger } from '../logging/logger.ts';
import { Condition } from './condition.ts';
import { processStates } from './messages.ts';
import type { FromThread, ThreadStart } from './messages.ts';
import { ServingWorker } from './serving-worker.ts';
import { SpareThreads } from './spare-threads.ts';
import { ThreadChanges } from './thread-changes.ts';
import { ThreadEnds } from './thread-ends.ts';
import { ThreadLooks } from './thread-looks.ts';
import { ThreadReplacer } from './thread-replacer.ts';
import { ThreadRoster } from './thread-roster.ts';
import { ThreadServices } from './thread-services.ts';
import type { ThreadServicesOptions } from './thread-services.ts';
import { ThreadWatch } from './thread-watch.ts';
import type { WatchLimits } from './thread-watch.ts';

export interface SupervisorOptions extends ThreadServicesOptions {
  /** Serving threads, at least 1. */
  readonly threads: number;
  /** A thread that is outside of them is replaced. */
  readonly limits: WatchLimits;
  readonly start: Omit<ThreadStart, 'heartbeat' | 'processState' | 'threadNumber'>;
  readonly logger: Logger;
}

/**
 * Keeps N threads serving: starts them, brings generations of configuration and plugins into all of them at once, drains and ends
 * them. Which are there is in the roster, who takes whose place is the replacer's. It accepts no connection itself.
 */
export class Supervisor implements ThreadGroup {
  readonly #options: SupervisorOptions;
  readonly #roster = new ThreadRoster();
  readonly #condition = new Condition();
  readonly #processState = new SharedArrayBuffer(4);
  readonly #drained = new Map<ServingWorker, PluginReport>();
  readonly #changes = new ThreadChanges(this.#roster, this.#condition);
  readonly #services: ThreadServices;
  readonly #ends: ThreadEnds;
  readonly #looks: ThreadLooks;
  readonly #spares: SpareThreads;
  readonly #replacer: ThreadReplacer;
  readonly #watch: ThreadWatch;
  #observer: ThreadGroupObserver | undefined;
  #nextNumber = 1;
  #isClosing = false;
  /** A generation was committed: from now on threads are replaced, before that their failure is the start's. */
  #hasServed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { threads, limits, logger } = options;
    const end = (worker: ServingWorker): Promise<void> => this.#ends.end(worker);
    this.#services = new ThreadServices(options, { roster: this.#roster, observer: () => this.#observer });
    this.#ends = new ThreadEnds(logger, (worker) => {
      this.#roster.delete(worker);
      this.#left(worker);
    });
    this.#looks = new ThreadLooks({
      logger,
      mayLook: () => this.#observer?.hasInlinePlugins === true,
      blame: ({ threadNumber: thread }, what, loading) =>
        this.#observer?.onFault({ thread, what, running: 0, loading }),
      onCulprit: (worker, silenceMs, plugin) => this.#replacer.replaceBlocked(worker, silenceMs, plugin),
    });
    this.#spares = new SpareThreads({ start: () => this.#start(), end, logger });
    this.#replacer = new ThreadReplacer({
      threads,
      maxThreadBytes: limits.maxThreadBytes,
      logger,
      roster: this.#roster,
      condition: this.#condition,
      looks: this.#looks,
      spawn: () => this.#spawn(),
      end,
      blame: (worker, what) => this.#blame(worker, what),
      exclude: (worker) => this.#changes.left(worker),
    });
    this.#watch = new ThreadWatch({
      limits,
      workers: () => this.#roster.all,
      mayGrow: () => this.#observer?.hasInlinePlugins === true,
      onBlocked: (worker, silenceMs) => this.#replacer.replaceBlocked(worker, silenceMs),
      onSilent: (worker) => this.#looks.begin(worker),
      onSuspicion: (count) => {
        if (this.#hasServed && !this.#isClosing) this.#spares.want(count);
      },
      onTooLarge: (worker, bytes) => this.#replacer.replaceLarge(worker, bytes),
      onLate: (worker, withinMs) =>
        this.#failed(worker, 'BF_HTTP_THREAD_FAILED', `it was not ready within ${withinMs} ms`),
      onRefresh: () => this.#services.refresh(),
    });
  }

  /** Threads that did not end and were left to themselves; with one, only a kill ends the process. */
  get abandonedThreads(): number {
    return this.#ends.abandonedCount;
  }

  get servingThreads(): readonly number[] {
    return this.#roster.serving.map(({ threadNumber }) => threadNumber);
  }

  /** Starts the threads: they load while the configuration is still being read. */
  spawnAll(): void {
    for (let count = 0; count < this.#options.threads; count++) this.#spawn();
  }

  observe(observer: ThreadGroupObserver): void {
    this.#observer = observer;
  }

  /** Rejects with what kept a first thread from it, too. */
  prepare(change: GenerationChange): Promise<readonly ThreadAnswer[]> {
    this.#watch.start();
    return this.#changes.prepare(change);
  }

  /** A thread that cannot serve on it is replaced, and not waited for. */
  async commit(generation: number, { isReserveKept }: { readonly isReserveKept: boolean }): Promise<void> {
    await this.#changes.commit(generation, isReserveKept);
    Atomics.store(new Int32Array(this.#processState), 0, processStates.ready);
    this.#hasServed = true;
  }

  abort(generation: number): void {
    this.#changes.abort(generation);
  }

  settle(): void {
    this.#changes.settle();
  }

  collect(options: { readonly hasTotals?: boolean } = {}): Promise<readonly ThreadAnswer[]> {
    return this.#changes.collect(options.hasTotals === true);
  }

  /** Tells all threads what is recorded from now on; returns how many. */
  record(orders: readonly RecordingOrder[]): number {
    return this.#services.record(orders);
  }

  viewConfig(load: number, question: ConfigQuestion): Promise<JsonObject> {
    return this.#services.viewConfig(load, question);
  }

  recycle(threads: readonly number[], reason: string): void {
    this.#replacer.recycle(threads, reason);
  }

  /** Ends all threads: requests under way get `graceMs` to end, then the threads are ended. */
  async close(graceMs: number): Promise<void> {
    this.#beginClosing();
    Atomics.store(new Int32Array(this.#processState), 0, processStates.draining);
    const workers = this.#roster.all;
    const deadline = setTimeout(() => this.#condition.changed(), graceMs);
    const endsAt = performance.now() + graceMs;
    for (const worker of workers) worker.enqueue(() => ({ type: 'drain', isPatient: false }));
    const isDone = (worker: ServingWorker): boolean => worker.state === 'ended' || this.#drained.has(worker);
    await this.#condition.until(() => performance.now() >= endsAt - 1 || workers.every(isDone));
    clearTimeout(deadline);
    this.#watch.stop();
    if (!workers.every(isDone)) this.#options.logger.warn('requests were still under way when the drain window ended');
    await this.#endAll();
  }

  /** Ends all threads now. */
  async kill(): Promise<void> {
    this.#beginClosing();
    this.#watch.stop();
    await this.#endAll();
    this.#condition.changed();
  }

  #beginClosing(): void {
    this.#isClosing = true;
    this.#ends.close();
    this.#replacer.close();
    this.#changes.close();
  }

  async #endAll(): Promise<void> {
    await Promise.all([this.#spares.close(), ...this.#roster.all.map((worker) => this.#ends.end(worker))]);
  }

  /** A thread that takes part in nothing yet. */
  #start(): ServingWorker {
    const { start } = this.#options;
    return new ServingWorker({ ...start, threadNumber: this.#nextNumber++, processState: this.#processState }, this);
  }

  /** One more thread: one that waits for a place, or a new one. */
  #spawn(): ServingWorker {
    const worker = this.#spares.take() ?? this.#start();
    this.#roster.add(worker);
    this.#changes.join(worker);
    this.#services.join(worker);
    return worker;
  }

  onMessage(worker: ServingWorker, message: FromThread): void {
    switch (message.type) {
      case 'ready':
        worker.descriptors = message.descriptors;
        this.#becameReady(worker);
        break;
      case 'prepared':
        this.#prepared(worker, { thread: worker.threadNumber, report: message.report });
        break;
      case 'refused':
        this.#changes.refused(worker, message);
        break;
      case 'committed':
        this.#changes.committed(worker, message.generation);
        break;
      case 'reported':
        this.#changes.reported(worker, message);
        return;
      case 'failed':
        this.#failed(worker, message.code, message.message);
        break;
      case 'drained':
        this.#drained.set(worker, message.report);
        if (worker.state === 'leaving' || worker.state === 'lingering') void this.#ends.end(worker);
        break;
      default:
        this.#services.receive(worker, message);
        return;
    }
    this.#condition.changed();
  }

  onExit(worker: ServingWorker, error: Error | undefined): void {
    if (this.#ends.left(worker) || this.#spares.left(worker)) return;
    const isReplaced = this.#roster.isReplaced(worker);
    this.#roster.delete(worker);
    this.#left(worker);
    if (error !== undefined && !this.#isClosing && !isReplaced) this.#crashed(worker, error);
    this.#condition.changed();
  }

  /** It takes part in nothing any more. */
  #left(worker: ServingWorker): void {
    this.#changes.left(worker);
    this.#services.left(worker);
    this.#observer?.onEnded(worker.threadNumber, this.#drained.get(worker));
    this.#drained.delete(worker);
  }

  #prepared(worker: ServingWorker, answer: ThreadAnswer): void {
    if (this.#changes.prepared(worker, answer)) this.#observer?.onJoined(answer);
  }

  #becameReady(worker: ServingWorker): void {
    if (worker.state === 'starting') worker.state = 'serving';
    worker.forgiveSilence(Number.POSITIVE_INFINITY);
    for (const old of this.#roster.replacedBy(worker)) void this.#replacer.retire(old);
  }

  /** A thread could not take its configuration. At the start that ends the start; later the thread is replaced. */
  #failed(worker: ServingWorker, code: string, message: string): void {
    if (!this.#hasServed) {
      this.#changes.fail(new GatewayError(message, { code, statusCode: 500 }));
      return;
    }
    this.#options.logger.error(`serving thread ${worker.threadNumber} failed: ${message}`, { code });
    void this.#ends.end(worker).then(() => this.#replacer.respawn());
  }

  #crashed(worker: ServingWorker, error: Error): void {
    const { threadNumber } = worker;
    const plugin = this.#blame(worker, `ended serving thread ${threadNumber}: ${error.message}`);
    if (plugin === undefined && !this.#hasServed) {
      const message = `serving thread ${threadNumber} did not start: ${error.message}`;
      this.#changes.fail(new GatewayError(message, { code: 'BF_HTTP_THREAD_FAILED', statusCode: 500, cause: error }));
      return;
    }
    const culprit = plugin === undefined ? {} : { plugin };
    const detail = { thread: threadNumber, error: error.stack ?? String(error), ...culprit };
    this.#replacer.replaceCrashed(worker, error, detail);
  }

  /** Names the plugin that ran in the thread, before another thread takes its place. */
  #blame(worker: ServingWorker, what: string): string | undefined {
    return this.#observer?.onFault({ thread: worker.threadNumber, what, ...worker.pluginMarks });
  }
}
