/** A trial as the admin API shows it: both plugins' figures since it began, and for a shadow what it would have done otherwise. */
import { pluginFiguresSince } from '@bifrost/core';
import type { PluginFigures, ShadowComparison } from '@bifrost/core';
import type { ManagedPlugin, PluginTotals } from '@bifrost/framework/plugin-manager';
import { formatComparison, formatHookFigures } from './figures-view.ts';

/** A trial that is under way. */
export interface RunningTrial {
  readonly plugin: ManagedPlugin;
  readonly candidate: ManagedPlugin;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly totalsBefore: PluginTotals;
  readonly totals: PluginTotals;
}

function figuresOf(name: string, { totals, totalsBefore }: RunningTrial): PluginFigures | undefined {
  const isIt = ({ plugin }: PluginFigures): boolean => plugin === name;
  const now = totals.figures.find(isIt);
  return now === undefined ? undefined : pluginFiguresSince(now, totalsBefore.figures.find(isIt));
}

function comparisonOf({ plugin, candidate, startedAt, totals, totalsBefore }: RunningTrial): object | null {
  const isIt = (one: ShadowComparison): boolean => one.of === plugin.name && one.candidate === candidate.name;
  const now = totals.comparisons.find(isIt);
  if (now === undefined || candidate.trial?.kind !== 'shadow') return null;
  const before = totalsBefore.comparisons.find(isIt);
  const since = (count: 'equal' | 'different' | 'failed' | 'dropped'): number =>
    Math.max(0, now[count] - (before?.[count] ?? 0));
  return formatComparison({
    ...now,
    equal: since('equal'),
    different: since('different'),
    failed: since('failed'),
    dropped: since('dropped'),
    differences: now.differences.filter(({ at }) => at >= startedAt),
  });
}

function formatSide(plugin: ManagedPlugin, trial: RunningTrial): object {
  const { name, state, version, digest, file, isolation, instances, memoryBytes, cpuLoad, message } = plugin;
  return {
    name,
    status: state,
    message: message ?? null,
    version: version ?? null,
    sha256: digest ?? null,
    file: file ?? null,
    isolation,
    instances,
    memoryBytes: memoryBytes ?? null,
    cpuLoad: cpuLoad ?? null,
    ...formatHookFigures(figuresOf(name, trial)),
  };
}

export function formatTrial(trial: RunningTrial): object {
  const { plugin, candidate, startedAt } = trial;
  return {
    name: plugin.name,
    mode: candidate.trial?.kind ?? null,
    share: candidate.trial?.share ?? null,
    startedAt: new Date(startedAt).toISOString(),
    plugin: formatSide(plugin, trial),
    candidate: formatSide(candidate, trial),
    comparison: comparisonOf(trial),
  };
}
