/**
 * A long run: the bundled program with one serving thread and a plugin that reads the head takes requests of all kinds, of which a share
 * is given up by its clients at any point; resident memory, its parts, descriptors and sockets are looked at all the time. Fails where an
 * answer failed.
 *
 * Usage: node benchmarks/src/soak.ts [--requests 1000000] [--aborts 0.3] [--rate 3000] [--seed 1] [--report]
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { gatewayCore, loadCore } from './measures.ts';
import { heldMegabytes, idleMegabytes, MemoryProbe, toMegabytes } from './memory-parts.ts';
import type { MemoryParts } from './memory-parts.ts';
import { holdingsOf } from './plugin-memory.ts';
import { startPinned, untilAnswers } from './processes.ts';
import type { SoakJob, SoakState } from './soak-load.ts';
import { describeSoak, writeSoak } from './soak-report.ts';
import type { SoakOutcome, SoakSample } from './soak-report.ts';
import { createTargets, upstreamPort } from './targets.ts';

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '1000000' },
    aborts: { type: 'string', default: '0.3' },
    rate: { type: 'string', default: '3000' },
    seed: { type: 'string', default: '1' },
    /** Writes results/soak.md and results/soak.svg. */
    report: { type: 'boolean', default: false },
  },
});
const { requests, aborts, rate, seed } = Object.fromEntries(
  Object.entries(values).map(([name, value]) => [name, Number(value)]),
) as Readonly<Record<'requests' | 'aborts' | 'rate' | 'seed', number>>;

const root = resolve(import.meta.dirname, '../..');
/** Between two looks into the threads, which take half a second. */
const partsEverySeconds = 5;
/** Until connections that nobody needs any more are gone. */
const restMs = 10_000;

const peakMegabytes = (pid: number): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** The load, started; `state` is what it said last. */
function startLoad(job: SoakJob): { state(): SoakState | undefined; end(): void } {
  const script = join(import.meta.dirname, 'soak-load.ts');
  const command = ['-c', String(loadCore), process.execPath, script, JSON.stringify(job)];
  const child = spawn('taskset', command, { stdio: ['pipe', 'pipe', 'inherit'] });
  let state: SoakState | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => (state = JSON.parse(line) as SoakState));
  return { state: () => state, end: () => void child.stdin.end() };
}

function show({ state, resident, parts, descriptors }: SoakSample): void {
  const idle = idleMegabytes(parts);
  console.error(
    `${state.sent} sent, ${state.failed} failed: ${resident.toFixed(0)} MB, of which ${heldMegabytes(parts).toFixed(0)} in use, ` +
      `${idle.heaps.toFixed(0)} free in heaps, ${idle.allocator.toFixed(0)} in the allocator; ${descriptors} descriptors`,
  );
}

/** A sample each second until the load has sent all, and what was held after the warm-up. */
async function sampleAll(
  load: ReturnType<typeof startLoad>,
  { pid, probe }: { readonly pid: number; readonly probe: MemoryProbe },
): Promise<{ readonly samples: readonly SoakSample[]; readonly warm: MemoryParts }> {
  const samples: SoakSample[] = [];
  const startedAt = performance.now();
  let parts = await probe.look();
  let warm: MemoryParts | undefined;
  let looking: Promise<void> | undefined;
  const look = async (doesCollect: boolean): Promise<void> => {
    parts = await probe.look({ doesCollect });
    if (doesCollect) warm = parts;
    looking = undefined;
  };
  for (let state = load.state(); state?.isDone !== true; state = load.state()) {
    await sleep(1000);
    if (state === undefined) continue;
    const { ownMegabytes: resident, descriptors, threads } = holdingsOf(pid);
    const sample = { seconds: (performance.now() - startedAt) / 1000, resident, descriptors, threads, parts, state };
    samples.push(sample);
    if (samples.length % 20 === 0) show(sample);
    // Collected only once, as a collection changes what is measured.
    if (samples.length % partsEverySeconds === 0) looking ??= look(warm === undefined && state.sent > requests * 0.2);
  }
  await looking;
  return { samples, warm: warm ?? parts };
}

async function run(folder: string): Promise<SoakOutcome> {
  const target = createTargets(folder).find(({ name }) => name.includes('reads head'));
  if (target === undefined) throw new TypeError('there is no such target');
  const probe = new MemoryProbe();
  const [node = '', ...rest] = target.command;
  const gateway = startPinned(gatewayCore, [node, ...probe.nodeFlags, ...rest], probe.environment);
  const { pid } = gateway;
  await untilAnswers(`http://127.0.0.1:${target.port}${target.readyPath}`);
  const before = holdingsOf(pid);
  const load = startLoad({ port: target.port, upstreamPort, requests, rate, aborts, seed });
  const { samples, warm } = await sampleAll(load, { pid, probe });
  const cpuSeconds = gateway.cpuMicroseconds() / 1_000_000;
  const held = [warm, await probe.look({ doesCollect: true })];
  await sleep(restMs);
  const rested = holdingsOf(pid);
  const trimmed = await probe.look({ doesCollect: true, doesTrim: true });
  const peak = peakMegabytes(pid);
  const last = load.state();
  load.end();
  await gateway.stop();
  if (last === undefined) throw new Error('the load has ended without a word');
  return { requests, rate, aborts, seed, samples, held, before, rested, trimmed, peak, cpuSeconds, last };
}

execFileSync('make', ['-s', 'tmp/bundle/main.js'], { cwd: root, stdio: 'inherit' });
const folder = mkdtempSync(join(tmpdir(), 'bifrost-soak-'));
const outcome = await run(folder);
rmSync(folder, { recursive: true, force: true });
console.log(describeSoak(outcome));
console.log(`at rest and trimmed: ${toMegabytes(outcome.trimmed.resident).toFixed(0)} MB`);
if (values.report) writeSoak(join(import.meta.dirname, '../results'), outcome);
for (const failure of outcome.last.failures) console.error(failure);
process.exit(outcome.last.failed > 0 ? 1 : 0);
