/**
 * What others notice while a plugin does harm: the p99 of requests that the plugin has nothing to do with, beside a plugin that loops, fills its
 * memory, throws or never answers, in each isolation. Pairs of a quiet and a hostile time take turns, requests come by the clock at a
 * rate that is a small share of what the gateway can do. Prints a Markdown table, and with --report writes it to results/plugin-hostile.md.
 *
 * Usage: node benchmarks/src/plugin-hostile.ts [--isolation inline,worker,process] [--deed loop,map,throw] [--pairs 5] [--seconds 3]
 *   [--rate 300] [--threads 2] [--report]
 */
import { writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PluginGateway } from '../../transports/http/src/e2e/plugin-gateway.ts';
import { median, percentilesOf } from './percentiles.ts';

const { values } = parseArgs({
  options: {
    isolation: { type: 'string', default: 'inline,worker,process' },
    deed: { type: 'string', default: 'loop,map,throw' },
    pairs: { type: 'string', default: '5' },
    /** Of each half of a pair. */
    seconds: { type: 'string', default: '3' },
    /** Requests of others in a second. */
    rate: { type: 'string', default: '300' },
    threads: { type: 'string', default: '2' },
    report: { type: 'boolean', default: false },
  },
});
const [pairs, seconds, rate, threads] = [values.pairs, values.seconds, values.rate, values.threads].map(Number) as [
  number,
  number,
  number,
  number,
];

const hostile = `
  const deeds = {
    throw() { throw new Error('hostile'); },
    never: () => new Promise(() => {}),
    loop() { for (;;); },
    map() { const map = new Map(); for (let n = 0; ; n += 1) map.set(n, [n]); },
  };
  export const httpTransportPreHook = {
    timeoutMs: 400,
    filter: { header: 'x-deed' },
    handler: (context, { headers }) => deeds[headers['x-deed']](),
  };`;

/** A deed that costs the plugin its thread or process is done once in a while that others are measured; the others ten times a second. */
const everyMs: Readonly<Record<string, number>> = { throw: 100, never: 100 };

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Milliseconds until the answer is whole; undefined where there is none, or one that is not 200. */
function ask(url: string, agent: Agent, deed?: string): Promise<number | undefined> {
  const body = JSON.stringify({ model: 'mock/m', messages: [{ role: 'user', content: 'x'.repeat(300) }] });
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(deed === undefined ? {} : { 'x-deed': deed }),
  };
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const sent = request(`${url}/v1/chat/completions`, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('close', () =>
        resolve(response.complete && response.statusCode === 200 ? performance.now() - startedAt : undefined),
      );
    });
    sent.on('error', () => resolve(undefined));
    sent.end(body);
  });
}

interface Half {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly requests: number;
  readonly failed: number;
}

/** Others for `seconds`, by the clock, whether or not those before are answered. */
async function measure(url: string, agent: Agent): Promise<Half> {
  const startedAt = performance.now();
  const open: Promise<number | undefined>[] = [];
  for (let sent = 0; sent < seconds * rate; sent += 1) {
    const dueAt = startedAt + (sent * 1000) / rate;
    if (dueAt > performance.now()) await pause(dueAt - performance.now());
    open.push(ask(url, agent));
  }
  const answers = await Promise.all(open);
  const times = answers.filter((answer) => answer !== undefined);
  const { p50, p99, max } = percentilesOf(Float64Array.from(times));
  return { p50, p99, max, requests: answers.length, failed: answers.length - times.length };
}

/** The plugin does its deed, once or again and again, until `isOver`. Its own requests are no one's loss. */
async function misbehave(gateway: PluginGateway, deed: string, isOver: () => boolean): Promise<void> {
  const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
  const pauseMs = everyMs[deed];
  const asked = [ask(gateway.url, agent, deed)];
  while (pauseMs !== undefined && !isOver()) {
    await pause(pauseMs);
    asked.push(ask(gateway.url, agent, deed));
  }
  await Promise.all(asked);
}

interface Row {
  readonly isolation: string;
  readonly deed: string;
  readonly quiet: readonly Half[];
  readonly harmed: readonly Half[];
}

async function measureDeed(gateway: PluginGateway, isolation: string, deed: string): Promise<Row> {
  // Connections of its own for each row: a thread that is ended takes those of the row before with it.
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const [quiet, harmed]: [Half[], Half[]] = [[], []];
  await measure(gateway.url, agent);
  for (let pair = 0; pair < pairs; pair += 1) {
    quiet.push(await measure(gateway.url, agent));
    let isOver = false;
    const misbehaving = misbehave(gateway, deed, () => isOver);
    harmed.push(await measure(gateway.url, agent));
    isOver = true;
    await misbehaving;
    // What was shut out or has ended is brought back, and what is begun by it has a moment to end.
    await gateway.reload('hostile').catch(() => undefined);
    await pause(1500);
  }
  agent.destroy();
  return { isolation, deed, quiet, harmed };
}

const of = (halves: readonly Half[], member: keyof Half): readonly number[] => halves.map((half) => half[member]);
const ms = (value: number): string => value.toFixed(1);
const sum = (numbers: readonly number[]): number => numbers.reduce((total, value) => total + value, 0);

function format({ isolation, deed, quiet, harmed }: Row): string {
  const changes = harmed.map(({ p99 }, index) => p99 - (quiet[index]?.p99 ?? Number.NaN));
  const cells = [
    isolation,
    deed,
    `${ms(median(of(quiet, 'p50')))} / ${ms(median(of(harmed, 'p50')))}`,
    `${ms(median(of(quiet, 'p99')))} / ${ms(median(of(harmed, 'p99')))}`,
    `${ms(median(changes))} (${ms(Math.min(...changes))} to ${ms(Math.max(...changes))})`,
    `${ms(Math.max(...of(quiet, 'max')))} / ${ms(Math.max(...of(harmed, 'max')))}`,
    `${sum(of(quiet, 'failed'))} / ${sum(of(harmed, 'failed'))} of ${sum(of(harmed, 'requests'))}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

const rows: string[] = [
  '| isolation | the plugin | p50 ms, quiet / beside it | p99 ms, quiet / beside it | change of p99, median (range) | slowest ms | failed |',
  '| --- | --- | --- | --- | --- | --- | --- |',
];
await using gateway = await PluginGateway.start({ threads });
const path = join(gateway.folder, 'hostile.mjs');
writeFileSync(path, hostile);
for (const isolation of values.isolation.split(',')) {
  await gateway.add({ name: 'hostile', path, isolation, breaker: false, probation_seconds: 0, memory_limit_mb: 256 });
  for (const deed of values.deed.split(',')) {
    const row = format(await measureDeed(gateway, isolation, deed));
    console.error(row);
    rows.push(row);
  }
  await gateway.remove('hostile');
}
const [load = 0] = loadavg();
const text = `# What others notice of a plugin that does harm

Written by \`node benchmarks/src/plugin-hostile.ts --report\`: ${threads} serving threads, ${rate} requests per second of others on kept connections,
${pairs} pairs of ${seconds} s without and ${seconds} s with the plugin at work, taking turns; medians over the pairs. \`loop\` and \`map\` (it fills its
memory) are done once in each pair, as they cost the plugin its thread or process; the rest ten times a second (\`never\`: a promise that does
not settle, with a deadline of 400 ms). Inline, requests of others that the blocked thread has are lost with it. Load, gateway and plugin share ${availableParallelism()} cores; the load average at the end was ${load.toFixed(1)}.

${rows.join('\n')}
`;
console.log(text);
if (values.report) writeFileSync(join(import.meta.dirname, '../results/plugin-hostile.md'), text);
