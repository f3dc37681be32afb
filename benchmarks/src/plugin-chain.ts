/**
 * What plugins cost on the way of a request: the gateway's CPU for each with 0, 1, 5 and 10 plugins that read its head and set a header, and
 * with one whose filters do not match. All gateways run at once, pinned to one core, and are asked in turns; a row is compared with the
 * gateway without plugins within each round, and the median of the rounds is shown. With --report it writes results/plugin-chain.md.
 *
 * Usage: node benchmarks/src/plugin-chain.ts [--rounds 12] [--seconds 1] [--report]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gatewayCore, runWrk, startInstantUpstream } from './measures.ts';
import { median } from './percentiles.ts';
import type { Measured } from './processes.ts';
import { ours, startTarget } from './targets.ts';
import type { Target } from './targets.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '12' },
    /** Of each gateway in each round. */
    seconds: { type: 'string', default: '1' },
    report: { type: 'boolean', default: false },
  },
});
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];

/** So many seconds of load, some ten thousand requests, before a JIT stands still. */
const warmUpSeconds = 5;

interface Row {
  readonly name: string;
  readonly plugins: readonly string[];
}

const chain = (length: number): Row => ({
  name: `${length} that read${length === 1 ? 's' : ''} the head`,
  plugins: Array.from({ length }, () => 'reads-head'),
});
const rows: readonly Row[] = [
  { name: 'none', plugins: [] },
  { name: '1 that does not match', plugins: ['never-matches'] },
  ...[1, 5, 10].map(chain),
];

interface Running extends Row {
  readonly target: Target;
  readonly gateway: Measured;
  /** Microseconds of CPU per request, by round. */
  readonly cpu: number[];
}

async function start(row: Row, index: number, folder: string): Promise<Running> {
  const target = ours(folder, row.name, 18_130 + index, ...row.plugins);
  const { process: gateway } = await startTarget(target, gatewayCore);
  return { ...row, target, gateway, cpu: [] };
}

async function ask({ name, target, gateway, cpu }: Running, folder: string): Promise<void> {
  const before = gateway.threadMicroseconds();
  const { requests, failures } = await runWrk(target, folder, seconds);
  if (failures > 0) throw new Error(`${name}: ${failures} requests failed`);
  cpu.push((gateway.threadMicroseconds() - before) / requests);
}

const us = (value: number): string => value.toFixed(2);

/** How far the middle half of the rounds reaches. */
function spread(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return `${us(at(0.25))} to ${us(at(0.75))}`;
}

function format({ name, plugins, cpu }: Running, without: readonly number[]): string {
  const added = cpu.map((value, round) => value - (without[round] ?? Number.NaN));
  const count = plugins.length;
  const difference = count === 0 ? ['', '', ''] : [us(median(added)), spread(added), us(median(added) / count)];
  return `| ${[name, us(median(cpu)), ...difference].join(' | ')} |`;
}

execFileSync('make', ['-s', 'tmp/bundle/main.js'], { cwd: resolve(import.meta.dirname, '../..'), stdio: 'inherit' });
const folder = mkdtempSync(join(tmpdir(), 'bifrost-chain-'));
const upstream = await startInstantUpstream(folder);
const running: Running[] = [];
try {
  for (const [index, row] of rows.entries()) running.push(await start(row, index, folder));
  for (const { target } of running) await runWrk(target, folder, warmUpSeconds);
  for (let round = 0; round < rounds; round += 1) {
    // Each is first in turn, as who comes after whom is not all the same to a processor.
    for (let index = 0; index < running.length; index += 1) {
      const one = running[(index + round) % running.length];
      if (one !== undefined) await ask(one, folder);
    }
  }
} finally {
  await Promise.all([upstream, ...running.map(({ gateway }) => gateway)].map((one) => one.stop()));
  rmSync(folder, { recursive: true, force: true });
}
const without = running[0]?.cpu ?? [];
const table = [
  '| plugins | CPU per request | added | middle half of the rounds | per plugin |',
  '| --- | --- | --- | --- | --- |',
  ...running.map((one) => format(one, without)),
].join('\n');
const [load = 0] = loadavg();
const text = `# Plugins on the way of a request

Written by \`node benchmarks/src/plugin-chain.ts --report\`: microseconds of the gateway's CPU per request, on ${availableParallelism()} cores; the load average at the end was
${load.toFixed(1)}. Inline plugins of TypeScript with two hooks each: one reads the request's head and keeps a value, one sets a header of the answer.
${rounds} rounds in which each gateway has ${seconds} s of requests, 64 at a time; \`added\` is the median over the rounds of the difference to the
gateway without plugins in the same round.

${table}
`;
console.log(text);
if (values.report) writeFileSync(join(import.meta.dirname, '../results/plugin-chain.md'), text);
