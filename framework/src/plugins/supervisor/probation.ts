/**
 * Watches a new version of a plugin for a while after its swap, with the version before in reserve in all threads. One that fails
 * too often gives its place back; the next change, whatever it is, ends the watch.
 */
import type { PluginSlot } from './managed-plugin.ts';
import type { ThreadAnswer } from './thread-group.ts';

export interface ProbationLimits {
  /** How often the figures are looked at. @default 500 */
  readonly everyMs?: number;
}

export interface ProbationOptions {
  readonly limits: ProbationLimits;
  readonly collect: () => Promise<readonly ThreadAnswer[]>;
  /** The version before is to serve again. */
  readonly rollBack: (slot: PluginSlot, reason: string) => Promise<void>;
  /** The reserve is not needed any more. */
  readonly settle: () => void;
}

const defaultProbationMs = 30_000;
const defaultFailureRate = 0.5;
const defaultMinCalls = 20;

interface Tally {
  readonly calls: number;
  readonly failures: number;
  /** Why it is not called in some thread: its breaker opened, or it was disabled. */
  readonly degraded: string | undefined;
}

/** Calls and failures of all hooks of a load, in the threads that serve it. */
function tallyOf({ entry, load }: PluginSlot, answers: readonly ThreadAnswer[]): Tally {
  let [calls, failures] = [0, 0];
  let degraded: string | undefined;
  for (const { report } of answers) {
    if (!report.statuses.some((status) => status.load === load.load)) continue;
    for (const figures of report.figures.filter(({ plugin }) => plugin === entry.name)) {
      // Left out for its failures; a hook that is only slow is no reason to go back.
      if (figures.state !== 'active' && figures.failuresInARow > 0) degraded = figures.reason ?? 'it is degraded';
      for (const hook of Object.values(figures.hooks)) {
        calls += hook.calls;
        failures += hook.errors + hook.timeouts;
      }
    }
  }
  return { calls, failures, degraded };
}

export class Probation {
  readonly #options: ProbationOptions;
  #watched: { readonly slot: PluginSlot; readonly startedAt: number } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProbationOptions) {
    this.#options = options;
  }

  /** The slot that is to be watched when it takes the place of `before`; undefined where nothing could come back. */
  wanted(before: PluginSlot, fresh: readonly PluginSlot[]): PluginSlot | undefined {
    const slot = fresh.find(({ entry }) => entry.name === before.entry.name);
    if (slot === undefined || !before.load.isServing || !slot.load.isServing) return undefined;
    const { rollback, probationMs = defaultProbationMs } = slot.entry;
    return rollback === false || probationMs === 0 ? undefined : slot;
  }

  begin(slot: PluginSlot): void {
    this.stop();
    this.#watched = { slot, startedAt: performance.now() };
    this.#timer = setInterval(() => void this.#look(), this.#options.limits.everyMs ?? 500).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#watched = undefined;
  }

  async #look(): Promise<void> {
    const watched = this.#watched;
    if (watched === undefined) return;
    const { slot, startedAt } = watched;
    const { collect, settle, rollBack } = this.#options;
    const answers = await collect();
    if (this.#watched !== watched) return;
    const elapsedMs = performance.now() - startedAt;
    const reason = reasonAgainst(slot, tallyOf(slot, answers), elapsedMs);
    if (reason === undefined && elapsedMs < (slot.entry.probationMs ?? defaultProbationMs)) return;
    this.stop();
    if (reason === undefined) settle();
    // A rollback that cannot be made is in the status as any other failure.
    else await rollBack(slot, reason).catch(() => settle());
  }
}

function reasonAgainst({ entry }: PluginSlot, tally: Tally, elapsedMs: number): string | undefined {
  const { failureRate = defaultFailureRate, minCalls = defaultMinCalls } = entry.rollback || {};
  const { calls, failures, degraded } = tally;
  const since = `within ${Math.max(1, Math.round(elapsedMs / 1000))} s of the swap`;
  if (degraded !== undefined) return `${degraded}, ${since}`;
  if (calls < minCalls || failures <= calls * failureRate) return undefined;
  return `${failures} of ${calls} calls failed ${since}`;
}
