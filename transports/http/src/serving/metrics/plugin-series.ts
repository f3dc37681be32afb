import { bucketLimitMs } from '@bifrost/core';
import type { DurationHistogram, PluginFigures } from '@bifrost/core';
import type { InstanceCounts, PluginStatus } from '@bifrost/framework/plugins';
import type { MetricPart } from './metric-part.ts';
import { toMetric } from './series.ts';
import type { SeriesValue } from './series.ts';

/** What a thread knows of its plugins. */
export interface PluginFacts {
  /** Since the start of the thread, over all generations. */
  readonly totals: readonly PluginFigures[];
  readonly statuses: readonly PluginStatus[];
  readonly counts: InstanceCounts;
}

/** Every eighth of the figures' own buckets: 1 us, 4 us, 16 us, ... 4.2 s. */
const bounds = Array.from({ length: 12 }, (_, index) => ({
  last: 3 + index * 8,
  le: bucketLimitMs(3 + index * 8) / 1000,
}));

function histogramValues(
  name: string,
  labels: Readonly<Record<string, string>>,
  { buckets, count, totalMs }: DurationHistogram,
): readonly SeriesValue[] {
  let [sum, next] = [0, 0];
  const values: SeriesValue[] = bounds.map(({ last, le }) => {
    for (; next <= last; next += 1) sum += buckets[next] ?? 0;
    return { labels: { le, ...labels }, value: sum, metricName: `${name}_bucket` };
  });
  values.push({ labels: { le: '+Inf', ...labels }, value: count, metricName: `${name}_bucket` });
  values.push({ labels, value: totalMs / 1000, metricName: `${name}_sum` });
  values.push({ labels, value: count, metricName: `${name}_count` });
  return values;
}

const names = {
  calls: { name: 'bifrost_plugin_hook_calls_total', help: 'Calls of plugins, by hook.' },
  errors: { name: 'bifrost_plugin_hook_errors_total', help: 'Calls of plugins that failed, by hook and kind.' },
  skipped: {
    name: 'bifrost_plugin_hook_skipped_total',
    help: 'Calls of plugins that were left out, by hook and reason.',
  },
  seconds: { name: 'bifrost_plugin_hook_seconds', help: 'Time of calls of plugins, by hook.' },
  added: {
    name: 'bifrost_plugin_added_first_content_seconds',
    help: 'What plugins add to the time to the first content of an answer.',
  },
  status: { name: 'bifrost_plugin_status', help: 'Serving threads in which a plugin has this status.' },
  inits: { name: 'bifrost_plugin_inits_total', help: 'Instances of plugins that were begun in serving threads.' },
  cleanups: {
    name: 'bifrost_plugin_cleanups_total',
    help: 'Instances of plugins that were cleaned up in serving threads.',
  },
} as const;

/** The series of plugins of one thread, in the form in which the parts of all threads are added up. */
export function pluginSeries({ totals, statuses, counts }: PluginFacts): MetricPart {
  const calls: SeriesValue[] = [];
  const errors: SeriesValue[] = [];
  const skipped: SeriesValue[] = [];
  const seconds: SeriesValue[] = [];
  const added: SeriesValue[] = [];
  for (const { plugin, hooks, addedToFirstContent } of totals) {
    added.push(...histogramValues(names.added.name, { plugin }, addedToFirstContent));
    for (const [hook, figures] of Object.entries(hooks)) {
      const labels = { plugin, hook };
      const { calls: count, totalMs, buckets } = figures;
      calls.push({ labels, value: count });
      errors.push({ labels: { ...labels, kind: 'error' }, value: figures.errors });
      errors.push({ labels: { ...labels, kind: 'timeout' }, value: figures.timeouts });
      const reasons = { ...figures.skipped, dropped: figures.dropped };
      for (const [reason, value] of Object.entries(reasons)) skipped.push({ labels: { ...labels, reason }, value });
      seconds.push(...histogramValues(names.seconds.name, labels, { count, totalMs, buckets }));
    }
  }
  const status = statuses.map(({ name, state }) => ({ labels: { plugin: name, status: state }, value: 1 }));
  return [
    toMetric(names.calls, 'counter', calls),
    toMetric(names.errors, 'counter', errors),
    toMetric(names.skipped, 'counter', skipped),
    toMetric(names.seconds, 'histogram', seconds),
    toMetric(names.added, 'histogram', added),
    toMetric(names.status, 'gauge', status),
    toMetric(names.inits, 'counter', [{ labels: {}, value: counts.inits }]),
    toMetric(names.cleanups, 'counter', [{ labels: {}, value: counts.cleanups }]),
  ];
}
