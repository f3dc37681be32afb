/**
 * Live streams, requests beside them, and a plugin that is reloaded again and again in one cell of artefact and isolation. Fails where
 * an answer failed, was cut, or is of two generations of the plugin, or where an instance was not ended; prints what it took.
 *
 * Usage: node benchmarks/src/plugin-reload.ts --cell module-inline [--streams 1000] [--reloads 100] [--rate 200] [--every 500] [--threads 2]
 */
import { parseArgs } from 'node:util';
import { startBenchUpstream } from '@bifrost/testkit';
import { reloadUnderLoad } from '@bifrost/testkit/contract';
import type { ReloadReport } from '@bifrost/testkit/contract';
import { cellEntry, cellName, pluginCells } from '../../transports/http/src/e2e/plugin-cells.ts';
import type { PluginCell } from '../../transports/http/src/e2e/plugin-cells.ts';
import { PluginGateway } from '../../transports/http/src/e2e/plugin-gateway.ts';
import { percentilesOf } from './percentiles.ts';
import { residentMegabytes, slopeOf } from './plugin-memory.ts';

const { values } = parseArgs({
  options: {
    cell: { type: 'string', default: 'module-inline' },
    streams: { type: 'string', default: '1000' },
    reloads: { type: 'string', default: '100' },
    rate: { type: 'string', default: '200' },
    threads: { type: 'string', default: '2' },
    /** Milliseconds from one reload to the next. */
    every: { type: 'string', default: '500' },
    /** Texts of a stream, and the milliseconds between two. */
    chunks: { type: 'string', default: '10' },
    gap: { type: 'string', default: '500' },
  },
});

/** Before this reload memory is still finding its level. */
const settledAfter = 20;
const [streams, reloads, rate, threads, chunks, gap] = [
  values.streams,
  values.reloads,
  values.rate,
  values.threads,
  values.chunks,
  values.gap,
].map(Number) as [number, number, number, number, number, number];

interface Outcome {
  readonly report: ReloadReport;
  readonly memory: readonly number[];
  readonly inits: number;
  readonly live: number;
  readonly serving: number;
}

/** What instances have counted, once those of old generations have ended; after 30 s as it is then. */
async function settledCounts(
  gateway: PluginGateway,
  { name, serving }: { readonly name: string; readonly serving: number },
): Promise<{ inits: number; live: number }> {
  for (let tries = 0; ; tries += 1) {
    const counts = gateway.instances(name);
    if (counts.live === serving || tries === 60) return counts;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function run(cell: PluginCell): Promise<Outcome> {
  await using upstream = await startBenchUpstream();
  const key = { name: 'bench', value: 'sk-bench', models: ['*'], weight: 1 };
  const openai = { keys: [key], network_config: { base_url: upstream.url } };
  await using gateway = await PluginGateway.start({ threads, config: { providers: { openai } } });
  const name = cellName(cell);
  await gateway.add({ ...cellEntry(cell), config: { stamp: 'g0' } });
  const memory: number[] = [];
  const report = await reloadUnderLoad({
    url: gateway.url,
    reload: (stamp) => gateway.change(name, { config: { stamp } }),
    streams,
    reloads,
    everyMs: Number(values.every),
    rate,
    // The first chunk has the role, the last the reason of the end.
    streamModel: `openai/bench-stream-${chunks + 2}-gap-${gap}`,
    chunks,
    plainModel: 'openai/bench-model',
    onReload: (reload) => {
      memory.push(residentMegabytes(gateway.pid));
      if (reload % 10 === 0) console.error(`reload ${reload}: ${memory.at(-1)?.toFixed(0)} MB`);
    },
  });
  const serving = cell.isolation === 'inline' ? threads : 1;
  const counts = await settledCounts(gateway, { name, serving });
  if (report.faults.length > 0 || counts.live !== serving)
    console.error(
      gateway.output
        .split('\n')
        .filter((line) => !line.includes('contract: '))
        .slice(-60)
        .join('\n'),
    );
  return { report, memory, serving, ...counts };
}

function print(cell: PluginCell, { report, memory, inits, live, serving }: Outcome): void {
  const settled = memory.slice(settledAfter - 1);
  const of = (samples: readonly number[]): string => {
    const { p50, p99, max } = percentilesOf(Float64Array.from(samples));
    return `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)} ms`;
  };
  console.log(`| ${cellName(cell)} | |
| --- | --- |
| live streams, requests per second beside them, serving threads | ${streams}, ${rate}, ${threads} |
| reloads | ${report.reloadMs.length}: ${of(report.reloadMs)} |
| streams | ${report.streams}, of which ${report.spanning} were live during a reload; ${report.chunks} stamped texts |
| requests | ${report.requests}: ${of(report.requestMs)} |
| failed, cut or of two generations | ${report.faults.length} |
| generations that answered | ${report.generations} |
| instances begun, ended, serving | ${inits}, ${inits - live}, ${serving} |
| resident memory at reload ${settledAfter} and at the end | ${settled[0]?.toFixed(0) ?? '-'} MB, ${settled.at(-1)?.toFixed(0) ?? '-'} MB |
| its slope from there on, and over the last half | ${slopeOf(settled).toFixed(3)}, ${slopeOf(memory.slice(memory.length >> 1)).toFixed(3)} MB per reload |`);
}

const cell = pluginCells.find((one) => cellName(one) === values.cell);
if (cell === undefined) {
  console.error(`there is no cell ${values.cell}: ${pluginCells.map(cellName).join(', ')}`);
  process.exit(2);
}
const outcome = await run(cell);
print(cell, outcome);
for (const fault of outcome.report.faults) console.error(fault);
if (outcome.live !== outcome.serving) console.error(`${outcome.live} instances live where ${outcome.serving} serve`);
process.exitCode = outcome.report.faults.length > 0 || outcome.live !== outcome.serving ? 1 : 0;
