/** What one hook of one plugin costs and how often it fails, in one thread or summed over several. */
import { DurationBuckets } from './duration-buckets.ts';
import type { DurationHistogram } from './duration-buckets.ts';

/** One hook's figures, as plain data. Times in milliseconds. */
export interface HookFiguresSnapshot {
  readonly calls: number;
  /** Throws, rejections and results of a wrong shape. */
  readonly errors: number;
  readonly timeouts: number;
  /** `inject` calls left out because too many were under way. */
  readonly dropped: number;
  /** Calls that were not made: requests whose filter does not match, a disabled plugin, an open breaker, a policy of `skip`. */
  readonly skipped: SkippedCounts;
  readonly totalMs: number;
  /** Undefined before the first call. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Calls by duration: what figures of several threads are merged by. */
  readonly buckets: readonly number[];
}

export interface SkippedCounts {
  readonly filter: number;
  readonly disabled: number;
  readonly breaker: number;
  readonly policy: number;
}

export class HookFigures {
  errors = 0;
  timeouts = 0;
  dropped = 0;
  readonly skipped: { -readonly [Reason in keyof SkippedCounts]: number } = {
    filter: 0,
    disabled: 0,
    breaker: 0,
    policy: 0,
  };
  readonly #durations = new DurationBuckets();

  get calls(): number {
    return this.#durations.count;
  }

  record(durationMs: number): void {
    this.#durations.record(durationMs);
  }

  /** The duration that `share` of all calls did not exceed, in milliseconds; undefined before the first call. */
  percentile(share: number): number | undefined {
    return this.#durations.percentile(share);
  }

  add(other: HookFiguresSnapshot): void {
    this.errors += other.errors;
    this.timeouts += other.timeouts;
    this.dropped += other.dropped;
    this.skipped.filter += other.skipped.filter;
    this.skipped.disabled += other.skipped.disabled;
    this.skipped.breaker += other.skipped.breaker;
    this.skipped.policy += other.skipped.policy;
    this.#durations.add({ count: other.calls, totalMs: other.totalMs, buckets: other.buckets });
  }

  snapshot(): HookFiguresSnapshot {
    const { count, totalMs, buckets }: DurationHistogram = this.#durations.histogram();
    const [p50Ms, p99Ms] = [this.percentile(0.5), this.percentile(0.99)];
    return {
      calls: count,
      errors: this.errors,
      timeouts: this.timeouts,
      dropped: this.dropped,
      skipped: { ...this.skipped },
      totalMs,
      buckets,
      ...(p50Ms === undefined ? {} : { p50Ms }),
      ...(p99Ms === undefined ? {} : { p99Ms }),
    };
  }
}
