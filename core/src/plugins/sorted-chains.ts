/** The hooks of one snapshot, sorted once: what every run of that snapshot walks. */
import type { RequestTrace } from '@bifrost/sdk';
import type { ChainRun } from './chain-run.ts';
import type { HookEntry } from './hook-entry.ts';

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
  readonly inject: Entries;
}

/** What a run needs of the set that opened it. */
export interface RunOwner {
  readonly chains: SortedChains;
  readonly areInputsFrozen: boolean;
  /** Called once, with the run that ended. */
  finish(run: ChainRun, trace: RequestTrace): void;
}
