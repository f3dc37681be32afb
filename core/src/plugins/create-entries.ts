/** The hooks of a set of plugins, sorted: null where no plugin has the hook. */
import { hookNames } from '@bifrost/sdk';
import type { HookName } from '@bifrost/sdk';
import { sortEntries } from './chain-order.ts';
import { createHookEntry } from './hook-entry.ts';
import type { HookEntry } from './hook-entry.ts';
import type { PluginSlot } from './plugin-slot.ts';
import type { Entries, SortedChains } from './sorted-chains.ts';

export type EntriesByHook = ReadonlyMap<HookName, readonly HookEntry[]>;

export function createEntries(slots: readonly PluginSlot[]): EntriesByHook {
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

export function createSortedChains(entries: EntriesByHook): SortedChains {
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
    streamEvent: streamEntries(entries),
    responseHeaders: of('httpTransportResponseHeadersHook'),
    streamChunk: of('httpTransportStreamChunkHook'),
    httpPost: of('httpTransportPostHook'),
    preMCP: of('preMCPHook'),
    postMCP: of('postMCPHook'),
    preMCPConnection: of('preMCPConnectionHook'),
    postMCPConnection: of('postMCPConnectionHook'),
    inject: of('inject'),
  };
}

/** The hooks that see a stream's events: also the `postLLMHook`s that ask for them. One plugin's `postLLMHook` comes first. */
function streamEntries(entries: EntriesByHook): Entries {
  const post = (entries.get('postLLMHook') ?? []).filter((entry) => entry.chunks !== undefined);
  const list = [...post, ...(entries.get('streamEventHook') ?? [])];
  return list.length === 0 ? null : sortEntries(list);
}
