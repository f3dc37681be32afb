/**
 * `make bench`: nginx proxy_pass, a bare Node proxy, Portkey and us, in one run, interleaved: every round measures every target once, and the table
 * shows the median of the rounds.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gatewayCore, measureBodies, measureMaximum, measureStreams, runLoad } from './measures.ts';
import type { BodyFigures, Maximum, StreamFigures } from './measures.ts';
import type { LoadResult } from './load.ts';
import { writeReport } from './report.ts';
import { createTargets, direct, startTarget, type Target } from './targets.ts';

/** One target in one round. */
export interface Round {
  readonly target: string;
  readonly round: number;
  readonly readyMs?: number;
  readonly idleMegabytes?: number;
  readonly maximum?: Maximum;
  readonly at1000?: LoadResult;
  readonly at3000?: LoadResult;
  readonly streams100?: StreamFigures;
  readonly streams500?: StreamFigures;
  readonly body1k?: BodyFigures;
  readonly body100k?: BodyFigures;
  readonly body10m?: BodyFigures;
}

const usage = `make bench ARGS="--rounds 3 --seconds 5 --only nginx,Bifrost --quick"
  --rounds N   how often every target is measured (default 3)
  --seconds N  length of each maximum and each fixed-rate run (default 5)
  --only A,B   targets whose name contains one of these
  --quick      one short round, to see that everything runs`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}
const rounds = values.quick ? 1 : Number(values.rounds);
const seconds = values.quick ? 2 : Number(values.seconds);

/** Bundles the gateway, and installs what the peers need: Debian's nginx and wrk, and Portkey from the npm registry. */
function prepare(): void {
  const missing = ['/usr/sbin/nginx', '/usr/bin/wrk'].filter((path) => !existsSync(path));
  if (missing.length > 0) {
    console.log(`installing nginx and wrk from Debian's packages (missing: ${missing.join(', ')})`);
    execFileSync('apt-get', ['update', '-qq'], { stdio: 'inherit' });
    execFileSync('apt-get', ['install', '-y', '-qq', 'nginx-light', 'wrk'], { stdio: 'inherit' });
  }
  // What is measured is what `make run` starts.
  execFileSync('make', ['-s', 'tmp/bundle/main.js'], { cwd: resolve(import.meta.dirname, '../..'), stdio: 'inherit' });
  const peers = resolve(import.meta.dirname, '../peers');
  if (!existsSync(join(peers, 'node_modules'))) {
    console.log('installing Portkey beside us');
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: peers,
      stdio: 'inherit',
    });
  }
}

const megabyte = 1024 * 1024;
const factor = values.quick ? 0.2 : 1;

async function measure(target: Target, round: number, folder: string): Promise<Round> {
  const { process: gateway, readyMs } = await startTarget(target, gatewayCore);
  try {
    const idleMegabytes = gateway.residentMegabytes();
    const maximum = await measureMaximum(target, gateway, { folder, seconds });
    return { target: target.name, round, readyMs, idleMegabytes, maximum, ...(await measureFixed(target, gateway)) };
  } finally {
    await gateway.stop();
  }
}

async function measureFixed(target: Target, gateway: Parameters<typeof measureStreams>[1]): Promise<Partial<Round>> {
  const isSlow = target.name.startsWith('Portkey');
  const at1000 = await runLoad({ kind: 'open-loop', rate: 1000, seconds }, target);
  const at3000 = isSlow ? undefined : await runLoad({ kind: 'open-loop', rate: 3000, seconds }, target);
  const streams100 = await measureStreams(target, gateway, { chunks: 100, count: Math.round(640 * factor) });
  const streams500 = await measureStreams(target, gateway, { chunks: 500, count: Math.round(160 * factor) });
  const body1k = await measureBodies(target, gateway, { bytes: 1024, count: Math.round(1000 * factor) });
  const body100k = await measureBodies(target, gateway, { bytes: 100 * 1024, count: Math.round(500 * factor) });
  const body10m = await measureBodies(target, gateway, { bytes: 10 * megabyte, count: Math.round(40 * factor) });
  return { at1000, ...(at3000 === undefined ? {} : { at3000 }), streams100, streams500, body1k, body100k, body10m };
}

prepare();
const folder = mkdtempSync(join(tmpdir(), 'bifrost-bench-'));
const wanted = values.only === '' ? [] : values.only.split(',');
const targets = createTargets(folder).filter(
  ({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)),
);
const results: Round[] = [];
for (let round = 1; round <= rounds; round++) {
  results.push({ target: direct.name, round, ...(await measureFixed(direct, undefined)) });
  for (const target of targets) {
    console.log(`round ${round} of ${rounds}: ${target.name}`);
    results.push(await measure(target, round, folder));
  }
}
rmSync(folder, { recursive: true, force: true });
writeReport(results, { rounds, seconds });
