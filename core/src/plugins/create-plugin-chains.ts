/** Builds the chains of one snapshot: sorted once, filters compiled once, null where no plugin has the hook. */
import { hookNames } from '@bifrost/sdk';
import type { HookName, HttpRequest, RequestFacts, RequestTrace } from '@bifrost/sdk';
import { forwardRanks, sortEntries } from './chain-order.ts';
import { ChainRun } from './chain-run.ts';
import type { PluginChains, PluginRun } from './chain.ts';
import { createHookEntry } from './hook-entry.ts';
import type { HookEntry, PluginSlot } from './hook-entry.ts';
import type { HookFiguresSnapshot } from './hook-figures.ts';
import { InjectQueue } from './inject-queue.ts';
import type { PluginInstance } from './instance.ts';
import { needsOf } from './sorted-chains.ts';
import type { Entries, RunOwner, SortedChains } from './sorted-chains.ts';

export interface PluginChainsOptions {
  /** Freezes every hook input to its depth, so that a plugin that changes its input in place fails. For development and tests. */
  readonly areInputsFrozen?: boolean;
  /** `inject` calls of one plugin that may be under way at once. @default 10000 */
  readonly injectConcurrency?: number;
  /** Draws a request's number for `filter.sampling`. @default Math.random */
  readonly random?: () => number;
}

/** One plugin's figures by hook. */
export interface PluginFigures {
  readonly plugin: string;
  readonly hooks: Readonly<Partial<Record<HookName, HookFiguresSnapshot>>>;
  /** The longest run of failures that one of its hooks is in; 0 when every hook's last call was right. */
  readonly failuresInARow: number;
}

/** The chains with what their host needs to know of them. */
export interface PluginChainSet extends PluginChains {
  figures(): readonly PluginFigures[];
  /** Requests that were opened and whose last `inject` has not ended. */
  readonly inFlight: number;
  /** Resolves as soon as nothing is in flight. */
  whenIdle(): Promise<void>;
}

type EntriesByHook = ReadonlyMap<HookName, readonly HookEntry[]>;

function createSlots(instances: readonly PluginInstance[]): readonly PluginSlot[] {
  const httpRanks = forwardRanks(instances, 'httpTransportPreHook');
  const llmRanks = forwardRanks(instances, 'preLLMHook');
  return instances.map((instance, index) => ({
    index,
    instance,
    httpRank: httpRanks[index] ?? index,
    llmRank: llmRanks[index] ?? index,
    isDisabled: false,
  }));
}

function createEntries(slots: readonly PluginSlot[]): EntriesByHook {
  let requestTests = 0;
  const entries = new Map<HookName, readonly HookEntry[]>();
  for (const hook of hookNames) {
    const list: HookEntry[] = [];
    for (const slot of slots) {
      const entry = createHookEntry(slot, hook, requestTests);
      if (entry === undefined) continue;
      if (entry.requestTestIndex >= 0) requestTests += 1;
      list.push(entry);
    }
    if (list.length > 0) entries.set(hook, sortEntries(list));
  }
  return entries;
}

function createSortedChains(entries: EntriesByHook): SortedChains {
  const of = (hook: HookName): Entries => entries.get(hook) ?? null;
  const [httpPreAuth, httpPre] = [of('httpTransportPreAuthHook'), of('httpTransportPreHook')];
  const httpPreBoth = [...(httpPreAuth ?? []), ...(httpPre ?? [])];
  return {
    httpPreBoth: httpPreBoth.length === 0 ? null : httpPreBoth,
    httpPreAuth,
    httpPre,
    preRequest: of('preRequestHook'),
    preLLM: of('preLLMHook'),
    postLLM: of('postLLMHook'),
    streamEvent: of('streamEventHook'),
    responseHeaders: of('httpTransportResponseHeadersHook'),
    streamChunk: of('httpTransportStreamChunkHook'),
    httpPost: of('httpTransportPostHook'),
    inject: of('inject'),
  };
}

class ChainSet implements PluginChainSet, RunOwner {
  readonly needs: PluginChains['needs'];
  readonly chains: SortedChains;
  readonly areInputsFrozen: boolean;
  readonly #slots: readonly PluginSlot[];
  /** The slots whose plugins want to know when a request ends. */
  readonly #endSlots: readonly PluginSlot[];
  readonly #entries: readonly HookEntry[];
  /** The entries that test the request, by their request-test index. */
  readonly #requestTests: readonly HookEntry[];
  readonly #inject: InjectQueue | null;
  readonly #random: () => number;
  #inFlight = 0;
  #idleListeners: (() => void)[] = [];

  constructor(instances: readonly PluginInstance[], options: PluginChainsOptions) {
    const entries = createEntries((this.#slots = createSlots(instances)));
    this.#endSlots = this.#slots.filter(({ instance }) => instance.onRequestEnd !== undefined);
    this.#entries = [...entries.values()].flat();
    this.#requestTests = this.#entries
      .filter((entry) => entry.requestTestIndex >= 0)
      .toSorted((a, b) => a.requestTestIndex - b.requestTestIndex);
    this.chains = createSortedChains(entries);
    this.needs = needsOf(this.chains);
    this.areInputsFrozen = options.areInputsFrozen ?? false;
    this.#random = options.random ?? Math.random;
    this.#inject =
      this.chains.inject === null
        ? null
        : new InjectQueue({
            entries: this.chains.inject,
            concurrency: options.injectConcurrency ?? 10_000,
            areInputsFrozen: this.areInputsFrozen,
            onDone: (run) => this.#release(run),
          });
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  open(facts: RequestFacts, headers: HttpRequest['headers'], signal: AbortSignal): PluginRun | null {
    if (this.#entries.length === 0) return null;
    const rejected = this.#requestTests.length === 0 ? null : this.#reject(facts, headers);
    if (rejected === 'all') return null;
    this.#inFlight += 1;
    return new ChainRun(this, facts, signal, rejected);
  }

  finish(run: ChainRun, trace: RequestTrace): void {
    if (this.#inject === null) this.#release(run);
    else this.#inject.push(run, trace);
  }

  figures(): readonly PluginFigures[] {
    return this.#slots.map((slot) => {
      const own = this.#entries.filter((entry) => entry.slot === slot);
      return {
        plugin: slot.instance.name,
        hooks: Object.fromEntries(own.map((entry) => [entry.hook, entry.figures.snapshot()])),
        failuresInARow: Math.max(0, ...own.map((entry) => entry.failuresInARow)),
      };
    });
  }

  whenIdle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleListeners.push(resolve));
  }

  #reject(facts: RequestFacts, headers: HttpRequest['headers']): Uint8Array | null | 'all' {
    const sample = this.#random();
    let rejected: Uint8Array | null = null;
    let rejections = 0;
    for (const entry of this.#requestTests) {
      if (entry.filter.request?.(facts, headers, sample) !== false) continue;
      rejected ??= new Uint8Array(this.#requestTests.length);
      rejected[entry.requestTestIndex] = 1;
      rejections += 1;
    }
    return rejections === this.#entries.length ? 'all' : rejected;
  }

  #release(run: ChainRun): void {
    if (this.#endSlots.length > 0) run.release(this.#endSlots);
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
