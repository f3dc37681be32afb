/** How pairs of a quiet time and a time beside a hostile plugin are shown. */
import { median } from './percentiles.ts';
import type { Stretch } from './steady-load.ts';

export interface HostileRow {
  readonly isolation: string;
  readonly deed: string;
  readonly quiet: readonly Stretch[];
  readonly harmed: readonly Stretch[];
}

const ms = (value: number): string => value.toFixed(1);
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
const of = (stretches: readonly Stretch[], member: keyof Stretch): readonly number[] =>
  stretches.map((stretch) => stretch[member]);
const total = (stretches: readonly Stretch[], member: keyof Stretch): number =>
  of(stretches, member).reduce((sum, value) => sum + value, 0);

export const hostileHead = [
  '| isolation | the plugin | p50 ms, quiet / beside it | p99 ms, quiet / beside it | change of p99: median (range), higher in | slowest ms | cut / refused | processors, quiet / beside it |',
  '| --- | --- | --- | --- | --- | --- | --- | --- |',
];

/** The changes of a percentile, pair by pair. */
function changesOf({ quiet, harmed }: HostileRow, member: 'p50' | 'p99'): readonly number[] {
  return harmed.map((stretch, index) => stretch[member] - (quiet[index]?.[member] ?? Number.NaN));
}

export function formatHostileRow(row: HostileRow): string {
  const { isolation, deed, quiet, harmed } = row;
  const both = (member: 'p50' | 'p99'): string =>
    `${ms(median(of(quiet, member)))} / ${ms(median(of(harmed, member)))}`;
  const changes = changesOf(row, 'p99');
  const higher = changes.filter((change) => change > 0).length;
  const cells = [
    isolation,
    deed,
    both('p50'),
    both('p99'),
    `${ms(median(changes))} (${ms(Math.min(...changes))} to ${ms(Math.max(...changes))}), ${higher} of ${changes.length}`,
    `${ms(Math.max(...of(quiet, 'max')))} / ${ms(Math.max(...of(harmed, 'max')))}`,
    `${total(harmed, 'cut')} / ${total(harmed, 'refused')} of ${total(harmed, 'requests')}`,
    `${percent(median(of(quiet, 'cpuShare')))} / ${percent(median(of(harmed, 'cpuShare')))}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** What all pairs of an isolation say together. */
export function formatIsolation(isolation: string, rows: readonly HostileRow[]): string {
  const sentence = (member: 'p50' | 'p99'): string => {
    const changes = rows.flatMap((row) => changesOf(row, member));
    const higher = changes.filter((change) => change > 0).length;
    const chance = signTest(higher, changes.filter((change) => change < 0).length);
    return `${member} ${median(changes) < 0 ? '' : '+'}${ms(median(changes))} ms (higher in ${higher} of ${changes.length}, p = ${chance.toPrecision(2)})`;
  };
  return `- \`${isolation}\`: ${sentence('p50')}, ${sentence('p99')}`;
}

/** The highest share of the processors in a quiet stretch, and the median. */
export function formatQuietLoad(rows: readonly HostileRow[]): string {
  const shares = rows.flatMap(({ quiet }) => of(quiet, 'cpuShare'));
  return `${percent(median(shares))} (median; ${percent(Math.min(...shares))} to ${percent(Math.max(...shares))})`;
}

/** The chance of a split at least as uneven where both sides are as likely (two-sided). */
export function signTest(higher: number, lower: number): number {
  const pairs = higher + lower;
  let [ways, tail] = [1, 0];
  for (let count = 0; count <= Math.min(higher, lower); count += 1) {
    tail += ways;
    ways = (ways * (pairs - count)) / (count + 1);
  }
  return Math.min(1, (2 * tail) / 2 ** pairs);
}
