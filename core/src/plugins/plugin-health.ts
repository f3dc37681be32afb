/**
 * Whether a plugin's hooks are called at all: not while it is disabled, and not while its breaker is open. The breaker opens after
 * failures in a row (or at an error rate), skips the plugin for a cool-down, then lets one call through: it closes when that
 * call is right, and opens again when it is not. A hook that went on failing opens it again with its next failure.
 */
import type { HookEntry } from './hook-entry.ts';
import type { BreakerOptions, PluginInstance } from './instance.ts';

const defaultBreaker = { failures: 20, coolDownMs: 10_000, windowMs: 10_000 } as const;

/** Fewer calls than these in a window say nothing of a rate. */
const minimumCalls = 20;

/** `degraded`: the breaker is open, or a hook is slower than its budget. */
export type PluginState = 'active' | 'degraded' | 'disabled';

/** Why a hook was not called. */
export type OffReason = 'disabled' | 'breaker';

/** What a hook's figures were when the window began. */
interface CallWindow {
  readonly start: number;
  readonly calls: number;
  readonly failures: number;
}

export class PluginHealth {
  /** True where a call has to ask `admit` first; false costs a call nothing more. */
  isOff = false;
  isDisabled = false;
  readonly #instance: PluginInstance;
  readonly #options: Required<Omit<BreakerOptions, 'errorRate'>> & { readonly errorRate: number };
  /** Why the breaker is open; undefined while it is closed. */
  #openReason: string | undefined;
  #openUntil = 0;
  #trial: HookEntry | undefined;
  /** Hooks that are slower than the plugin's budget, with the words for it. */
  #slowHooks: Map<string, string> | undefined;
  #windows: Map<HookEntry, CallWindow> | undefined;

  constructor(instance: PluginInstance) {
    this.#instance = instance;
    const { breaker } = instance;
    const stated = breaker === false ? { failures: Number.POSITIVE_INFINITY } : breaker;
    this.#options = { errorRate: Number.POSITIVE_INFINITY, ...defaultBreaker, ...stated };
  }

  get state(): PluginState {
    if (this.isDisabled) return 'disabled';
    return this.#openReason === undefined && this.#slowHooks === undefined ? 'active' : 'degraded';
  }

  /** Why the plugin is degraded; undefined while it is not. */
  get reason(): string | undefined {
    return this.#openReason ?? this.#slowHooks?.values().next().value;
  }

  /** Whether `entry` may be called; the first call after the cool-down is the trial. Asked only while `isOff`. */
  admit(entry: HookEntry, now: number): OffReason | undefined {
    if (this.isDisabled) return 'disabled';
    if (this.#trial !== undefined || now < this.#openUntil) return 'breaker';
    this.#trial = entry;
    return undefined;
  }

  /** A call was right. */
  succeeded(entry: HookEntry): void {
    if (this.#trial !== entry) return;
    this.#trial = undefined;
    this.#openReason = undefined;
    this.isOff = this.isDisabled;
    this.#tellRecovery();
  }

  /** A call failed; `entry.failuresInARow` counts it already. */
  failed(entry: HookEntry, now: number): void {
    if (this.#trial === entry) {
      this.#trial = undefined;
      this.#openUntil = now + this.#options.coolDownMs;
      return;
    }
    if (this.#openReason !== undefined) return;
    if (entry.failuresInARow >= this.#options.failures) {
      this.#open(`${entry.hook} failed ${entry.failuresInARow} times in a row`, now);
    } else if (this.#options.errorRate <= 1) this.#countInWindow(entry, now);
  }

  /** For good: until the plugin is loaded again. */
  disable(): void {
    this.isDisabled = true;
    this.isOff = true;
  }

  /** A hook was within its budget over a window. */
  wasInBudget(entry: HookEntry): void {
    if (this.#slowHooks?.delete(entry.hook) !== true) return;
    if (this.#slowHooks.size === 0) this.#slowHooks = undefined;
    this.#tellRecovery();
  }

  /** A hook was slower than its budget over a window: that opens the breaker, where there is one. */
  exceededBudget(entry: HookEntry, why: string, now: number): void {
    const isNew = this.#slowHooks?.has(entry.hook) !== true;
    (this.#slowHooks ??= new Map()).set(entry.hook, why);
    if (this.#options.failures === Number.POSITIVE_INFINITY && this.#options.errorRate > 1) {
      if (isNew) this.#tellDegraded(why);
    } else if (this.#openReason === undefined && !this.isDisabled) this.#open(why, now);
  }

  /** A call took longer than the budget: as the trial of an open breaker it has failed. */
  noteSlowTrial(entry: HookEntry, now: number): void {
    if (this.#trial !== entry || this.#slowHooks?.has(entry.hook) !== true) return;
    this.#trial = undefined;
    this.#openUntil = now + this.#options.coolDownMs;
  }

  /** Counts over the window are taken from the figures, and only when something fails: a good call pays nothing for them. */
  #countInWindow(entry: HookEntry, now: number): void {
    const { calls, errors, timeouts } = entry.figures;
    const windows = (this.#windows ??= new Map());
    let window = windows.get(entry);
    if (window === undefined || now - window.start > this.#options.windowMs) {
      window = { start: now, calls: calls - 1, failures: errors + timeouts - 1 };
      windows.set(entry, window);
    }
    const [recent, failures] = [calls - window.calls, errors + timeouts - window.failures];
    if (recent < minimumCalls || failures < recent * this.#options.errorRate) return;
    windows.delete(entry);
    this.#open(`${failures} of the last ${recent} calls of ${entry.hook} failed`, now);
  }

  #open(why: string, now: number): void {
    this.#openReason = `${why}; its hooks are left out for ${this.#options.coolDownMs} ms, then one call tries it again`;
    this.#openUntil = now + this.#options.coolDownMs;
    this.isOff = true;
    this.#tellDegraded(this.#openReason);
  }

  #tellDegraded(why: string): void {
    this.#instance.log('warn', `plugin ${this.#instance.name} is degraded: ${why}`, { plugin: this.#instance.name });
    this.#instance.onDegraded?.(why);
  }

  #tellRecovery(): void {
    if (this.state !== 'active') return;
    this.#instance.log('info', `plugin ${this.#instance.name} is active again`, { plugin: this.#instance.name });
    this.#instance.onRecovered?.();
  }
}
