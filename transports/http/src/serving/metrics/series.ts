import type { MetricObjectWithValues, MetricValue } from 'prom-client';

type Labels = Readonly<Record<string, string>>;
type MetricJson = MetricObjectWithValues<MetricValue<string>>;

export interface MetricFacts<Names extends readonly string[]> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: Names;
}

/** One value for each set of label values, in the order of `labelNames`. */
type ValuesOf<Names extends readonly string[]> = { readonly [Index in keyof Names]: string };

function zip(names: readonly string[], values: readonly string[]): Labels {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}

export class CounterCell {
  value = 0;
  inc(by = 1): void {
    this.value += by;
  }
}

/** A counter of Prometheus: cells by label values. Kept apart from prom-client, which is loaded by the first scrape only. */
export class Counter<const Names extends readonly string[]> {
  readonly #facts: MetricFacts<Names>;
  readonly #cells = new Map<string, { readonly labels: Labels; readonly cell: CounterCell }>();

  constructor(facts: MetricFacts<Names>) {
    this.#facts = facts;
  }

  labels(...values: ValuesOf<Names>): CounterCell {
    const key = values.join('\n');
    let entry = this.#cells.get(key);
    if (entry === undefined) {
      entry = { labels: zip(this.#facts.labelNames, values), cell: new CounterCell() };
      this.#cells.set(key, entry);
    }
    return entry.cell;
  }

  /** In the form in which prom-client adds metrics of several registries up. */
  toJson(): MetricJson {
    const values = [...this.#cells.values()].map(({ labels, cell }) => ({ labels, value: cell.value }));
    return toMetric(this.#facts, 'counter', values);
  }
}

export class HistogramCell {
  readonly counts: Float64Array;
  sum = 0;
  readonly #bounds: readonly number[];

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    this.sum += value;
    let index = 0;
    while (index < this.#bounds.length && value > (this.#bounds[index] ?? 0)) index++;
    this.counts[index] = (this.counts[index] ?? 0) + 1;
  }
}

/** A histogram of Prometheus: an observation is one addition; buckets are summed up when they are read. */
export class Histogram<const Names extends readonly string[]> {
  readonly #facts: MetricFacts<Names>;
  readonly #bounds: readonly number[];
  readonly #cells = new Map<string, { readonly labels: Labels; readonly cell: HistogramCell }>();

  constructor(facts: MetricFacts<Names>, bounds: readonly number[]) {
    this.#facts = facts;
    this.#bounds = bounds;
  }

  labels(...values: ValuesOf<Names>): HistogramCell {
    const key = values.join('\n');
    let entry = this.#cells.get(key);
    if (entry === undefined) {
      entry = { labels: zip(this.#facts.labelNames, values), cell: new HistogramCell(this.#bounds) };
      this.#cells.set(key, entry);
    }
    return entry.cell;
  }

  toJson(): MetricJson {
    const { name } = this.#facts;
    const values = [...this.#cells.values()].flatMap(({ labels, cell }) => {
      let total = 0;
      const buckets = [...this.#bounds, '+Inf'].map((bound, index) => {
        total += cell.counts[index] ?? 0;
        return { labels: { le: bound, ...labels }, value: total, metricName: `${name}_bucket` };
      });
      const sum = { labels, value: cell.sum, metricName: `${name}_sum` };
      return [...buckets, sum, { labels, value: total, metricName: `${name}_count` }];
    });
    return toMetric(this.#facts, 'histogram', values);
  }
}

/** A value of this moment. */
export function gaugeToJson(facts: MetricFacts<readonly string[]>, labels: Labels, value: number): MetricJson {
  return toMetric(facts, 'gauge', [{ labels, value }]);
}

/** One value of a series; `metricName` where it is not the series' own (`..._bucket`). */
export interface SeriesValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

/** A series in the form in which prom-client adds metrics of several registries up. */
export function toMetric(
  { name, help }: { readonly name: string; readonly help: string },
  type: 'counter' | 'histogram' | 'gauge',
  values: readonly SeriesValue[],
): MetricJson {
  // prom-client declares the type as an enum of numbers and writes it as a word.
  return { name, help, type, values, aggregator: 'sum' } as unknown as MetricJson;
}
