/** The hooks of a set of plugins, sorted: null where no plugin has the hook. */
import { hookNames } from '@bifrost/sdk';
import type { HookName } from '@bifrost/sdk';
import { sortEntries } from './chain-order.ts';
import { createHookEntry, rankOf } from './hook-entry.ts';
import type { HookEntry } from './hook-entry.ts';
import { noFilter } from './hook-filter.ts';
import { HookFigures } from './hook-figures.ts';
import type { PluginSlot } from './plugin-slot.ts';
import { readsRank } from './sorted-chains.ts';
import type { Entries, SortedChains } from './sorted-chains.ts';

export type EntriesByHook = ReadonlyMap<HookName, readonly HookEntry[]>;

/** The hooks of all plugins but shadows, which are in no chain. */
export function createEntries(slots: readonly PluginSlot[]): EntriesByHook {
  let requestTests = 0;
  const shadows = slots.filter(({ instance }) => instance.shadow !== undefined);
  const entries = new Map<HookName, readonly HookEntry[]>();
  for (const hook of hookNames) {
    const list: HookEntry[] = [];
    for (const slot of slots) {
      if (shadows.includes(slot)) continue;
      const candidates = shadows.filter(({ instance }) => instance.shadow?.of === slot.instance.name);
      const entry = shadowedEntry(createHookEntry(slot, hook, requestTests), { slot, hook, candidates });
      if (entry === undefined) continue;
      if (entry.requestTestIndex >= 0) requestTests += 1;
      list.push(entry);
    }
    if (list.length > 0) entries.set(hook, sortEntries(list));
  }
  return entries;
}

/** The hooks of one shadow, by name. */
export function createShadowEntries(slot: PluginSlot): ReadonlyMap<HookName, HookEntry> {
  const entries = hookNames.map((hook) => [hook, createHookEntry(slot, hook, -1)] as const);
  return new Map(entries.flatMap(([hook, entry]) => (entry === undefined ? [] : [[hook, entry]])));
}

/**
 * The entry of a plugin that shadows watch: what they read is decoded, and where only they have the hook the plugin gets one that
 * does nothing, so that there is something to compare with.
 */
function shadowedEntry(
  entry: HookEntry | undefined,
  {
    slot,
    hook,
    candidates,
  }: { readonly slot: PluginSlot; readonly hook: HookName; readonly candidates: readonly PluginSlot[] },
): HookEntry | undefined {
  let shadowed = entry;
  for (const candidate of candidates) {
    const watching = createHookEntry(candidate, hook, -1);
    if (watching === undefined) continue;
    shadowed ??= {
      ...watching,
      slot,
      handler: () => undefined,
      rank: rankOf(slot, hook),
      figures: new HookFigures(),
      requestTestIndex: -1,
      filter: noFilter,
    };
    if (readsRank[watching.reads] > readsRank[shadowed.demand]) shadowed = { ...shadowed, demand: watching.reads };
  }
  return shadowed;
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
