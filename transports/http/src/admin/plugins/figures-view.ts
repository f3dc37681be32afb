/** What a plugin's calls came to, as the admin API shows it: merged over all threads, times in milliseconds. */
import type { HookFiguresSnapshot, PluginFigures, ShadowComparison } from '@bifrost/core';
import type { ManagedPlugin, PluginTotals } from '@bifrost/framework/plugin-manager';

function formatHook({ calls, errors, timeouts, dropped, skipped, totalMs, p50Ms, p99Ms }: HookFiguresSnapshot): object {
  const times = { totalMs, meanMs: calls === 0 ? null : totalMs / calls, p50Ms: p50Ms ?? null, p99Ms: p99Ms ?? null };
  return { calls, errors, timeouts, dropped, skipped, ...times };
}

/** `figures` undefined: no thread has counted anything yet. */
export function formatHookFigures(figures: PluginFigures | undefined): object {
  const added = figures?.addedToFirstContent;
  return {
    hooks: Object.fromEntries(
      Object.entries(figures?.hooks ?? {}).map(([hook, snapshot]) => [hook, formatHook(snapshot)]),
    ),
    addedToFirstContent: {
      requests: added?.count ?? 0,
      p50Ms: added?.p50Ms ?? null,
      p99Ms: added?.p99Ms ?? null,
    },
  };
}

export function formatComparison({ differences, ...counts }: ShadowComparison): object {
  return {
    ...counts,
    differences: differences.map(({ at, ...difference }) => ({ ...difference, at: new Date(at).toISOString() })),
  };
}

/** Since the start of the gateway, over all loads of the plugin. */
export function formatFigures(plugin: ManagedPlugin, { figures, comparisons }: PluginTotals): object {
  const { name, state, instances, memoryBytes, cpuLoad } = plugin;
  const own = figures.find((one) => one.plugin === name);
  return {
    name,
    status: state,
    ...formatHookFigures(own),
    failuresInARow: own?.failuresInARow ?? 0,
    instances,
    memoryBytes: memoryBytes ?? null,
    cpuLoad: cpuLoad ?? null,
    comparisons: comparisons.filter((one) => one.of === name || one.candidate === name).map(formatComparison),
  };
}
