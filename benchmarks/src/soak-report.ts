/** What a soak has shown: a table, and a plot of resident memory and its parts over the requests. */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { heldMegabytes, idleMegabytes, toMegabytes } from './memory-parts.ts';
import type { MemoryParts } from './memory-parts.ts';
import { slopeOf } from './plugin-memory.ts';
import type { Holdings } from './plugin-memory.ts';
import type { SoakState } from './soak-load.ts';

/** One look, about once a second. */
export interface SoakSample {
  readonly seconds: number;
  /** Megabytes. */
  readonly resident: number;
  readonly descriptors: number;
  readonly threads: number;
  /** As last seen. */
  readonly parts: MemoryParts;
  readonly state: SoakState;
}

export interface SoakOutcome {
  readonly requests: number;
  readonly rate: number;
  readonly aborts: number;
  readonly seed: number;
  readonly samples: readonly SoakSample[];
  /** Collected: after the warm-up, and when the last request had ended. */
  readonly held: readonly MemoryParts[];
  readonly before: Holdings;
  /** A while after the last request. */
  readonly rested: Holdings;
  readonly trimmed: MemoryParts;
  /** Highest resident memory, in megabytes. */
  readonly peak: number;
  readonly cpuSeconds: number;
  /** What the load says at the end. */
  readonly last: SoakState;
}

/** Of the requests: until then memory finds its level. */
const warmShare = 0.2;

/** Slope of resident memory after the warm-up, in MB per 100,000 requests. */
export function soakSlope({ samples, requests }: SoakOutcome): number {
  const settled = samples.filter(({ state }) => state.sent >= requests * warmShare);
  const [first, last] = [settled[0], settled.at(-1)];
  if (first === undefined || last === undefined || settled.length < 3) return Number.NaN;
  const perSample = (last.state.sent - first.state.sent) / (settled.length - 1);
  return (slopeOf(settled.map(({ resident }) => resident)) / perSample) * 100_000;
}

const range = (values: readonly number[]): string =>
  `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`;

function rowsOf(outcome: SoakOutcome): readonly (readonly [string, string])[] {
  const { samples, requests, last, held, before, rested, trimmed, peak, cpuSeconds } = outcome;
  const settled = samples.filter(({ state }) => state.sent >= requests * warmShare);
  const seconds = samples.at(-1)?.seconds ?? Number.NaN;
  const quarters = [0.2, 0.4, 0.6, 0.8, 1].map(
    (share) => samples.findLast(({ state }) => state.sent <= requests * share)?.resident.toFixed(0) ?? '-',
  );
  const kinds = Object.entries(last.kinds).map(([kind, count]) => `${count} ${kind}`);
  const idle = idleMegabytes(held.at(-1) ?? trimmed);
  return [
    ['requests', `${last.sent} in ${seconds.toFixed(0)} s: ${(last.sent / seconds).toFixed(0)} a second`],
    ['of which', kinds.join(', ')],
    ['answered, given up by their clients, failed', `${last.answered}, ${last.aborted}, ${last.failed}`],
    ['CPU per request', `${((cpuSeconds * 1_000_000) / last.sent).toFixed(0)} µs`],
    ['resident MB before', before.ownMegabytes.toFixed(0)],
    ['resident MB at 20, 40, 60, 80 and 100 % of the requests', quarters.join(', ')],
    ['after the warm-up, lowest to highest', range(settled.map(({ resident }) => resident))],
    ['slope after the warm-up, MB per 100,000 requests', soakSlope(outcome).toFixed(2)],
    ['highest MB of all', peak.toFixed(0)],
    [
      'MB held after the warm-up and at the end, collected',
      held.map((one) => heldMegabytes(one).toFixed(1)).join(', '),
    ],
    ['MB held by nobody at the end: heaps, allocator', `${idle.heaps.toFixed(0)}, ${idle.allocator.toFixed(0)}`],
    [
      'MB 10 s after the last request, and trimmed',
      `${rested.ownMegabytes.toFixed(0)}, ${toMegabytes(trimmed.resident).toFixed(0)}`,
    ],
    [
      'descriptors before, during, after',
      `${before.descriptors}, ${range(settled.map(({ descriptors }) => descriptors))}, ${rested.descriptors}`,
    ],
    ['clients’ sockets during', range(settled.map(({ state }) => state.clientSockets))],
    ['provider’s sockets during', range(settled.map(({ state }) => state.upstreamSockets))],
    ['clients’ and provider’s sockets after', `${last.clientSockets}, ${last.upstreamSockets}`],
    ['threads before, after', `${before.threads}, ${rested.threads}`],
  ];
}

/** The table. */
export function describeSoak(outcome: SoakOutcome): string {
  return [['', ''], ['---', '---'], ...rowsOf(outcome)].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const series: readonly (readonly [title: string, color: string, read: (sample: SoakSample) => number])[] = [
  ['resident', '#2563eb', ({ resident }) => resident],
  ['in use', '#16a34a', ({ parts }) => heldMegabytes(parts)],
  ['free in heaps', '#d97706', ({ parts }) => idleMegabytes(parts).heaps],
  ['free in the allocator', '#dc2626', ({ parts }) => idleMegabytes(parts).allocator],
];

function plotOf({ samples, requests }: SoakOutcome): string {
  const [width, height, left, bottom] = [860, 340, 56, 44];
  const most = Math.ceil(Math.max(...samples.map(({ resident }) => resident)) / 50) * 50;
  const x = (sent: number): string => (left + (sent / requests) * (width - left - 20)).toFixed(1);
  const y = (megabytes: number): string => (height - bottom - (megabytes / most) * (height - bottom - 30)).toFixed(1);
  const grid = Array.from({ length: most / 50 + 1 }, (_, step) => {
    const at = y(step * 50);
    return `<line x1="${left}" y1="${at}" x2="${width - 20}" y2="${at}" stroke="#e2e8f0"/><text x="${left - 6}" y="${at}" text-anchor="end">${step * 50}</text>`;
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (share) => `<text x="${x(share * requests)}" y="${height - 26}" text-anchor="middle">${share * requests}</text>`,
  );
  const lines = series.map(([title, color, read], line) => {
    const points = samples.map((sample) => `${x(sample.state.sent)},${y(read(sample))}`).join(' ');
    const legend = `<text x="${left + line * 170}" y="16" fill="${color}">${title}</text>`;
    return `<polyline fill="none" stroke="${color}" stroke-width="1.5" points="${points}"/>${legend}`;
  });
  const axis = `<text x="${width - 20}" y="${height - 8}" text-anchor="end">requests; MB of the gateway</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" role="img" aria-label="Memory over a soak" font-family="system-ui, sans-serif" font-size="12"><rect width="100%" height="100%" fill="#ffffff"/>${grid.join('')}${ticks.join('')}${lines.join('')}${axis}</svg>\n`;
}

const text = (outcome: SoakOutcome): string => `# A soak

${new Date().toISOString().slice(0, 10)}, written by \`node benchmarks/src/soak.ts --requests ${outcome.requests} --aborts ${outcome.aborts} --rate ${outcome.rate} --seed ${outcome.seed} --report\`
([plot](soak.svg)): the bundled program on one core with one serving thread and a plugin that reads the head, load and provider on the other; ${availableParallelism()} cores.
\`held\` is what objects of all threads and the allocator's blocks take once the garbage has been collected; \`held by nobody\` is what is free
in the heaps and in the allocator, which the system has not got back; \`trimmed\` is resident memory once the garbage is collected and the allocator has given back what it can.

${describeSoak(outcome)}
`;

/** Writes `soak.md` and `soak.svg` into the folder. */
export function writeSoak(folder: string, outcome: SoakOutcome): void {
  writeFileSync(join(folder, 'soak.md'), text(outcome));
  writeFileSync(join(folder, 'soak.svg'), plotOf(outcome));
}
