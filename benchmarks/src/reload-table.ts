/** The table of all cells in `results/plugin-reload.md`: each run of `plugin-reload.ts --report` puts its row there. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { ReloadReport } from '@bifrost/testkit/contract';
import { percentilesOf } from './percentiles.ts';
import { heldMegabytes, toMegabytes } from './memory-parts.ts';
import type { MemoryParts } from './memory-parts.ts';
import { slopeOf } from './plugin-memory.ts';
import type { Holdings } from './plugin-memory.ts';

/** What one run has shown. */
export interface ReloadOutcome {
  readonly cell: string;
  readonly streams: number;
  readonly rate: number;
  /** Texts of all streams in a second. */
  readonly textRate: number;
  readonly threads: number;
  readonly report: ReloadReport;
  /** After each reload. */
  readonly holdings: readonly Holdings[];
  /** After reload `settledAfter` and each `looksEvery`th from there, with the garbage collected and the allocator trimmed. */
  readonly parts: readonly MemoryParts[];
  /** At the end, without streams, collected and trimmed. */
  readonly trimmed: MemoryParts;
  readonly inits: number;
  /** Instances that were begun and not ended, once the old generations had time to end. */
  readonly live: number;
  /** How many there should be. */
  readonly serving: number;
}

/** Before this reload memory is still finding its level. */
export const settledAfter = 20;
/** Reloads from one look at memory to the next: a look collects the garbage and gives back what is free. */
export const looksEvery = 10;

const times = (samples: readonly number[]): string => {
  const { p50, p99, max } = percentilesOf(Float64Array.from(samples));
  return [p50, p99, max].map((value) => value.toFixed(0)).join(' / ');
};

const fromTo = (values: readonly number[]): string =>
  `${values[0]?.toFixed(0) ?? '-'} → ${values.at(-1)?.toFixed(0) ?? '-'}`;
const range = (values: readonly number[]): string =>
  `${Math.min(...values).toFixed(0)}, ${Math.max(...values).toFixed(0)}`;

const columns: readonly (readonly [title: string, show: (outcome: ReloadOutcome) => string])[] = [
  ['cell', ({ cell }) => cell],
  ['reloads', ({ report }) => String(report.reloadMs.length)],
  ['live streams, their texts per second', ({ streams, textRate }) => `${streams}, ${textRate.toFixed(0)}`],
  ['streams, of which live during a reload', ({ report }) => `${report.streams}, ${report.spanning}`],
  ['stamped chunks', ({ report }) => String(report.chunks)],
  ['requests', ({ report }) => String(report.requestMs.length)],
  ['failed', ({ report }) => String(report.faultCounts.failed)],
  ['cut', ({ report }) => String(report.faultCounts.cut)],
  ['of two generations', ({ report }) => String(report.faultCounts.mixed)],
  ['instances begun = ended + serving', ({ inits, live }) => `${inits} = ${inits - live} + ${live}`],
  ['MB held', ({ parts }) => fromTo(parts.map(heldMegabytes))],
  ['KB held per reload', ({ parts }) => perReload(parts.map(heldMegabytes))],
  ['MB resident, trimmed', ({ parts }) => fromTo(parts.map(residentMegabytes))],
  ['KB trimmed per reload', ({ parts }) => perReload(parts.map(residentMegabytes))],
  ['MB resident between, lowest and highest', ({ holdings }) => range(settled(holdings, 'ownMegabytes'))],
  ['MB at rest, trimmed', ({ trimmed }) => toMegabytes(trimmed.resident).toFixed(0)],
  ['MB of its children', ({ holdings }) => fromTo(settled(holdings, 'childMegabytes'))],
  ['descriptors', ({ holdings }) => fromTo(settled(holdings, 'descriptors'))],
  ['threads', ({ holdings }) => fromTo(settled(holdings, 'threads'))],
  ['reload p50 / p99 / max ms', ({ report }) => times(report.reloadMs)],
  ['request p50 / p99 / max ms', ({ report }) => times(report.requestMs)],
];

const residentMegabytes = ({ resident }: MemoryParts): number => toMegabytes(resident);
const inKilobytes = (megabytes: number): string => (megabytes * 1024).toFixed(0);

/** Kilobytes by which it grows with each reload, by looks that are `looksEvery` reloads apart. */
const perReload = (megabytes: readonly number[]): string =>
  megabytes.length < 2 ? '-' : inKilobytes(slopeOf(megabytes) / looksEvery);

function settled(holdings: readonly Holdings[], member: keyof Holdings): readonly number[] {
  return holdings.slice(settledAfter - 1).map((one) => one[member]);
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** One run as a table of two columns. */
export function describeOutcome(outcome: ReloadOutcome): string {
  return [['', ''], ['---', '---'], ...columns.map(([title, show]) => [title, show(outcome)])].map(line).join('\n');
}

const head = `# A plugin that is reloaded under live streams

Written by \`node benchmarks/src/plugin-reload.ts --cell NAME --report\`, a row for each cell of artefact and isolation, one cell at a
time. In each run the gateway has SERVING serving threads; streams of 10 texts are live all the time, RATE requests per second
come beside them by the clock, and the plugin of the contract suite, which stamps the head of every answer and every text of a stream with
its generation, is reloaded again as soon as that is done, at most twice a second. \`failed\`: an answer was not 200 or went past the plugin; \`cut\`: it ended before its end;
\`of two generations\`: its stamps differ. Memory, descriptors and threads are those after reload ${settledAfter} and after the last. After reload ${settledAfter} and each ${looksEvery}th from
there the garbage of all threads is collected, under the same load, and what is free is given back to the system: \`held\` is what objects and the allocator's blocks take then, \`trimmed\`
what is resident; the slopes are least squares over these looks, for a reload. \`at rest\` is the same when the load has ended. Each load has a child of its own: there are two while one takes the place of
another, and its memory has what it shares with others in it. Load, provider and gateway share ${availableParallelism()} cores, so the milliseconds are those of a machine that is busy.
`;

/** The rows of a table that was written before, by cell; what it has not measured is a dash. */
function readRows(path: string): Map<string, readonly string[]> {
  const rows = new Map<string, readonly string[]>();
  const lines = existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((one) => one.startsWith('|'))
    : [];
  const [titles = [], , ...measured] = lines.map((one) =>
    one
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  for (const cells of measured) {
    const values = columns.map(([title]) => cells[titles.indexOf(title)] ?? '-');
    if (values[0] !== undefined) rows.set(values[0], values);
  }
  return rows;
}

/** Puts the row of this run into the table, in the place of an older one of its cell. */
export function writeRow(path: string, outcome: ReloadOutcome, order: readonly string[]): void {
  const rows = readRows(path);
  rows.set(
    outcome.cell,
    columns.map(([, show]) => show(outcome)),
  );
  const table = [
    columns.map(([title]) => title),
    columns.map(() => '---'),
    ...order.flatMap((cell) => [rows.get(cell) ?? []]),
  ];
  const text = head.replace('SERVING', String(outcome.threads)).replace('RATE', String(outcome.rate));
  writeFileSync(
    path,
    `${text}\n${table
      .filter((cells) => cells.length > 0)
      .map(line)
      .join('\n')}\n`,
  );
}
