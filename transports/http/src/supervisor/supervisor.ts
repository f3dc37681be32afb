import { performance } from 'node:perf_hooks';
import type {
  GenerationChange,
  PluginReport,
  RecordedBatch,
  RecordingOrder,
  ThreadAnswer,
  ThreadGroup,
  ThreadGroupObserver,
} from '@bifrost/framework/plugins';
import { GatewayError } from '@bifrost/sdk';
import type { AdminAnswer, AdminRequest } from '../admin/admin-message.ts';
import type { ExplainedRequest } from '../admin/explain/explained-request.ts';
import type { LogSink, Logger } from '../logging/logger.ts';
import { GenerationExchange } from './generation-exchange.ts';
import { MetricsExchange } from './metrics-exchange.ts';
import { processStates } from './messages.ts';
import type { FromThread, ThreadStart } from './messages.ts';
import { muteDescriptor } from './mute-descriptor.ts';
import { ReportExchange } from './report-exchange.ts';
import { ServingWorker } from './serving-worker.ts';
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

const startWithinMs = 30_000;
const leaveWithinMs = 30_000;
const maxRestartDelayMs = 10_000;
/** A thread that lived this long was no failed start: its replacement comes at once. */
const soundLifeMs = 5000;

/** A thread whose heartbeat is younger than this turns: it beats every 100 ms. */
const turnsWithinMs = 500;
/** How long a recycled thread may go on with its streams. */
const recycleWithinMs = 900_000;

/**
 * Keeps N threads serving: starts them, brings generations of configuration and plugins into all of them at once, replaces those
 * that crash or stand still, recycles and drains them. It accepts no connection itself.
 */
export class Supervisor implements ThreadGroup {
  readonly #options: SupervisorOptions;
  readonly #workers = new Set<ServingWorker>();
  readonly #replacements = new Map<ServingWorker, ServingWorker>();
  readonly #metrics = new MetricsExchange();
  readonly #processState = new SharedArrayBuffer(4);
  readonly #drained = new Map<ServingWorker, PluginReport>();
  readonly #generations = new GenerationExchange();
  readonly #reports = new ReportExchange();
  #observer: ThreadGroupObserver | undefined;
  /** Threads whose place is taken though they are well. */
  readonly #recycled = new Set<ServingWorker>();
  /** Threads that are being ended for their memory. */
  readonly #condemned = new Set<ServingWorker>();
  #isRecycling = false;
  #nextNumber = 1;
  #failedStarts = 0;
  #isClosing = false;
  /** A generation was committed: from now on threads are replaced, before that their failure is the start's. */
  #hasServed = false;
  #abandoned = 0;
  readonly #waiters = new Set<() => void>();
  #startError: Error | undefined;
  readonly #watch: ThreadWatch;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#watch = new ThreadWatch({
      limits: options.limits,
      workers: () => [...this.#workers],
      mayGrow: () => this.#observer?.hasInlinePlugins === true,
      onBlocked: (worker, silenceMs) => this.#replaceBlocked(worker, silenceMs),
      onTooLarge: (worker, bytes) => this.#replaceLarge(worker, bytes),
      onLate: (worker, withinMs) =>
        this.#failed(worker, 'BF_HTTP_THREAD_FAILED', `it was not ready within ${withinMs} ms`),
      onRefresh: () => this.#metrics.refresh(this.#serving()),
    });
  }

  /** Threads that did not end and were left to themselves; with one, only a kill ends the process. */
  get abandonedThreads(): number {
    return this.#abandoned;
  }

  get servingThreads(): readonly number[] {
    return this.#serving().map(({ threadNumber }) => threadNumber);
  }

  /** Starts the threads: they load while the configuration is still being read. */
  spawnAll(): void {
    for (let count = 0; count < this.#options.threads; count++) this.#spawn();
  }

  observe(observer: ThreadGroupObserver): void {
    this.#observer = observer;
  }

  /** Rejects with what kept a first thread from it, too. */
  async prepare(change: GenerationChange): Promise<readonly ThreadAnswer[]> {
    this.#watch.start();
    const { generation, deadlineMs } = change;
    this.#generations.begin(change, this.#taking());
    let answers: readonly ThreadAnswer[] | undefined;
    await this.#untilWithin(deadlineMs, `did not prepare generation ${generation}`, () => {
      answers = this.#generations.answersOf(generation);
      return answers !== undefined;
    });
    return answers ?? [];
  }

  /** A thread that cannot serve on it is replaced, and not waited for. */
  async commit(generation: number, { isReserveKept }: { readonly isReserveKept: boolean }): Promise<void> {
    this.#generations.commit(generation, isReserveKept, this.#taking());
    await this.#untilWithin(startWithinMs, `did not take generation ${generation}`, () => {
      const taking = this.#taking();
      return taking.length > 0 && taking.every((worker) => this.#generations.isServedBy(worker, generation));
    });
    Atomics.store(new Int32Array(this.#processState), 0, processStates.ready);
    this.#hasServed = true;
  }

  abort(generation: number): void {
    this.#generations.abort(generation, this.#taking());
  }

  settle(): void {
    for (const worker of this.#taking()) worker.enqueue(() => ({ type: 'settle' }));
  }

  collect(options: { readonly hasTotals?: boolean } = {}): Promise<readonly ThreadAnswer[]> {
    const workers = this.#taking().filter(({ state }) => state !== 'starting');
    return this.#reports.collect(workers, options.hasTotals === true);
  }

  /** Tells all threads what is recorded from now on; returns how many. */
  record(orders: readonly RecordingOrder[]): number {
    const workers = [...this.#workers].filter(({ state }) => state !== 'ended');
    for (const worker of workers) worker.post({ type: 'record', orders });
    return workers.length;
  }

  recycle(threads: readonly number[], reason: string): void {
    if (this.#isRecycling || this.#isClosing) return;
    this.#isRecycling = true;
    void this.#recycleAll(threads, reason).finally(() => {
      this.#isRecycling = false;
    });
  }

  /** Ends all threads: requests under way get `graceMs` to end, then the threads are ended. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    Atomics.store(new Int32Array(this.#processState), 0, processStates.draining);
    const workers = [...this.#workers];
    const deadline = setTimeout(() => this.#changed(), graceMs);
    const endsAt = performance.now() + graceMs;
    for (const worker of workers) worker.enqueue(() => ({ type: 'drain', isPatient: false }));
    await this.#until(
      () =>
        performance.now() >= endsAt - 1 ||
        workers.every((worker) => worker.state === 'ended' || this.#drained.has(worker)),
    );
    clearTimeout(deadline);
    this.#watch.stop();
    const late = workers.filter((worker) => worker.state !== 'ended' && !this.#drained.has(worker));
    if (late.length > 0) this.#options.logger.warn('requests were still under way when the drain window ended');
    await Promise.all(workers.map((worker) => this.#end(worker)));
  }

  /** Ends all threads now. */
  async kill(): Promise<void> {
    this.#isClosing = true;
    this.#watch.stop();
    await Promise.all([...this.#workers].map((worker) => this.#end(worker)));
    this.#changed();
  }

  /** The threads that take part in changes. */
  #taking(): ServingWorker[] {
    const isBlocked = (worker: ServingWorker): boolean => this.#replacements.has(worker) && !this.#recycled.has(worker);
    return [...this.#workers].filter(
      (worker) =>
        worker.state === 'lingering' ||
        worker.state === 'starting' ||
        (worker.state === 'serving' && !isBlocked(worker)),
    );
  }

  #serving(): ServingWorker[] {
    return [...this.#workers].filter(({ state }) => state === 'serving');
  }

  #spawn(): ServingWorker {
    const { start } = this.#options;
    const threadStart = { ...start, threadNumber: this.#nextNumber++, processState: this.#processState };
    const worker = new ServingWorker(threadStart, this);
    this.#workers.add(worker);
    this.#generations.join(worker);
    const orders = this.#options.recordings?.orders ?? [];
    if (orders.length > 0) worker.post({ type: 'record', orders });
    return worker;
  }

  /** As `#until`; rejects after `withinMs`, and with what keeps a first thread from starting. */
  async #untilWithin(withinMs: number, what: string, isDone: () => boolean): Promise<void> {
    const endsAt = performance.now() + withinMs;
    const deadline = setTimeout(() => this.#changed(), withinMs + 1);
    await this.#until(() => {
      if (this.#startError !== undefined) throw this.#startError;
      if (isDone()) return true;
      if (performance.now() <= endsAt && !this.#isClosing) return false;
      throw new GatewayError(`not all serving threads answered: some ${what} within ${withinMs} ms`, {
        code: 'BF_HTTP_THREAD_FAILED',
        statusCode: 500,
      });
    }).finally(() => clearTimeout(deadline));
  }

  /** Waits until `isDone`, which is asked after every event of a thread. */
  #until(isDone: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        try {
          if (!isDone()) return;
          resolve();
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        this.#waiters.delete(check);
      };
      this.#waiters.add(check);
      check();
    });
  }

  #changed(): void {
    for (const check of this.#waiters) check();
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
          [...this.#workers].filter((other) => other !== worker && other.state !== 'starting'),
        );
        return;
      case 'ready':
        worker.descriptor = message.descriptor;
        this.#becameReady(worker);
        break;
      case 'prepared':
        this.#prepared(worker, { thread: worker.threadNumber, report: message.report });
        break;
      case 'refused':
        this.#generations.refused(worker, message);
        break;
      case 'committed':
        this.#generations.served(worker, message.generation);
        break;
      case 'reported':
        this.#reports.receive(worker, message.id, message.report);
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
    this.#changed();
  }

  onExit(worker: ServingWorker, error: Error | undefined): void {
    this.#workers.delete(worker);
    this.#recycled.delete(worker);
    this.#condemned.delete(worker);
    this.#left(worker);
    if (error !== undefined && !this.#isClosing && !this.#replacements.has(worker)) this.#replaceCrashed(worker, error);
    this.#replacements.delete(worker);
    // A replacement that did not come up: the watch sees that its place is still to be taken.
    for (const [old, replacement] of this.#replacements) if (replacement === worker) this.#replacements.delete(old);
    this.#changed();
  }

  /** It takes part in nothing any more. */
  #left(worker: ServingWorker): void {
    this.#generations.left(worker);
    this.#reports.left(worker);
    this.#metrics.retire(worker);
    this.#observer?.onEnded(worker.threadNumber, this.#drained.get(worker));
    this.#drained.delete(worker);
  }

  #prepared(worker: ServingWorker, answer: ThreadAnswer): void {
    this.#generations.prepared(worker, answer);
    if (answer.report.generation === this.#generations.committedGeneration) this.#observer?.onJoined(answer);
  }

  #becameReady(worker: ServingWorker): void {
    if (worker.state === 'starting') worker.state = 'serving';
    worker.forgiveSilence(performance.now());
    for (const [old, replacement] of this.#replacements) {
      if (replacement === worker) void this.#retire(old);
    }
  }

  /** A thread could not take its configuration. At the start that ends the start; later the thread is replaced. */
  #failed(worker: ServingWorker, code: string, message: string): void {
    if (!this.#hasServed) {
      this.#startError = new GatewayError(message, { code, statusCode: 500 });
      return;
    }
    this.#options.logger.error(`serving thread ${worker.threadNumber} failed: ${message}`, { code });
    void this.#end(worker).then(() => this.#respawn());
  }

  #replaceCrashed(worker: ServingWorker, error: Error): void {
    const { threadNumber } = worker;
    const culprit = this.#blame(worker, `ended serving thread ${threadNumber}: ${error.message}`);
    const detail = { thread: threadNumber, error: error.stack ?? String(error), ...culprit };
    if (culprit.plugin === undefined && !this.#hasServed) {
      this.#startError = new GatewayError(`serving thread ${threadNumber} did not start: ${error.message}`, {
        code: 'BF_HTTP_THREAD_FAILED',
        statusCode: 500,
        cause: error,
      });
      return;
    }
    this.#options.logger.error(
      `serving thread ${threadNumber} crashed (${error.message}); a new one takes its place`,
      detail,
    );
    const isSound = performance.now() - worker.startedAt >= soundLifeMs;
    this.#failedStarts = isSound ? 0 : this.#failedStarts + 1;
    this.#respawn();
  }

  /** Where a thread is missing. At once the first times, then with growing pauses: a thread that cannot start must not keep a core busy. */
  #respawn(): void {
    const delayMs = this.#failedStarts <= 3 ? 0 : Math.min(maxRestartDelayMs, 100 * 2 ** (this.#failedStarts - 3));
    setTimeout(() => {
      if (!this.#isClosing && this.#workers.size - this.#replacements.size < this.#options.threads) this.#spawn();
    }, delayMs);
  }

  /** Names the plugin that ran in the thread, before another thread takes its place. */
  #blame(worker: ServingWorker, what: string): { readonly plugin?: string } {
    const plugin = this.#observer?.onFault({ thread: worker.threadNumber, what, ...worker.pluginMarks });
    return plugin === undefined ? {} : { plugin };
  }

  #replaceBlocked(worker: ServingWorker, silenceMs: number): void {
    if (this.#replacements.has(worker) || this.#isClosing) return;
    const { threadNumber } = worker;
    const blockedMs = Math.round(silenceMs);
    const culprit = this.#blame(worker, `blocked serving thread ${threadNumber} for ${blockedMs} ms`);
    const detail = { thread: threadNumber, blocked_ms: blockedMs, ...culprit };
    this.#options.logger.error(
      `serving thread ${threadNumber} has been blocked for ${blockedMs} ms; a new one takes its place`,
      detail,
    );
    // One that does not serve yet is waited for: nobody can take its place while it is there.
    if (worker.state === 'starting') void this.#end(worker).then(() => this.#respawn());
    else this.#replacements.set(worker, this.#spawn());
    // Changes do not wait for it: should it turn again, it ends what it has and goes.
    this.#generations.left(worker);
    this.#changed();
  }

  /** While a plugin's hook runs it is the one that grows: the thread ends now. Else its requests may end, in a thread that is left. */
  #replaceLarge(worker: ServingWorker, bytes: number): void {
    if (this.#isClosing || this.#condemned.has(worker)) return;
    const { threadNumber } = worker;
    const { running, loading } = worker.pluginMarks;
    const megabytes = Math.round(bytes / 1_048_576);
    const isFarOut = bytes > 2 * this.#options.limits.maxThreadBytes;
    if (running === 0 && loading === 0 && !isFarOut) {
      this.recycle([threadNumber], `it has ${megabytes} MB of memory`);
      return;
    }
    const culprit = this.#blame(worker, `filled serving thread ${threadNumber} with ${megabytes} MB`);
    const detail = { thread: threadNumber, megabytes, ...culprit };
    this.#options.logger.error(
      `serving thread ${threadNumber} has ${megabytes} MB of memory; it is ended and a new one takes its place`,
      detail,
    );
    this.#condemned.add(worker);
    void this.#endGrowing(worker, running !== 0);
  }

  async #endGrowing(worker: ServingWorker, isInHook: boolean): Promise<void> {
    if (isInHook && worker.descriptor !== undefined) await muteDescriptor(worker.descriptor);
    await this.#end(worker);
    this.#respawn();
  }

  async #recycleAll(threads: readonly number[], reason: string): Promise<void> {
    for (const number of threads) {
      const worker = this.#serving().find(({ threadNumber }) => threadNumber === number);
      if (worker === undefined || this.#replacements.has(worker)) continue;
      // As many may drain at once as serve: streams that never end must not keep ever more threads.
      await this.#until(() => this.#isClosing || this.#leavingCount() < this.#options.threads);
      if (this.#isClosing) return;
      this.#options.logger.info(`serving thread ${number} is recycled: ${reason}`, { thread: number });
      this.#recycled.add(worker);
      this.#replacements.set(worker, this.#spawn());
      await this.#until(() => this.#isClosing || worker.state !== 'serving' || !this.#replacements.has(worker));
    }
  }

  #leavingCount(): number {
    return [...this.#workers].filter(({ state }) => state === 'leaving' || state === 'lingering').length;
  }

  /** The replacement serves: the old thread ends, with its requests if it has come to life again meanwhile. */
  async #retire(worker: ServingWorker): Promise<void> {
    if (this.#recycled.delete(worker)) {
      this.#leave(worker, true);
      return;
    }
    if (worker.silenceMs(performance.now()) < turnsWithinMs) {
      this.#options.logger.info(`serving thread ${worker.threadNumber} runs again; it ends what it has under way`);
      this.#leave(worker, false);
      return;
    }
    if (worker.state === 'serving' && worker.descriptor !== undefined) await muteDescriptor(worker.descriptor);
    await this.#end(worker);
  }

  #leave(worker: ServingWorker, isPatient: boolean): void {
    worker.state = isPatient ? 'lingering' : 'leaving';
    worker.enqueue(() => ({ type: 'drain', isPatient }));
    const timer = setTimeout(() => void this.#end(worker), isPatient ? recycleWithinMs : leaveWithinMs);
    timer.unref();
    this.#changed();
  }

  async #end(worker: ServingWorker): Promise<void> {
    const hasEnded = await worker.terminate();
    if (hasEnded) return;
    this.#abandoned += 1;
    this.#workers.delete(worker);
    this.#replacements.delete(worker);
    this.#left(worker);
    this.#options.logger.error(`serving thread ${worker.threadNumber} does not end; it is left to itself`);
  }
}
