/** In which order plugins run: placement group, then the hook's own `order`, then the entry's number, then registration. */
import type { HookName } from '@bifrost/sdk';
import { hookOrderOf } from './hook-entry.ts';
import type { HookEntry } from './hook-entry.ts';
import type { PluginInstance, PluginPlacement } from './instance.ts';

const groups: Readonly<Record<PluginPlacement, number>> = { pre_builtin: 0, builtin: 1, post_builtin: 2 };

/** Hooks that run in reverse: the last plugin of the forward pass first. */
const reverseHooks: ReadonlySet<HookName> = new Set([
  'postLLMHook',
  'streamEventHook',
  'httpTransportResponseHeadersHook',
  'httpTransportStreamChunkHook',
  'httpTransportPostHook',
  'postMCPHook',
  'postMCPConnectionHook',
]);

/** Where a plugin stands among the others: a canary stands where the plugin stands that it may replace. */
export interface PluginPlace {
  readonly placement: PluginPlacement;
  readonly order: number;
  /** In the order of registration; a canary's lies just behind. */
  readonly index: number;
}

interface Place extends PluginPlace {
  readonly hookOrder: number;
}

/** In reverse passes everything turns round but the hook's own `order`: `pre` always means "runs earlier". */
function comparePlaces(a: Place, b: Place, direction: 1 | -1): number {
  return (
    direction * (groups[a.placement] - groups[b.placement]) ||
    a.hookOrder - b.hookOrder ||
    direction * (a.order - b.order) ||
    direction * (a.index - b.index)
  );
}

/** The places of `instances`, by their index. */
export function placesOf(instances: readonly PluginInstance[]): readonly PluginPlace[] {
  return instances.map((instance, own) => {
    const replaced = instances.findIndex(({ name }) => name === instance.canary?.of);
    const { placement, order } = instances[replaced] ?? instance;
    return { placement, order, index: replaced === -1 ? own : replaced + 0.5 };
  });
}

/** Each plugin's place in the forward pass of `hook`, by the instance's index, also for plugins without that hook. */
export function forwardRanks(instances: readonly PluginInstance[], hook: HookName): readonly number[] {
  const places = placesOf(instances).map((place, own) => {
    const instance = instances[own];
    return { ...place, own, hookOrder: instance === undefined ? 0 : hookOrderOf(instance, hook) };
  });
  const ranks: number[] = Array.from({ length: instances.length }, () => 0);
  for (const [rank, place] of places.toSorted((a, b) => comparePlaces(a, b, 1)).entries()) ranks[place.own] = rank;
  return ranks;
}

/** The entries of one hook in the order in which they run. */
export function sortEntries(entries: readonly HookEntry[]): readonly HookEntry[] {
  const direction = entries[0] !== undefined && reverseHooks.has(entries[0].hook) ? -1 : 1;
  const placeOf = ({ slot, hookOrder }: HookEntry): Place => ({ ...slot.place, hookOrder });
  return entries.toSorted((a, b) => comparePlaces(placeOf(a), placeOf(b), direction));
}
