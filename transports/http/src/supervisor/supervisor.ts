import type {
  ConfigQuestion,
  GenerationChange,
  PluginReport,
  RecordedBatch,
  RecordingOrder,
  ThreadAnswer,
  ThreadGroup,
  ThreadGroupObserver,
} from '@bifrost/framework/plugins';
import { GatewayError } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import type { AdminAnswer, AdminRequest } from '../admin/admin-message.ts';
import type { ExplainedRequest } from '../admin/explain/explained-request.ts';
import type { LogSink, Logger } from '../logging/logger.ts';
import { Condition } from './condition.ts';
import { ConfigViewExchange } from './config-view-exchange.ts';
import { MetricsExchange } from './metrics-exchange.ts';
import { processStates } from './messages.ts';
import type { FromThread, ThreadStart } from './messages.ts';
import { ServingWorker } from './serving-worker.ts';
import { pluginOnStack } from './stack-look.ts';
import { SpareThreads } from './spare-threads.ts';
import { ThreadChanges } from './thread-changes.ts';
import { ThreadReplacer } from './thread-replacer.ts';
import { ThreadRoster } from './thread-roster.ts';
import { ThreadWatch } from './thread-watch.ts';
import type { WatchLimits } from './thread-watch.ts';

export interface SupervisorOptions {
  /** Serving threads, at least 1. */
  readonly threads: number;
  /** A thread that is outside of them is replaced. */
  readonly limits: WatchLimits;
  readonly start: Omit<ThreadStart, 'heartbeat' | 'processState' | 'threadNumber'>;
  readonly logger: Logger;
  /** Takes the records of the threads, which have passed their threshold. */
  readonly logSink: LogSink;
  /** Answers calls of the admin API. Never rejects. */
  readonly handleAdmin?: (request: AdminRequest) => Promise<AdminAnswer>;
  /** Gets what requests had explained, from all threads. */
  readonly onExplained?: (request: ExplainedRequest) => void;
  /** Gets what threads have recorded, and says what a thread that starts is to record. */
  readonly recordings?: {
    readonly orders: readonly RecordingOrder[];
    receive(batch: RecordedBatch): void;
  };
}

/** How long a thread may take to end: while its place is empty, and when the whole process ends and there is nobody to serve. */
const endWithinMs = { serving: 1000, closing: 5000 } as const;

/**
 * Keeps N threads serving: starts them, brings generations of configuration and plugins into all of them at once, drains and ends
 * them. Which are there is in the roster, who takes whose place is the replacer's. It accepts no connection itself.
 */
export class Supervisor implements ThreadGroup {
  readonly #options: SupervisorOptions;
  readonly #roster = new ThreadRoster();
  readonly #condition = new Condition();
  readonly #metrics = new MetricsExchange();
  readonly #views = new ConfigViewExchange();
  readonly #processState = new SharedArrayBuffer(4);
  readonly #drained = new Map<ServingWorker, PluginReport>();
  readonly #changes = new ThreadChanges(this.#roster, this.#condition);
  readonly #spares: SpareThreads;
  readonly #replacer: ThreadReplacer;
  readonly #watch: ThreadWatch;
  #observer: ThreadGroupObserver | undefined;
  #nextNumber = 1;
  #isClosing = false;
  /** A generation was committed: from now on threads are replaced, before that their failure is the start's. */
  #hasServed = false;
  #abandoned = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { threads, limits, logger } = options;
    this.#spares = new SpareThreads({ start: () => this.#start(), end: (worker) => this.#end(worker), logger });
    this.#replacer = new ThreadReplacer({
      threads,
      maxThreadBytes: limits.maxThreadBytes,
      logger,
      roster: this.#roster,
      condition: this.#condition,
      spawn: () => this.#spawn(),
      end: (worker) => this.#end(worker),
      blame: (worker, what) => this.#blame(worker, what),
      look: (worker, what) => this.#look(worker, what),
      exclude: (worker) => this.#changes.left(worker),
    });
    this.#watch = new ThreadWatch({
      limits,
      workers: () => this.#roster.all,
      mayGrow: () => this.#observer?.hasInlinePlugins === true,
      onBlocked: (worker, silenceMs) => this.#replacer.replaceBlocked(worker, silenceMs),
      onSuspicion: (count) => {
        if (this.#hasServed && !this.#isClosing) this.#spares.want(count);
      },
      onTooLarge: (worker, bytes) => this.#replacer.replaceLarge(worker, bytes),
      onLate: (worker, withinMs) =>
        this.#failed(worker, 'BF_HTTP_THREAD_FAILED', `it was not ready within ${withinMs} ms`),
      onRefresh: () => this.#metrics.refresh(this.#roster.serving),
    });
  }

  /** Threads that did not end and were left to themselves; with one, only a kill ends the process. */
  get abandonedThreads(): number {
    return this.#abandoned;
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
    const workers = this.#roster.all.filter(({ state }) => state !== 'ended');
    for (const worker of workers) worker.post({ type: 'record', orders });
    return workers.length;
  }

  viewConfig(load: number, question: ConfigQuestion): Promise<JsonObject> {
    return this.#views.ask(this.#roster.serving, load, question);
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

  /** Code of a plugin may stand still outside of its hooks: after an `await`, in a timer. */
  async #look(worker: ServingWorker, what: string): Promise<void> {
    if (this.#observer?.hasInlinePlugins !== true) return;
    const { threadNumber, threadId } = worker;
    const seen = await pluginOnStack({ threadId });
    if (seen === undefined || worker.state === 'ended') return;
    const plugin = this.#observer.onFault({ thread: threadNumber, what, running: 0, loading: seen.load });
    if (plugin !== undefined) {
      this.#options.logger.error(
        `plugin ${plugin} stood still in serving thread ${threadNumber}, outside of its hooks`,
        {
          thread: threadNumber,
          plugin,
        },
      );
    }
  }

  #beginClosing(): void {
    this.#isClosing = true;
    this.#replacer.close();
    this.#changes.close();
  }

  async #endAll(): Promise<void> {
    await Promise.all([this.#spares.close(), ...this.#roster.all.map((worker) => this.#end(worker))]);
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
    const orders = this.#options.recordings?.orders ?? [];
    if (orders.length > 0) worker.post({ type: 'record', orders });
    return worker;
  }

  onMessage(worker: ServingWorker, message: FromThread): void {
    switch (message.type) {
      case 'log':
        this.#options.logSink(message.record);
        return;
      case 'admin-call':
        void this.#options.handleAdmin?.(message.request).then((answer) => {
          worker.post({ type: 'admin-answer', id: message.id, answer });
        });
        return;
      case 'explained':
        this.#options.onExplained?.(message.request);
        return;
      case 'recorded':
        this.#options.recordings?.receive(message.batch);
        return;
      case 'part':
        this.#metrics.receive(worker, message.id, message.part);
        return;
      case 'gather':
        this.#metrics.gather(
          worker,
          message.id,
          this.#roster.all.filter((other) => other !== worker && other.state !== 'starting'),
        );
        return;
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
      case 'config-viewed':
        this.#views.receive(message);
        return;
      case 'plugin-released':
        this.#observer?.onReleased(worker.threadNumber, message.load);
        return;
      case 'plugin-changed':
        this.#observer?.onChanged(worker.threadNumber, message.load);
        return;
      case 'failed':
        this.#failed(worker, message.code, message.message);
        break;
      case 'drained':
        this.#drained.set(worker, message.report);
        if (worker.state === 'leaving' || worker.state === 'lingering') void this.#end(worker);
        break;
    }
    this.#condition.changed();
  }

  onExit(worker: ServingWorker, error: Error | undefined): void {
    if (this.#spares.left(worker)) return;
    const isReplaced = this.#roster.isReplaced(worker);
    this.#roster.delete(worker);
    this.#left(worker);
    if (error !== undefined && !this.#isClosing && !isReplaced) this.#crashed(worker, error);
    this.#condition.changed();
  }

  /** It takes part in nothing any more. */
  #left(worker: ServingWorker): void {
    this.#changes.left(worker);
    this.#metrics.retire(worker);
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
    void this.#end(worker).then(() => this.#replacer.respawn());
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

  async #end(worker: ServingWorker): Promise<void> {
    const hasEnded = await worker.terminate(this.#isClosing ? endWithinMs.closing : endWithinMs.serving);
    if (hasEnded) return;
    this.#abandoned += 1;
    this.#roster.delete(worker);
    this.#left(worker);
    this.#options.logger.error(`serving thread ${worker.threadNumber} does not end; it is left to itself`);
  }
}
