import { performance } from 'node:perf_hooks';
import { GatewayError } from '@bifrost/sdk';
import type { LogSink, Logger } from '../logging/logger.ts';
import { MetricsExchange } from './metrics-exchange.ts';
import { processStates } from './messages.ts';
import type { FromThread, ThreadConfig, ThreadStart } from './messages.ts';
import { muteDescriptor } from './mute-descriptor.ts';
import { ServingWorker } from './serving-worker.ts';

export interface SupervisorOptions {
  /** Serving threads, at least 1. */
  readonly threads: number;
  /** A thread whose event loop stands still for longer is replaced. */
  readonly blockedAfterMs: number;
  readonly start: Omit<ThreadStart, 'heartbeat' | 'processState' | 'threadNumber'>;
  readonly logger: Logger;
  /** Takes the records of the threads, which have passed their threshold. */
  readonly logSink: LogSink;
}

const watchEveryMs = 200;
const refreshEveryMs = 10_000;
const startWithinMs = 30_000;
const leaveWithinMs = 30_000;
const maxRestartDelayMs = 10_000;
/** A thread that lived this long was no failed start: its replacement comes at once. */
const soundLifeMs = 5000;

/**
 * Keeps N threads serving: starts them, hands out configuration, replaces those that crash or stand still, and drains them. It
 * accepts no connection itself.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #workers = new Set<ServingWorker>();
  readonly #replacements = new Map<ServingWorker, ServingWorker>();
  readonly #metrics = new MetricsExchange();
  readonly #processState = new SharedArrayBuffer(4);
  readonly #drained = new Set<ServingWorker>();
  readonly #configured = new Map<ServingWorker, number>();
  #config: ThreadConfig | undefined;
  #nextNumber = 1;
  #failedStarts = 0;
  #isClosing = false;
  #abandoned = 0;
  readonly #waiters = new Set<() => void>();
  #startError: Error | undefined;
  #watchTimer: NodeJS.Timeout | undefined;
  #lastWatchAt = 0;
  #lastRefreshAt = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
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

  /** Hands out the configuration and resolves when every thread serves on it. Rejects with what kept a first thread from it. */
  async configure(config: ThreadConfig): Promise<void> {
    this.#config = config;
    const endsAt = performance.now() + startWithinMs;
    const deadline = setTimeout(() => this.#changed(), startWithinMs + 1);
    for (const worker of this.#workers) worker.post({ type: 'configure', config });
    await this.#until(() => {
      if (this.#startError !== undefined) throw this.#startError;
      if (performance.now() > endsAt)
        throw new GatewayError(`not all serving threads took the configuration within ${startWithinMs} ms`, {
          code: 'BF_HTTP_THREAD_FAILED',
          statusCode: 500,
        });
      const workers = [...this.#workers].filter(({ state }) => state === 'starting' || state === 'serving');
      return workers.length > 0 && workers.every((worker) => this.#configured.get(worker) === config.version);
    }).finally(() => clearTimeout(deadline));
    Atomics.store(new Int32Array(this.#processState), 0, processStates.ready);
    this.#watchTimer ??= setInterval(() => this.#watch(), watchEveryMs);
  }

  /** Ends all threads: requests under way get `graceMs` to end, then the threads are ended. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    Atomics.store(new Int32Array(this.#processState), 0, processStates.draining);
    const workers = [...this.#workers];
    const deadline = setTimeout(() => this.#changed(), graceMs);
    const endsAt = performance.now() + graceMs;
    for (const worker of workers) worker.post({ type: 'drain' });
    await this.#until(
      () =>
        performance.now() >= endsAt - 1 ||
        workers.every((worker) => worker.state === 'ended' || this.#drained.has(worker)),
    );
    clearTimeout(deadline);
    clearInterval(this.#watchTimer);
    const late = workers.filter((worker) => worker.state !== 'ended' && !this.#drained.has(worker));
    if (late.length > 0) this.#options.logger.warn('requests were still under way when the drain window ended');
    await Promise.all(workers.map((worker) => this.#end(worker)));
  }

  /** Ends all threads now. */
  async kill(): Promise<void> {
    this.#isClosing = true;
    clearInterval(this.#watchTimer);
    await Promise.all([...this.#workers].map((worker) => this.#end(worker)));
    this.#changed();
  }

  #serving(): ServingWorker[] {
    return [...this.#workers].filter(({ state }) => state === 'serving');
  }

  #spawn(): ServingWorker {
    const { start } = this.#options;
    const threadStart = { ...start, threadNumber: this.#nextNumber++, processState: this.#processState };
    const worker = new ServingWorker(threadStart, this);
    this.#workers.add(worker);
    if (this.#config !== undefined) worker.post({ type: 'configure', config: this.#config });
    return worker;
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
      case 'part':
        this.#metrics.receive(worker, message.id, message.part);
        return;
      case 'gather':
        this.#metrics.gather(
          worker,
          message.id,
          this.#serving().filter((other) => other !== worker),
        );
        return;
      case 'ready':
        worker.descriptor = message.descriptor;
        this.#becameReady(worker);
        break;
      case 'configured':
        this.#configured.set(worker, message.version);
        break;
      case 'failed':
        this.#failed(worker, message.code, message.message);
        break;
      case 'drained':
        this.#drained.add(worker);
        if (worker.state === 'leaving') void this.#end(worker);
        break;
    }
    this.#changed();
  }

  onExit(worker: ServingWorker, error: Error | undefined): void {
    this.#workers.delete(worker);
    this.#configured.delete(worker);
    this.#metrics.retire(worker);
    if (error !== undefined && !this.#isClosing && !this.#replacements.has(worker)) this.#replaceCrashed(worker, error);
    this.#replacements.delete(worker);
    // A replacement that did not come up: the watch sees that its place is still to be taken.
    for (const [old, replacement] of this.#replacements) if (replacement === worker) this.#replacements.delete(old);
    this.#changed();
  }

  #becameReady(worker: ServingWorker): void {
    if (worker.state === 'starting') worker.state = 'serving';
    worker.forgiveSilence(performance.now());
    this.#configured.set(worker, this.#config?.version ?? 0);
    for (const [old, replacement] of this.#replacements) {
      if (replacement === worker) void this.#retire(old);
    }
  }

  /** A thread could not take its configuration. At the start that ends the start; later the thread is replaced. */
  #failed(worker: ServingWorker, code: string, message: string): void {
    if (this.#watchTimer === undefined) {
      this.#startError = new GatewayError(message, { code, statusCode: 500 });
      return;
    }
    this.#options.logger.error(`serving thread ${worker.threadNumber} failed: ${message}`, { code });
    void this.#end(worker).then(() => this.#respawn());
  }

  #replaceCrashed(worker: ServingWorker, error: Error): void {
    const { threadNumber } = worker;
    const detail = { thread: threadNumber, error: error.stack ?? String(error) };
    if (this.#watchTimer === undefined) {
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

  /** At once the first times, then with growing pauses: a thread that cannot start must not keep a core busy. */
  #respawn(): void {
    const delayMs = this.#failedStarts <= 3 ? 0 : Math.min(maxRestartDelayMs, 100 * 2 ** (this.#failedStarts - 3));
    setTimeout(() => {
      if (!this.#isClosing && this.#workers.size - this.#replacements.size < this.#options.threads) this.#spawn();
    }, delayMs);
  }

  #watch(): void {
    const now = performance.now();
    // The supervisor itself was not run for a while (suspended machine, stopped process): nobody's fault.
    const stoodStill = this.#lastWatchAt !== 0 && now - this.#lastWatchAt > watchEveryMs * 5;
    this.#lastWatchAt = now;
    if (now - this.#lastRefreshAt > refreshEveryMs) {
      this.#lastRefreshAt = now;
      this.#metrics.refresh(this.#serving());
    }
    for (const worker of this.#workers) {
      if (stoodStill) worker.forgiveSilence(now);
      const silenceMs = worker.silenceMs(now);
      if (this.#isClosing) continue;
      if (worker.state === 'starting' && now - worker.startedAt > startWithinMs) {
        this.#failed(worker, 'BF_HTTP_THREAD_FAILED', `it was not ready within ${startWithinMs} ms`);
      }
      const isBlocked = worker.state === 'serving' && silenceMs > this.#options.blockedAfterMs;
      if (isBlocked && !this.#replacements.has(worker)) this.#replaceBlocked(worker, silenceMs);
    }
  }

  #replaceBlocked(worker: ServingWorker, silenceMs: number): void {
    const { threadNumber } = worker;
    this.#options.logger.error(
      `serving thread ${threadNumber} has been blocked for ${Math.round(silenceMs)} ms; a new one takes its place`,
      { thread: threadNumber, blocked_ms: Math.round(silenceMs) },
    );
    this.#replacements.set(worker, this.#spawn());
  }

  /** The replacement serves: the old thread ends, with its requests if it has come to life again meanwhile. */
  async #retire(worker: ServingWorker): Promise<void> {
    if (worker.silenceMs(performance.now()) < this.#options.blockedAfterMs) {
      this.#options.logger.info(`serving thread ${worker.threadNumber} runs again; it ends what it has under way`);
      worker.state = 'leaving';
      worker.post({ type: 'drain' });
      setTimeout(() => void this.#end(worker), leaveWithinMs).unref();
      return;
    }
    if (worker.state === 'serving' && worker.descriptor !== undefined) await muteDescriptor(worker.descriptor);
    await this.#end(worker);
  }

  async #end(worker: ServingWorker): Promise<void> {
    const hasEnded = await worker.terminate();
    if (hasEnded) return;
    this.#abandoned += 1;
    this.#workers.delete(worker);
    this.#replacements.delete(worker);
    this.#metrics.retire(worker);
    this.#options.logger.error(`serving thread ${worker.threadNumber} does not end; it is left to itself`);
  }
}
