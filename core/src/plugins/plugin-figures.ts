/** The figures of plugins by hook, as plain data: of one thread, or merged over several. */
import type { HookName } from '@bifrost/sdk';
import { DurationBuckets } from './duration-buckets.ts';
import type { DurationHistogram } from './duration-buckets.ts';
import type { HookEntry } from './hook-entry.ts';
import { HookFigures } from './hook-figures.ts';
import type { HookFiguresSnapshot } from './hook-figures.ts';
import type { PluginSlot } from './plugin-slot.ts';
import type { PluginState } from './plugin-health.ts';

/** One plugin's figures by hook. */
export interface PluginFigures {
  readonly plugin: string;
  readonly hooks: Readonly<Partial<Record<HookName, HookFiguresSnapshot>>>;
  /** The longest run of failures that one of its hooks is in; 0 when every hook's last call was right. */
  readonly failuresInARow: number;
  readonly state: PluginState;
  /** Why it is degraded or disabled. */
  readonly reason?: string;
  /** Time that a request spent in this plugin's hooks before the first byte of content left, over requests that it saw. */
  readonly addedToFirstContent: AddedLatency;
}

/** Times in milliseconds; undefined before the first request. */
export interface AddedLatency extends DurationHistogram {
  readonly p50Ms?: number;
  readonly p99Ms?: number;
}

function addedLatency(durations: DurationBuckets): AddedLatency {
  const [p50Ms, p99Ms] = [durations.percentile(0.5), durations.percentile(0.99)];
  return {
    ...durations.histogram(),
    ...(p50Ms === undefined ? {} : { p50Ms }),
    ...(p99Ms === undefined ? {} : { p99Ms }),
  };
}

/** The figures of one plugin with its hooks. */
export function figuresOf(slot: PluginSlot, entries: readonly HookEntry[]): PluginFigures {
  const { state, reason } = slot.health;
  const hooks: Partial<Record<HookName, HookFiguresSnapshot>> = {};
  for (const entry of entries) hooks[entry.hook] = entry.figures.snapshot();
  return {
    plugin: slot.instance.name,
    hooks,
    failuresInARow: Math.max(0, ...entries.map((entry) => entry.failuresInARow)),
    state,
    ...(reason === undefined ? {} : { reason }),
    addedToFirstContent: addedLatency(slot.addedToFirstContent),
  };
}

const gravity: Readonly<Record<PluginState, number>> = { active: 0, degraded: 1, disabled: 2 };

/** Adds up what several threads (or sets of chains) counted. A plugin's state is its gravest in any of them. */
export function mergePluginFigures(lists: readonly (readonly PluginFigures[])[]): readonly PluginFigures[] {
  const byPlugin = Map.groupBy(lists.flat(), (figures) => figures.plugin);
  return [...byPlugin].map(([plugin, parts]) => {
    const gravest = parts.toSorted((a, b) => gravity[b.state] - gravity[a.state])[0];
    const added = new DurationBuckets();
    for (const part of parts) added.add(part.addedToFirstContent);
    return {
      plugin,
      hooks: mergeHooks(parts),
      failuresInARow: Math.max(0, ...parts.map((part) => part.failuresInARow)),
      state: gravest?.state ?? 'active',
      ...(gravest?.reason === undefined ? {} : { reason: gravest.reason }),
      addedToFirstContent: addedLatency(added),
    };
  });
}

function mergeHooks(parts: readonly PluginFigures[]): PluginFigures['hooks'] {
  const sums = new Map<HookName, HookFigures>();
  for (const part of parts) {
    // The members are hook names: `hooks` has no others.
    for (const hook of Object.keys(part.hooks) as HookName[]) {
      const figures = part.hooks[hook];
      if (figures === undefined) continue;
      const sum = sums.get(hook) ?? new HookFigures();
      sum.add(figures);
      sums.set(hook, sum);
    }
  }
  return Object.fromEntries([...sums].map(([hook, figures]) => [hook, figures.snapshot()]));
}
