/** Table, JSON and plot of a run, under `benchmarks/results/`. */
import { execFileSync } from 'node:child_process';
import { writeFileSync, mkdirSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { resolve } from 'node:path';
import type { Round } from './main.ts';
import { median } from './percentiles.ts';

type Column = { readonly title: string; readonly digits: number; read(round: Round): number | undefined };

const columns: readonly Column[] = [
  { title: 'requests/s', digits: 0, read: (r) => r.maximum?.requestsPerSecond },
  { title: 'CPU µs/request', digits: 1, read: (r) => r.maximum?.cpuMicrosecondsPerRequest },
  { title: 'p50 µs at 1,000/s', digits: 0, read: (r) => r.at1000?.latencyUs.p50 },
  { title: 'p99 µs at 1,000/s', digits: 0, read: (r) => r.at1000?.latencyUs.p99 },
  { title: 'p50 µs at 3,000/s', digits: 0, read: (r) => r.at3000?.latencyUs.p50 },
  { title: 'p99 µs at 3,000/s', digits: 0, read: (r) => r.at3000?.latencyUs.p99 },
  { title: 'CPU µs/chunk (100)', digits: 1, read: (r) => r.streams100?.cpuMicrosecondsPerChunk },
  { title: 'CPU µs/chunk (500)', digits: 1, read: (r) => r.streams500?.cpuMicrosecondsPerChunk },
  { title: 'first chunk µs', digits: 0, read: (r) => r.streams100?.firstChunkP50Us },
  { title: '1 KB p50 µs', digits: 0, read: (r) => r.body1k?.latencyP50Us },
  { title: '100 KB p50 µs', digits: 0, read: (r) => r.body100k?.latencyP50Us },
  { title: '10 MB p50 ms', digits: 2, read: (r) => divide(r.body10m?.latencyP50Us, 1000) },
  { title: '10 MB CPU ms', digits: 2, read: (r) => divide(r.body10m?.cpuMicroseconds, 1000) },
  { title: '10 MB extra MB', digits: 0, read: (r) => r.body10m?.peakExtraMegabytes },
  { title: 'idle MB', digits: 0, read: (r) => r.idleMegabytes },
  { title: 'loaded MB', digits: 0, read: (r) => r.maximum?.residentMegabytes },
  { title: 'ready ms', digits: 0, read: (r) => r.readyMs },
  { title: 'failures', digits: 0, read: failuresOf },
];

function divide(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value / by;
}

function failuresOf(round: Round): number {
  const parts = [
    round.maximum,
    round.at1000,
    round.at3000,
    round.streams100,
    round.streams500,
    round.body1k,
    round.body100k,
    round.body10m,
  ];
  return parts.reduce((sum, part) => sum + (part?.failures ?? 0), 0);
}

interface Row {
  readonly target: string;
  readonly values: readonly (number | undefined)[];
}

function rowsOf(results: readonly Round[]): readonly Row[] {
  return [...new Set(results.map(({ target }) => target))].map((target) => {
    const mine = results.filter((round) => round.target === target);
    const values = columns.map((column) => {
      const known = mine.map((round) => column.read(round)).filter((value) => value !== undefined);
      return known.length === 0 ? undefined : median(known);
    });
    return { target, values };
  });
}

function tableOf(rows: readonly Row[]): string {
  const cell = (value: number | undefined, digits: number): string =>
    value === undefined || Number.isNaN(value)
      ? '-'
      : value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
  const body = columns.map((column, at) => [column.title, ...rows.map((row) => cell(row.values[at], column.digits))]);
  const lines = [['', ...rows.map((row) => row.target)], ...body].map((cells) => `| ${cells.join(' | ')} |`);
  lines.splice(1, 0, `|---|${rows.map(() => '---:').join('|')}|`);
  return lines.join('\n');
}

const plotted = [
  'requests/s',
  'CPU µs/request',
  'p50 µs at 1,000/s',
  'CPU µs/chunk (100)',
  '10 MB p50 ms',
  'loaded MB',
];
const escapeXml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** Small multiples: one panel of bars per figure, as the scales have nothing in common. */
function plotOf(rows: readonly Row[]): string {
  const [width, rowHeight, labelWidth] = [760, 18, 230];
  const panelHeight = rows.length * rowHeight + 42;
  const panels = plotted.map((title, panel) => {
    const at = columns.findIndex((column) => column.title === title);
    const digits = columns[at]?.digits ?? 0;
    const most = Math.max(...rows.map((row) => row.values[at] ?? 0), Number.EPSILON);
    const bars = rows.map((row, line) => {
      const value = row.values[at];
      const y = 30 + line * rowHeight;
      const length = ((value ?? 0) / most) * (width - labelWidth - 90);
      const color = row.target.startsWith('Bifrost') ? '#2563eb' : '#94a3b8';
      const text = value === undefined ? 'not measured' : value.toLocaleString('en', { maximumFractionDigits: digits });
      return `<text x="${labelWidth - 8}" y="${y + 11}" text-anchor="end">${escapeXml(row.target)}</text><rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="13" fill="${color}"/><text x="${(labelWidth + length + 6).toFixed(1)}" y="${y + 11}">${text}</text>`;
    });
    return `<g transform="translate(0 ${panel * panelHeight})"><text x="8" y="18" font-weight="600">${escapeXml(title)}</text>${bars.join('')}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${plotted.length * panelHeight}" role="img" aria-label="Gateways beside each other" font-family="system-ui, sans-serif" font-size="12"><rect width="100%" height="100%" fill="#ffffff"/>${panels.join('')}</svg>\n`;
}

/** Writes `latest.json`, `latest.md` and `latest.svg`, and prints the table. */
export function writeReport(
  results: readonly Round[],
  options: { readonly rounds: number; readonly seconds: number },
): void {
  const folder = resolve(import.meta.dirname, '../results');
  mkdirSync(folder, { recursive: true });
  const rows = rowsOf(results);
  const table = tableOf(rows);
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    nginx: execFileSync('sh', ['-c', '/usr/sbin/nginx -v 2>&1']).toString('utf8').trim(),
  };
  const heading = `# Benchmark\n\n${new Date().toISOString().slice(0, 10)}; ${machine.cores} cores of ${machine.cpu}, Node ${machine.node}, ${machine.nginx}; median of ${options.rounds} interleaved rounds of ${options.seconds} s. One core for the gateway, one for load and upstream. Latencies include upstream and load ("direct" is their share).\n\n`;
  writeFileSync(resolve(folder, 'latest.md'), `${heading}${table}\n`);
  writeFileSync(resolve(folder, 'latest.json'), `${JSON.stringify({ machine, ...options, results }, undefined, 1)}\n`);
  writeFileSync(resolve(folder, 'latest.svg'), plotOf(rows));
  console.log(`\n${table}\n\nwritten to ${folder}: latest.md, latest.json, latest.svg`);
}
