/**
 * Calls the hooks of one request. The fast path is a loop without promise, closure or timer; a hook that returns a promise moves
 * the rest of its walk to an async continuation.
 */
import type { ErrorInfo, Json, PluginFailure, RequestFacts, RoutingNote } from '@bifrost/sdk';
import { deepFreeze } from '@bifrost/sdk';
import { countSuccess, denialOf, messageOf, noteFailure, wrongResult } from './hook-failure.ts';
import type { PluginChains, SignalSource } from './chain.ts';
import type { HookEntry } from './hook-entry.ts';
import type { HookCall, HookObserver } from './hook-observer.ts';
import type { HookPass } from './hook-pass.ts';
import type { OffReason } from './plugin-health.ts';
import type { PluginSlot } from './plugin-slot.ts';
import { RequestContext } from './request-context.ts';
import type { ContextOwner } from './request-context.ts';
import type { RequestExplanation } from './request-explanation.ts';
import type { RequestPlan } from './request-plans.ts';
import type { OpenedRequest, RunOwner, SortedChains } from './sorted-chains.ts';
import { isThenable, settleWithin } from './settle-within.ts';

const maxFailuresOnTrace = 20;

/** A call under way. */
interface OpenCall extends HookCall {
  /** `performance.now()` */
  readonly startedAt: number;
}

export class HookWalker implements ContextOwner {
  facts: RequestFacts;
  readonly areInputsFrozen: boolean;
  values: Map<string, Json> | null = null;
  attributes: Map<string, Json> | null = null;
  routingNotes: RoutingNote[] | null = null;
  /** Set when a guard failed where the result of the phase cannot say so: in `responseHeaders` and `httpPost`. */
  denial: ErrorInfo | undefined = undefined;
  failures: PluginFailure[] | null = null;
  /** What hooks have taken so far. */
  spentMs = 0;
  readonly observer: HookObserver | null;
  /** Present where the request asked for it. */
  readonly explanation: RequestExplanation | null;

  protected readonly owner: RunOwner;
  protected readonly chains: SortedChains;
  readonly #signal: AbortSignal | SignalSource;
  /** By the slots' indexes. */
  readonly #contexts: (RequestContext | undefined)[];
  readonly #plan: RequestPlan;
  readonly #rejected: readonly boolean[] | null;
  #skipped: Set<PluginSlot> | null = null;
  /** The first content has left: what hooks take from now on delays no one's first sight of the answer. */
  #isContentOut = false;
  /** The failure of the call that is being settled; read by the observer only. */
  #lastFailure: PluginFailure | undefined;

  constructor(owner: RunOwner, facts: RequestFacts, request: OpenedRequest) {
    this.owner = owner;
    this.facts = facts;
    this.#signal = request.signal;
    // Of its full length: a list that grows takes room for sixteen more.
    this.#contexts = owner.noContexts.slice();
    this.areInputsFrozen = owner.areInputsFrozen;
    this.#plan = request.plan;
    this.#rejected = request.rejected;
    this.observer = request.observer;
    // Who watches is told of the hooks that are left out.
    this.chains = request.observer === null ? request.plan.chains : owner.chains;
    this.explanation = request.explanation;
  }

  get requestSignal(): AbortSignal {
    return 'aborted' in this.#signal ? this.#signal : this.#signal.signal;
  }

  /** The first byte of content leaves now. Later calls do nothing. */
  noteContentOut(): void {
    if (this.#isContentOut) return;
    this.#isContentOut = true;
    for (let index = 0; index < this.#contexts.length; index += 1) {
      const context = this.#contexts[index];
      if (context !== undefined) this.owner.slots[index]?.addedToFirstContent.record(context.spentMs);
    }
  }

  /** The context in which the plugin's `inject` runs. */
  backgroundContext(slot: PluginSlot): RequestContext {
    return this.contextOf(slot).background();
  }

  /** Tells the plugins of `slots` that took part in the request that it is over. */
  release(slots: readonly PluginSlot[]): void {
    for (const { index, instance } of slots) {
      if (this.#contexts[index] !== undefined) instance.onRequestEnd?.(this);
    }
  }

  /** Whether the hook is to be called for this request; `target` is provider and model where they are known. */
  isDue(entry: HookEntry, pass: HookPass | null, reached: number): boolean {
    if (entry.rank > reached || !this.isMatch(entry)) return false;
    if (entry.filter.target !== null && !entry.filter.target(pass?.target ?? this.facts)) return false;
    return this.#skipped === null || !this.#skipped.has(entry.slot);
  }

  /** Counts, logs and remembers a failed call. */
  recordFailure(entry: HookEntry, kind: PluginFailure['kind'], message: string): PluginFailure {
    const failure = noteFailure(entry, { kind, message }, this.facts.requestId);
    this.failures ??= [];
    if (this.failures.length < maxFailuresOnTrace) this.failures.push(failure);
    return failure;
  }

  /** Whether the entry's filter matches what the request had from its start. */
  protected isMatch(entry: HookEntry): boolean {
    if (this.#plan.leftOut?.has(entry) === true) return false;
    return this.#rejected === null || entry.requestTestIndex < 0 || this.#rejected[entry.requestTestIndex] !== true;
  }

  /** What the hooks that match read, where the plan knows it. */
  protected get plannedNeeds(): PluginChains['needs'] | undefined {
    return this.#rejected === null ? this.#plan.needs : undefined;
  }

  protected contextOf(slot: PluginSlot): RequestContext {
    return (this.#contexts[slot.index] ??= new RequestContext(this, slot.instance));
  }

  /** Calls the hooks from `from` on. Returns the index at which the walk was stopped, -1 when all hooks ran. */
  protected walk(
    entries: readonly HookEntry[],
    pass: HookPass,
    reached: number,
    from: number,
  ): number | Promise<number> {
    const { observer } = this;
    const { running } = this.owner;
    for (let index = from; index < entries.length; index += 1) {
      const entry = entries[index];
      if (entry === undefined || !this.isWanted(entry, pass, reached)) continue;
      if (entry.slot.health.isOff && !this.isAdmitted(entry)) {
        if (this.#isDeniedByAbsence(entry, pass)) return index;
        continue;
      }
      const input = pass.input(entry);
      if (this.areInputsFrozen || entry.isInputFrozen) deepFreeze(input);
      const context = this.contextOf(entry.slot);
      const scope = entry.slot.instance.asyncScope;
      if (observer !== null) this.#announce({ entry, pass, context, input });
      let returned: unknown;
      let promise: PromiseLike<unknown> | undefined;
      let thrownMessage: string | undefined;
      const startedAt = performance.now();
      running[0] = entry.mark;
      try {
        returned =
          scope === undefined
            ? entry.handler.call(entry.self, context, input)
            : scope.runInAsyncScope(entry.handler, entry.self, context, input);
        if (returned !== undefined && isThenable(returned)) promise = returned;
      } catch (thrown) {
        thrownMessage = messageOf(thrown);
      }
      running[0] = 0;
      if (promise !== undefined) {
        return this.#walkAsync(entries, { call: { entry, pass, context, input, startedAt }, reached, index, promise });
      }
      const durationMs = this.#count(entry, context, startedAt);
      const isStopped =
        thrownMessage === undefined
          ? this.#accept(entry, pass, returned)
          : this.#fail(entry, pass, 'threw', thrownMessage);
      if (observer !== null)
        this.#tell({ entry, pass, context, input, startedAt }, { returned, isStopped, durationMs });
      if (isStopped) return index;
    }
    return -1;
  }

  async #walkAsync(
    entries: readonly HookEntry[],
    at: {
      readonly call: OpenCall;
      readonly reached: number;
      readonly index: number;
      readonly promise: PromiseLike<unknown>;
    },
  ): Promise<number> {
    const { call, index } = at;
    const { entry, pass, context, startedAt } = call;
    const { running } = this.owner;
    const pendingCell = entry.slot.number + 1;
    running[pendingCell] = (running[pendingCell] ?? 0) + 1;
    const settled = await settleWithin(at.promise, entry.timeoutMs - (performance.now() - startedAt));
    running[pendingCell] = (running[pendingCell] ?? 1) - 1;
    const durationMs = this.#count(entry, context, startedAt);
    const returned = settled.kind === 'value' ? settled.value : undefined;
    let isStopped: boolean;
    if (settled.kind === 'value') isStopped = this.#accept(entry, pass, returned);
    else if (settled.kind === 'threw') isStopped = this.#fail(entry, pass, 'threw', messageOf(settled.thrown));
    else {
      const message = `did not settle within ${entry.timeoutMs} ms`;
      this.#contexts[entry.slot.index] = this.contextOf(entry.slot).expire(new Error(`${entry.hook} ${message}`));
      isStopped = this.#fail(entry, pass, 'timeout', message);
    }
    if (this.observer !== null) this.#tell(call, { returned, isStopped, durationMs });
    return isStopped ? index : this.walk(entries, pass, at.reached, index + 1);
  }

  /** As `isDue`, and tells the observer of a hook that is left out. */
  protected isWanted(entry: HookEntry, pass: HookPass | null, reached: number): boolean {
    if (this.isDue(entry, pass, reached)) return true;
    if (this.observer !== null && entry.rank <= reached) {
      this.observer.skipped?.(entry, this.#skipped?.has(entry.slot) === true ? 'policy' : 'filter');
    }
    return false;
  }

  /** Whether a plugin that is off may be called after all: the trial of its breaker. */
  isAdmitted(entry: HookEntry): boolean {
    const off = entry.slot.health.admit(entry, performance.now());
    if (off === undefined) return true;
    entry.figures.skipped[off] += 1;
    this.observer?.skipped?.(entry, off);
    return false;
  }

  /** A plugin that is off is passed over, unless what it would have judged must not pass without it. */
  #isDeniedByAbsence(entry: HookEntry, pass: HookPass): boolean {
    const { isDisabled } = entry.slot.health;
    if (isDisabled ? !entry.slot.instance.isGuard : entry.policy !== 'deny') return false;
    this.#deny(entry, pass, isDisabled ? 'disabled' : 'breaker');
    return true;
  }

  #count(entry: HookEntry, context: RequestContext, startedAt: number): number {
    const now = performance.now();
    const durationMs = now - startedAt;
    entry.figures.record(durationMs);
    if (entry.budget !== undefined) entry.budget.record(entry, durationMs, now);
    this.spentMs += durationMs;
    if (!this.#isContentOut) context.spentMs += durationMs;
    return durationMs;
  }

  /** Applies a result; true ends the walk. */
  #accept(entry: HookEntry, pass: HookPass, returned: unknown): boolean {
    if (returned === undefined) {
      countSuccess(entry);
      return false;
    }
    try {
      const isStopped = pass.accept(entry, returned);
      countSuccess(entry);
      return isStopped;
    } catch (thrown) {
      return this.#fail(entry, pass, 'invalid-result', wrongResult(thrown));
    }
  }

  /** Follows the policy of a failed hook; true ends the walk. */
  #fail(entry: HookEntry, pass: HookPass, kind: PluginFailure['kind'], message: string): boolean {
    this.#lastFailure = this.recordFailure(entry, kind, message);
    if (entry.policy === 'skip') (this.#skipped ??= new Set()).add(entry.slot);
    if (entry.policy !== 'deny') return false;
    this.#deny(entry, pass);
    return true;
  }

  /** A hook breaks its contract while none of its calls is under way: as a failed call. An error must end what it looks at. */
  protected failOutsideCall(entry: HookEntry, message: string): ErrorInfo | undefined {
    this.recordFailure(entry, 'invalid-result', message);
    if (entry.policy === 'skip') (this.#skipped ??= new Set()).add(entry.slot);
    return entry.policy === 'deny' ? denialOf(entry, this.facts.requestId) : undefined;
  }

  #deny(entry: HookEntry, pass: HookPass, off?: OffReason): void {
    const error = denialOf(entry, this.facts.requestId, off);
    pass.deny(error);
    if (entry.hook === 'httpTransportResponseHeadersHook' || entry.hook === 'httpTransportPostHook') {
      this.denial = error;
    }
  }

  #announce(call: HookCall): void {
    this.#lastFailure = undefined;
    this.observer?.before?.(call);
  }

  #tell(
    call: OpenCall,
    result: { readonly returned: unknown; readonly isStopped: boolean; readonly durationMs: number },
  ): void {
    const { entry, pass, context, input } = call;
    const failure = this.#lastFailure;
    this.observer?.after({ entry, pass, context, input, ...result, ...(failure === undefined ? {} : { failure }) });
    this.#lastFailure = undefined;
  }
}
