import { AggregatorRegistry, Counter, Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { addParts } from './add-parts.ts';
import type { MetricPart } from './metric-part.ts';

async function partOf(count: (requests: Counter, times: Histogram) => void): Promise<MetricPart> {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({ name: 'requests_total', help: 'r', labelNames: ['path', 'status'], registers });
  const times = new Histogram({ name: 'times', help: 't', labelNames: ['path'], buckets: [1, 5], registers });
  count(requests, times);
  return (await registry.getMetricsAsJSON()) as MetricPart;
}

const textOf = (parts: readonly MetricPart[]): Promise<string> =>
  AggregatorRegistry.aggregate(parts.map((part) => [...part])).metrics();

describe('addParts', () => {
  it('gives the text that the parts would give together, whatever order labels have', async () => {
    const first = await partOf((requests, times) => {
      requests.inc({ path: '/a', status: '200' }, 3);
      times.observe({ path: '/a' }, 2);
    });
    const second = await partOf((requests, times) => {
      requests.inc({ status: '200', path: '/a' }, 4);
      requests.inc({ path: '/b', status: '500' });
      times.observe({ path: '/a' }, 7);
      times.observe({ path: '/b' }, 0.5);
    });
    const sum = addParts(addParts([], first), second);
    const lines = (text: string): readonly string[] => text.split('\n').toSorted();
    expect(lines(await textOf([sum]))).toEqual(lines(await textOf([first, second])));
    expect(await textOf([sum])).toContain('requests_total{path="/a",status="200"} 7');
  });

  it('has no more series after a thousand parts than after one', async () => {
    const part = await partOf((requests) => requests.inc({ path: '/a', status: '200' }));
    let sum: MetricPart = [];
    for (let count = 0; count < 1000; count += 1) sum = addParts(sum, part);
    expect(sum.map(({ values }) => values.length)).toEqual(part.map(({ values }) => values.length));
    expect(sum[0]?.values[0]?.value).toBe(1000);
  });
});
