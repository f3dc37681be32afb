import { starvedFactor } from './processor-wait.ts';
import type { ServingWorker } from './serving-worker.ts';

export interface WatchLimits {
  /** A thread whose event loop stands still for longer is blocked. Time in which it had no processor is not counted, up to ten times as much. */
  readonly blockedAfterMs: number;
  /** The same while a plugin's hook runs in it, or its code is found on the stack. */
  readonly pluginBlockedAfterMs: number;
  /** Bytes of heap and buffers that a thread may have; 0: any. Asked for only while `mayGrow`. */
  readonly maxThreadBytes: number;
}

export interface WatchOptions {
  readonly limits: WatchLimits;
  readonly workers: () => readonly ServingWorker[];
  /** Whether there is code in the threads that is not ours. */
  readonly mayGrow: () => boolean;
  readonly onBlocked: (worker: ServingWorker, silenceMs: number) => void;
  /** It stands still for nearly as long as a plugin may hold it, and no hook's mark says why. Told at every look while it is so. */
  readonly onSilent: (worker: ServingWorker) => void;
  /** So many threads are late: they may turn out to be blocked. Told at every look while it is so. */
  readonly onSuspicion: (count: number) => void;
  readonly onTooLarge: (worker: ServingWorker, bytes: number) => void;
  /** It did not serve in time. */
  readonly onLate: (worker: ServingWorker, withinMs: number) => void;
  /** Every 10 s. */
  readonly onRefresh: () => void;
}

const watchEveryMs = 100;
/** A look that comes later by as much: the supervisor itself was not run (suspended machine, stopped process), which is no thread's fault. */
const lateLookMs = 500;
/** A hook is seen late by as much: the thread's last beat may lie before it, and the look after it. */
const seenLateMs = 200;
/** A thread beats every 100 ms. What it waits for a processor is counted from the first look that finds it late. */
const lateBeatMs = 150;
/** A look that comes later by as much shows a machine that is short of time: the wait is counted from every look. */
const shortOfTimeMs = 30;
/** A thread that is silent for longer inside a plugin's hook is suspected. */
const hookSuspectAfterMs = 250;
/**
 * The share of the time inside a hook for which the thread must have had a processor: one that is short of time may be found in the
 * same hook at every look, and be in another call of it each time.
 */
const hookOwnShare = 0.4;
/** The share of a plugin's time after which the stack is looked at, which takes a while. */
const lookShare = 0.8;
/** The same of any other thread, as a share of what it may be silent for: the machine may be short of time. */
const suspectShare = 0.4;
/** A map that grows without end fills some 10 MB in that time. */
const weighEveryMs = 25;
const refreshEveryMs = 10_000;
const startWithinMs = 30_000;
/** While a plugin is imported or initialised, a thread may stand still for longer: compiling is work too. */
const loadBlockedAfterMs = 10_000;

/** Looks after the serving threads: whether they turn, how large they are. What follows is the supervisor's business. */
export class ThreadWatch {
  readonly #options: WatchOptions;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #weighing = new Set<ServingWorker>();
  #lastWatchAt = 0;
  #lastRefreshAt = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Further calls do nothing. */
  start(): void {
    if (this.#timers.length > 0) return;
    this.#timers.push(setInterval(() => this.#look(), watchEveryMs));
    if (this.#options.limits.maxThreadBytes > 0)
      this.#timers.push(setInterval(() => this.#weighAll(), weighEveryMs).unref());
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #look(): void {
    const { workers, onSuspicion, onLate, onRefresh } = this.#options;
    const now = performance.now();
    const lateMs = this.#lastWatchAt === 0 ? 0 : now - this.#lastWatchAt - watchEveryMs;
    this.#lastWatchAt = now;
    if (now - this.#lastRefreshAt > refreshEveryMs) {
      this.#lastRefreshAt = now;
      onRefresh();
    }
    let suspects = 0;
    for (const worker of workers()) {
      let silenceMs = worker.silenceMs(now);
      if (lateMs > lateLookMs) {
        worker.forgiveSilence(lateMs);
        silenceMs = worker.silenceMs(now);
      }
      if (worker.state === 'starting' && now - worker.startedAt > startWithinMs) onLate(worker, startWithinMs);
      else if (silenceMs > lateBeatMs || lateMs > shortOfTimeMs) {
        if (this.#judge(worker, silenceMs, now)) suspects += 1;
      } else worker.hookMs(now);
    }
    if (suspects > 0) onSuspicion(suspects);
  }

  /** Says so where the thread is blocked; true where it may turn out to be. */
  #judge(worker: ServingWorker, silenceMs: number, now: number): boolean {
    const { limits, onBlocked, onSilent } = this.#options;
    const hookMs = worker.hookMs(now);
    const ownMs = silenceMs - worker.waitedMs();
    const { loading } = worker.pluginMarks;
    const isServing = loading === 0 && (worker.state === 'serving' || worker.state === 'lingering');
    const patienceMs =
      loading !== 0 ? loadBlockedAfterMs : isServing ? limits.blockedAfterMs : Number.POSITIVE_INFINITY;
    if (ownMs > patienceMs || silenceMs > starvedFactor * patienceMs) onBlocked(worker, silenceMs);
    else if (isServing && this.#isHookOver(Math.min(silenceMs, hookMs + seenLateMs), ownMs))
      onBlocked(worker, silenceMs);
    else {
      if (isServing && hookMs === 0 && ownMs > lookShare * limits.pluginBlockedAfterMs) onSilent(worker);
      return ownMs > (hookMs > 0 ? hookSuspectAfterMs : patienceMs * suspectShare);
    }
    return false;
  }

  #isHookOver(hookMs: number, ownMs: number): boolean {
    const { pluginBlockedAfterMs } = this.#options.limits;
    return hookMs > pluginBlockedAfterMs && ownMs > hookOwnShare * pluginBlockedAfterMs;
  }

  #weighAll(): void {
    const { mayGrow, workers } = this.#options;
    for (const worker of workers()) {
      // A thread inside a native call answers late: it is asked once.
      if (this.#weighing.has(worker) || !(mayGrow() || worker.pluginMarks.loading !== 0)) continue;
      this.#weighing.add(worker);
      void this.#weigh(worker).finally(() => this.#weighing.delete(worker));
    }
  }

  async #weigh(worker: ServingWorker): Promise<void> {
    const { limits, onTooLarge } = this.#options;
    const bytes = await worker.memoryBytes();
    if (bytes !== undefined && bytes > limits.maxThreadBytes) onTooLarge(worker, bytes);
  }
}
