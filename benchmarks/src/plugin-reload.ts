/**
 * Live streams, requests beside them, and a plugin that is reloaded again and again in one cell of artefact and isolation. Fails where
 * an answer failed, was cut, or is of two generations of the plugin, or where an instance was not ended; prints what it took.
 *
 * Usage: node benchmarks/src/plugin-reload.ts --cell module-inline [--quiet] [--report] [--streams 1000] [--reloads 100] [--rate 200] [--every 500]
 *   [--threads 2]
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBenchUpstream } from '@bifrost/testkit';
import { reloadUnderLoad } from '@bifrost/testkit/contract';
import { cellEntry, cellName, pluginCells } from '../../transports/http/src/e2e/plugin-cells.ts';
import type { PluginCell } from '../../transports/http/src/e2e/plugin-cells.ts';
import { PluginGateway } from '../../transports/http/src/e2e/plugin-gateway.ts';
import { heldMegabytes, MemoryProbe, toMegabytes } from './memory-parts.ts';
import type { MemoryParts } from './memory-parts.ts';
import { holdingsOf } from './plugin-memory.ts';
import type { Holdings } from './plugin-memory.ts';
import { describeOutcome, looksEvery, settledAfter, writeRow } from './reload-table.ts';
import type { ReloadOutcome } from './reload-table.ts';

const { values } = parseArgs({
  options: {
    cell: { type: 'string', default: 'module-inline' },
    /** Puts the figures into results/plugin-reload.md; not with --quiet, whose load is another one. */
    report: { type: 'boolean', default: false },
    /** Four short streams and ten requests a second: what memory does is then the reloads' doing. */
    quiet: { type: 'boolean', default: false },
    streams: { type: 'string' },
    reloads: { type: 'string', default: '100' },
    rate: { type: 'string' },
    threads: { type: 'string', default: '2' },
    /** Milliseconds from one reload to the next. */
    every: { type: 'string' },
    /** Texts of a stream, and the milliseconds between two. */
    chunks: { type: 'string', default: '10' },
    gap: { type: 'string' },
    /** Seconds for which all streams are live before the first reload: memory finds the level of so much traffic. */
    warm: { type: 'string' },
  },
});

/** Where an option does not say otherwise. */
const preset = values.quiet
  ? { streams: '4', rate: '10', every: '100', gap: '20', warm: '2' }
  : { streams: '1000', rate: '200', every: '500', gap: '1000', warm: '30' };
const { streams, reloads, rate, threads, chunks, gap, every, warm } = Object.fromEntries(
  Object.entries({ ...preset, ...values }).map(([name, value]) => [name, Number(value)]),
) as Readonly<Record<'streams' | 'reloads' | 'rate' | 'threads' | 'chunks' | 'gap' | 'every' | 'warm', number>>;

/** For the engine to give back the pages of threads that have ended. */
const restMs = 12_000;

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

function show(reload: number, { ownMegabytes, childMegabytes, children, descriptors, threads: own }: Holdings): void {
  const below = `${children} children with ${childMegabytes.toFixed(0)} MB`;
  console.error(
    `reload ${reload}: ${ownMegabytes.toFixed(0)} MB, ${below}, ${descriptors} descriptors, ${own} threads`,
  );
}

/** What is held and by whom, once the garbage is collected, and what stays resident once all that is free has been given back. */
async function lookAt(probe: MemoryProbe, reload: number): Promise<MemoryParts> {
  const parts = await probe.look({ doesCollect: true, doesTrim: true });
  const threads = parts.threads.map(({ name, used }) => `${name} ${toMegabytes(used).toFixed(1)}`).join(', ');
  const allocator = toMegabytes(parts.allocator?.used ?? 0).toFixed(1);
  const held = heldMegabytes(parts).toFixed(1);
  const resident = toMegabytes(parts.resident).toFixed(0);
  console.error(`reload ${reload}: ${held} MB held: ${threads}, allocator ${allocator}; ${resident} MB trimmed`);
  return parts;
}

/** The end of what the gateway has said, without the plugin's own lines. */
function lastLines(gateway: PluginGateway): string {
  const lines = gateway.output.split('\n').filter((line) => !line.includes('contract: '));
  return lines.slice(-60).join('\n');
}

async function run(cell: PluginCell): Promise<ReloadOutcome> {
  await using upstream = await startBenchUpstream();
  const key = { name: 'bench', value: 'sk-bench', models: ['*'], weight: 1 };
  const openai = { keys: [key], network_config: { base_url: upstream.url } };
  // Load and provider are on the same cores: a thread that they keep from its time is not to be taken for one that stands still.
  const flags = ['-blocked-after-ms', '20000'];
  const probe = new MemoryProbe();
  const { nodeFlags, environment } = probe;
  await using gateway = await PluginGateway.start({
    threads,
    config: { providers: { openai } },
    flags,
    nodeFlags,
    environment,
  });
  const name = cellName(cell);
  await gateway.add({ ...cellEntry(cell), config: { stamp: 'g0' } });
  const holdings: Holdings[] = [];
  const parts: MemoryParts[] = [];
  const report = await reloadUnderLoad({
    url: gateway.url,
    reload: (stamp) => gateway.change(name, { config: { stamp } }),
    streams,
    reloads,
    everyMs: every,
    rate,
    // The first chunk has the role, the last the reason of the end.
    streamModel: `openai/bench-stream-${chunks + 2}-gap-${gap}`,
    chunks,
    plainModel: 'openai/bench-model',
    warmMs: warm * 1000,
    onReload: async (reload) => {
      const held = holdingsOf(gateway.pid);
      holdings.push(held);
      if (reload % 10 === 0) show(reload, held);
      if (reload >= settledAfter && reload % looksEvery === 0) parts.push(await lookAt(probe, reload));
    },
  }).catch((error: unknown) => {
    console.error(lastLines(gateway));
    throw error;
  });
  const serving = cell.isolation === 'inline' ? threads : 1;
  const counts = await settledCounts(gateway, { name, serving });
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const trimmed = await probe.look({ doesCollect: true, doesTrim: true });
  if (report.faults.length > 0 || counts.live !== serving) console.error(lastLines(gateway));
  return {
    cell: name,
    streams,
    rate,
    textRate: (streams * 1000) / gap,
    threads,
    report,
    holdings,
    parts,
    trimmed,
    serving,
    ...counts,
  };
}

const cell = pluginCells.find((one) => cellName(one) === values.cell);
if (cell === undefined) {
  console.error(`there is no cell ${values.cell}: ${pluginCells.map(cellName).join(', ')}`);
  process.exit(2);
}
const outcome = await run(cell);
console.log(describeOutcome(outcome));
if (values.report && !values.quiet)
  writeRow(join(import.meta.dirname, '../results/plugin-reload.md'), outcome, pluginCells.map(cellName));
for (const fault of outcome.report.faults) console.error(fault);
if (outcome.live !== outcome.serving) console.error(`${outcome.live} instances live where ${outcome.serving} serve`);
process.exitCode = outcome.report.faults.length > 0 || outcome.live !== outcome.serving ? 1 : 0;
