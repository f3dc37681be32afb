/** The hooks of one snapshot, sorted once: what every run of that snapshot walks. */
import type { Reads, RequestTrace } from '@bifrost/sdk';
import type { ChainRun } from './chain-run.ts';
import type { PluginChains, SignalSource } from './chain.ts';
import type { HookEntry } from './hook-entry.ts';
import type { HookObserver } from './hook-observer.ts';
import type { RequestExplanation } from './request-explanation.ts';
import type { RequestPlan } from './request-plans.ts';
import type { PluginSlot } from './plugin-slot.ts';

/** The hooks of one kind in the order in which they run; null where no plugin has one. */
export type Entries = readonly HookEntry[] | null;

/** The sorted entries of each phase; null where no plugin has the hook. */
export interface SortedChains {
  /** The entries of `httpTransportPreAuthHook`, then those of `httpTransportPreHook`. */
  readonly httpPreBoth: Entries;
  readonly httpPreAuth: Entries;
  readonly httpPre: Entries;
  readonly preRequest: Entries;
  readonly preLLM: Entries;
  readonly postLLM: Entries;
  readonly streamEvent: Entries;
  readonly responseHeaders: Entries;
  readonly streamChunk: Entries;
  readonly httpPost: Entries;
  readonly preMCP: Entries;
  readonly postMCP: Entries;
  readonly preMCPConnection: Entries;
  readonly postMCPConnection: Entries;
  readonly inject: Entries;
}

/** What a run needs of the set that opened it. */
export interface RunOwner {
  readonly chains: SortedChains;
  readonly areInputsFrozen: boolean;
  readonly slots: readonly PluginSlot[];
  /** As long as `slots`: what a request's list of contexts begins as. */
  readonly noContexts: readonly undefined[];
  /**
   * Cell 0: the mark of the plugin that runs in this thread now, 0 when none does. Cell n + 1: how many promises of the plugin with
   * slot number n have not settled.
   */
  readonly running: Int32Array;
  /** Called once, with the run that ended. */
  finish(run: ChainRun, trace: RequestTrace): void;
}

/** What is known of a request when its run begins. */
export interface OpenedRequest {
  readonly signal: AbortSignal | SignalSource;
  readonly plan: RequestPlan;
  /** By the index of their tests, the entries of the plan that do not match the request; null when all do. */
  readonly rejected: readonly boolean[] | null;
  readonly observer: HookObserver | null;
  readonly explanation: RequestExplanation | null;
}

/** From cheap to dear. */
export const readsRank: Readonly<Record<Reads, number>> = { head: 0, messages: 1, body: 2 };

function mostDemanding(entries: readonly HookEntry[], isWanted: (entry: HookEntry) => boolean): Reads | undefined {
  let most: Reads | undefined;
  for (const entry of entries) {
    if (isWanted(entry) && (most === undefined || readsRank[entry.demand] > readsRank[most])) most = entry.demand;
  }
  return most;
}

const needNames = [
  ['httpPreAuth', 'httpPreAuth'],
  ['httpPre', 'httpPreBoth'],
  ['preRequest', 'preRequest'],
  ['preLLM', 'preLLM'],
  ['postLLM', 'postLLM'],
  ['streamEvent', 'streamEvent'],
  ['responseHeaders', 'responseHeaders'],
  ['streamChunk', 'streamChunk'],
  ['httpPost', 'httpPost'],
  ['preMCP', 'preMCP'],
  ['postMCP', 'postMCP'],
  ['preMCPConnection', 'preMCPConnection'],
  ['postMCPConnection', 'postMCPConnection'],
  ['inject', 'inject'],
] as const;

/** What the most demanding of the wanted hooks of each phase reads; phases without one are left out. */
export function needsOf(
  chains: SortedChains,
  isWanted: (entry: HookEntry) => boolean = () => true,
): PluginChains['needs'] {
  const needs: Partial<Record<keyof PluginChains['needs'], Reads>> = {};
  for (const [need, chain] of needNames) {
    const reads = mostDemanding(chains[chain] ?? [], isWanted);
    // A `postLLMHook` with `chunks` is shown events whatever it reads of the whole answer.
    if (reads !== undefined) needs[need] = need === 'streamEvent' ? 'messages' : reads;
  }
  return needs;
}
