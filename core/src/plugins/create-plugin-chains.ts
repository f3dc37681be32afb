/** Builds the chains of one snapshot: sorted once, filters compiled once, null where no plugin has the hook. */
import type { HttpRequest, RequestFacts, RequestTrace } from '@bifrost/sdk';
import { RequestRecording } from './call-recorder.ts';
import type { CallRecorder } from './call-recorder.ts';
import { ChainRun } from './chain-run.ts';
import type { PluginChains, PluginRun, SignalSource } from './chain.ts';
import { createEntries, createShadowEntries } from './create-entries.ts';
import type { HookEntry } from './hook-entry.ts';
import { HookObservers } from './hook-observer.ts';
import type { HookObserver } from './hook-observer.ts';
import { InjectQueue } from './inject-queue.ts';
import type { PluginInstance } from './instance.ts';
import { figuresOf } from './plugin-figures.ts';
import type { PluginFigures } from './plugin-figures.ts';
import { createSlots } from './plugin-slot.ts';
import type { PluginSlot } from './plugin-slot.ts';
import { explainHeader, RequestExplanation } from './request-explanation.ts';
import { Shadow } from './shadow.ts';
import type { ShadowComparison } from './shadow-comparison.ts';
import { RequestPlans } from './request-plans.ts';
import type { RequestPlan } from './request-plans.ts';
import type { RunOwner, SortedChains } from './sorted-chains.ts';

export interface PluginChainsOptions {
  /** Freezes every hook input to its depth, so that a plugin that changes its input in place fails. For development and tests. */
  readonly areInputsFrozen?: boolean;
  /** `inject` calls of one plugin that may be under way at once. @default 10000 */
  readonly injectConcurrency?: number;
  /** Draws a request's number for `filter.sampling`. @default Math.random */
  readonly random?: () => number;
  /**
   * Shared memory in which a supervisor sees which plugin runs. Cell 0 holds the mark of the hook that runs inline now (see
   * `readRunningMark`), 0 when none does; cell n + 1, where the array is that long, how many promises of the plugin with slot
   * number n have not settled.
   */
  readonly running?: Int32Array;
  /** The slot number of the first plugin, where several sets of chains write into one `running`. @default 0 */
  readonly firstSlotNumber?: number;
  /** Is handed the hook calls of the requests that it wants, `inject` excepted. */
  readonly recorder?: CallRecorder;
}

/** The chains with what their host needs to know of them. */
export interface PluginChainSet extends PluginChains {
  figures(): readonly PluginFigures[];
  /** How the shadows' decisions compare; empty where there is none. */
  comparisons(): readonly ShadowComparison[];
  /** The plugins' names by their slot numbers in `running`. */
  readonly slotNames: ReadonlyMap<number, string>;
  /** Requests that were opened and whose last `inject` has not ended, and calls of shadows that have not. */
  readonly inFlight: number;
  /** Resolves as soon as nothing is in flight. */
  whenIdle(): Promise<void>;
}

class ChainSet implements PluginChainSet, RunOwner {
  readonly needs: PluginChains['needs'];
  readonly chains: SortedChains;
  readonly areInputsFrozen: boolean;
  readonly slots: readonly PluginSlot[];
  readonly noContexts: readonly undefined[];
  readonly running: Int32Array;
  /** The slots whose plugins want to know when a request ends. */
  readonly #endSlots: readonly PluginSlot[];
  readonly #entries: readonly HookEntry[];
  readonly #plans: RequestPlans;
  /** For each entry that looks at a request for itself, that it does not say no; copied where one does. */
  readonly #noneRejected: readonly boolean[];
  readonly #inject: InjectQueue | null;
  readonly #random: () => number;
  readonly #recorder: CallRecorder | undefined;
  readonly #shadows: readonly Shadow[];
  #inFlight = 0;
  #idleListeners: (() => void)[] = [];

  constructor(instances: readonly PluginInstance[], options: PluginChainsOptions) {
    this.slots = createSlots(instances, options.firstSlotNumber ?? 0);
    this.#endSlots = this.slots.filter(({ instance }) => instance.onRequestEnd !== undefined);
    this.running = options.running ?? new Int32Array(1);
    this.#shadows = this.slots.flatMap((slot) => this.#createShadow(slot));
    const entries = createEntries(this.slots);
    this.#entries = [...entries.values()].flat();
    this.#plans = new RequestPlans(entries);
    this.chains = this.#plans.whole.chains;
    this.needs = this.#plans.whole.needs;
    this.#noneRejected = this.#entries.filter((entry) => entry.requestTestIndex >= 0).map(() => false);
    this.noContexts = this.slots.map(() => undefined);
    this.areInputsFrozen = options.areInputsFrozen ?? false;
    this.#random = options.random ?? Math.random;
    this.#recorder = options.recorder;
    this.#inject =
      this.chains.inject === null
        ? null
        : new InjectQueue({
            entries: this.chains.inject,
            concurrency: options.injectConcurrency ?? 10_000,
            areInputsFrozen: this.areInputsFrozen,
            running: this.running,
            onDone: (run) => this.#release(run),
          });
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get slotNames(): ReadonlyMap<number, string> {
    return new Map(this.slots.map((slot) => [slot.number, slot.instance.name]));
  }

  open(facts: RequestFacts, headers: HttpRequest['headers'], signal: AbortSignal | SignalSource): PluginRun | null {
    if (this.#entries.length === 0) return null;
    const plan = this.#plans.of(facts);
    plan.requests += 1;
    if (plan.size === 0) return null;
    const rejected = plan.tests.length === 0 ? null : this.#reject(plan, facts, headers);
    if (rejected === 'all') return null;
    this.#inFlight += 1;
    const explanation = headers[explainHeader] === 'true' ? new RequestExplanation() : null;
    const observer = this.#observerOf(facts, explanation);
    return new ChainRun(this, facts, { signal, plan, rejected, explanation, observer });
  }

  #observerOf(facts: RequestFacts, explanation: RequestExplanation | null): HookObserver | null {
    const recorder = this.#recorder;
    const isRecorded = recorder?.wants(facts) === true;
    if (explanation === null && !isRecorded && this.#shadows.length === 0) return null;
    const observers: HookObserver[] = explanation === null ? [] : [explanation];
    if (recorder !== undefined && isRecorded) observers.push(new RequestRecording(recorder));
    for (const shadow of this.#shadows) if (shadow.wants(facts)) observers.push(shadow.observe());
    return observers.length <= 1 ? (observers[0] ?? null) : new HookObservers(observers);
  }

  #createShadow(slot: PluginSlot): readonly Shadow[] {
    const trial = slot.instance.shadow;
    if (trial === undefined) return [];
    const onBegin = (): void => void (this.#inFlight += 1);
    const onEnd = (): void => this.#leave();
    const entries = createShadowEntries(slot);
    return [new Shadow({ slot, trial, entries, running: this.running, onBegin, onEnd })];
  }

  finish(run: ChainRun, trace: RequestTrace): void {
    if (this.#inject === null) this.#release(run);
    else this.#inject.push(run, trace);
  }

  figures(): readonly PluginFigures[] {
    this.#plans.settle();
    const shadowEntries = this.#shadows.flatMap((shadow) => [...shadow.entries.values()]);
    return this.slots.map((slot) =>
      figuresOf(
        slot,
        [...this.#entries, ...shadowEntries].filter((entry) => entry.slot === slot),
      ),
    );
  }

  comparisons(): readonly ShadowComparison[] {
    return this.#shadows.map((shadow) => shadow.comparison());
  }

  whenIdle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleListeners.push(resolve));
  }

  #reject(
    { tests, size }: RequestPlan,
    facts: RequestFacts,
    headers: HttpRequest['headers'],
  ): readonly boolean[] | null | 'all' {
    const sample = this.#random();
    let rejected: boolean[] | null = null;
    let rejections = 0;
    for (const entry of tests) {
      if (entry.filter.request?.(facts, headers, sample) !== false) continue;
      entry.figures.skipped.filter += 1;
      rejected ??= this.#noneRejected.slice();
      rejected[entry.requestTestIndex] = true;
      rejections += 1;
    }
    return rejections === size ? 'all' : rejected;
  }

  #release(run: ChainRun): void {
    if (this.#endSlots.length > 0) run.release(this.#endSlots);
    this.#leave();
  }

  #leave(): void {
    this.#inFlight -= 1;
    if (this.#inFlight > 0 || this.#idleListeners.length === 0) return;
    const listeners = this.#idleListeners;
    this.#idleListeners = [];
    for (const listener of listeners) listener();
  }
}

/** Builds the chains of `instances`, given in the order of registration. */
export function createPluginChains(
  instances: readonly PluginInstance[],
  options: PluginChainsOptions = {},
): PluginChainSet {
  return new ChainSet(instances, options);
}
