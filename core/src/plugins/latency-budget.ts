/**
 * Watches one hook's p99 over successive windows, for plugins with a latency budget. A window above it is a failure of the hook like
 * any other: its breaker opens, and what then becomes of requests is the hook's policy.
 */
import { DurationBuckets } from './duration-buckets.ts';
import type { HookEntry } from './hook-entry.ts';
import { countSlowWindow } from './hook-failure.ts';

const windowMs = 10_000;
/** A p99 of fewer calls is one call's luck: the window goes on until they have come. */
const minimumCalls = 100;

export class LatencyBudget {
  readonly #budgetMs: number;
  #buckets = new DurationBuckets();
  #windowStart = Number.NaN;

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs;
  }

  /** Counts a call that ended at `now` (`performance.now()`); at the end of a window the plugin's health hears of it. */
  record(entry: HookEntry, durationMs: number, now: number): void {
    if (Number.isNaN(this.#windowStart)) this.#windowStart = now;
    this.#buckets.record(durationMs);
    if (durationMs > this.#budgetMs) entry.slot.health.noteSlowTrial(entry, now);
    if (now - this.#windowStart < windowMs || this.#buckets.count < minimumCalls) return;
    const p99 = this.#buckets.percentile(0.99) ?? 0;
    const why =
      p99 > this.#budgetMs
        ? `the p99 of ${entry.hook} was ${p99.toPrecision(3)} ms over its last ${this.#buckets.count} calls, above its budget of ${this.#budgetMs} ms`
        : undefined;
    this.#buckets = new DurationBuckets();
    this.#windowStart = now;
    countSlowWindow(entry, why, now);
  }
}
