import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { flagTable } from '../transports/http/src/program/flag-table.ts';
import type { FlagEntry } from '../transports/http/src/program/flag-table.ts';
import { renderMetrics } from '../transports/http/src/serving/metrics/render-metrics.ts';
import { ThreadMetrics } from '../transports/http/src/serving/metrics/thread-metrics.ts';

const page = readFileSync(join(import.meta.dirname, '../docs/operating.md'), 'utf8');

it('has a row for every flag, with its variables', () => {
  const missing = (flagTable as readonly FlagEntry[]).filter(({ name, variables }) => {
    const row = page.split('\n').find((line) => line.startsWith('|') && line.includes(`\`-${name}\``));
    return row === undefined || variables.some((variable) => !row.includes(`\`${variable}\``));
  });
  expect(missing.map(({ name }) => name)).toEqual([]);
});

it('has a row for every metric with its kind, and no other', async () => {
  const text = await renderMetrics({ parts: [new ThreadMetrics(1).collect()], threads: 1 });
  const kinds = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map((match) => `${match[1]} ${match[2]}`);
  const rows = [...page.matchAll(/^\| `([a-z_]+)` +\| (counter|gauge|histogram) /gm)];
  expect(rows.map((match) => `${match[1]} ${match[2]}`).toSorted()).toEqual(kinds.toSorted());
});
