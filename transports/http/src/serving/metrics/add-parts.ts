import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import type { MetricPart } from './metric-part.ts';

type Metric = MetricObjectWithValues<MetricValue<string>>;
type Value = MetricValue<string> & { readonly metricName?: string };

/** What a value belongs to: the series of a histogram have names of their own. */
function keyOf({ metricName = '', labels }: Value): string {
  return JSON.stringify([metricName, Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
}

function addValues(sum: readonly Value[], more: readonly Value[]): Value[] {
  const values = new Map(sum.map((value) => [keyOf(value), value]));
  for (const value of more) {
    const key = keyOf(value);
    const before = values.get(key);
    values.set(key, before === undefined ? value : { ...before, value: before.value + value.value });
  }
  return [...values.values()];
}

/** Adds counters and histograms up, series by series, into one part: what ended threads have counted takes no more room than one of them. */
export function addParts(sum: MetricPart, part: MetricPart): MetricPart {
  const metrics = new Map<string, Metric>(sum.map((metric) => [metric.name, metric]));
  for (const metric of part) {
    const before = metrics.get(metric.name);
    metrics.set(
      metric.name,
      before === undefined ? metric : { ...before, values: addValues(before.values, metric.values) },
    );
  }
  return [...metrics.values()];
}
