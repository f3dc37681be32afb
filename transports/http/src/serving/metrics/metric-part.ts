import type { MetricObjectWithValues, MetricValue } from 'prom-client';

/** The metrics of one thread as plain data: a scrape adds the parts of all threads up. */
export type MetricPart = readonly MetricObjectWithValues<MetricValue<string>>[];
