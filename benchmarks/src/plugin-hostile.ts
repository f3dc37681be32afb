/**
 * What others notice while a plugin does harm: the latency of requests that the plugin has nothing to do with, beside a plugin that throws,
 * loops, fills its memory and so on, in each isolation. Pairs of a quiet and a hostile time take turns, requests come by the clock at
 * a rate that keeps the machine's processors busy for the share --load. Prints a Markdown table, and with --report writes it to
 * results/plugin-hostile.md. With the defaults it takes about eight minutes.
 *
 * Usage: node benchmarks/src/plugin-hostile.ts [--isolation inline,worker,process] [--deed throw,loop,...] [--pairs 5] [--seconds 1]
 *   [--deadly-seconds 2] [--load 0.22] [--rate N] [--threads 2] [--report]
 */
import { writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PluginGateway } from '../../transports/http/src/e2e/plugin-gateway.ts';
import { formatHostileRow, formatIsolation, formatQuietLoad, hostileHead } from './hostile-table.ts';
import type { HostileRow } from './hostile-table.ts';
import { askChat, keptConnections, pause, rateForShare, runSteadyLoad } from './steady-load.ts';
import type { Stretch } from './steady-load.ts';

/** Deeds that fail by the policy or are refused, done ten times a second. */
const harmless = ['throw', 'reject', 'garbage', 'never', 'rejection', 'pollution', 'exit', 'kill'];
/** Deeds that cost the plugin its thread or process, done once in each pair. */
const deadly = ['loop', 'map', 'buffers'];

const { values } = parseArgs({
  options: {
    isolation: { type: 'string', default: 'inline,worker,process' },
    deed: { type: 'string', default: [...harmless, ...deadly].join(',') },
    pairs: { type: 'string', default: '5' },
    /** Of each half of a pair. */
    seconds: { type: 'string', default: '1' },
    'deadly-seconds': { type: 'string', default: '2' },
    /** The share of the processors that the requests of others take. */
    load: { type: 'string', default: '0.22' },
    /** Requests of others in a second, in the place of `load`. */
    rate: { type: 'string' },
    threads: { type: 'string', default: '2' },
    report: { type: 'boolean', default: false },
  },
});
const pairs = Number(values.pairs);
const threads = Number(values.threads);
const repeatMs = 100;
const deadlineMs = 400;

const hostile = `
  const deeds = {
    throw() { throw new Error('hostile'); },
    reject: () => Promise.reject(new Error('hostile')),
    garbage: () => ({ response: 'no response' }),
    never: () => new Promise(() => {}),
    rejection() { void Promise.reject(new Error('forgotten')); },
    pollution() { Object.prototype.polluted = 'yes'; },
    exit: () => process.exit(3),
    kill: () => process.kill(process.pid, 'SIGKILL'),
    loop() { for (;;); },
    map() { const map = new Map(); for (let n = 0; ; n += 1) map.set(n, [n]); },
    buffers() { const all = []; for (;;) all.push(Buffer.alloc(4_000_000, 1)); },
    nothing: () => ({ response: { statusCode: 200, headers: {}, body: 'it serves' } }),
  };
  export const httpTransportPreHook = {
    timeoutMs: ${deadlineMs},
    filter: { header: 'x-deed' },
    handler: (context, { headers }) => deeds[headers['x-deed']](),
  };`;

/** The plugin does its deed, once or again and again, until `isOver`. Its own requests are no one's loss. */
async function misbehave(gateway: PluginGateway, deed: string, isOver: () => boolean): Promise<void> {
  const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
  const asked = [askChat(gateway.url, agent, { 'x-deed': deed })];
  while (!deadly.includes(deed) && !isOver()) {
    await pause(repeatMs);
    asked.push(askChat(gateway.url, agent, { 'x-deed': deed }));
  }
  await Promise.all(asked);
  agent.destroy();
}

/** Whatever was shut out or has ended is brought back; what is begun by it has a moment to end. */
async function recover(gateway: PluginGateway): Promise<void> {
  for (let tries = 0; tries < 10; tries += 1) {
    await pause(300);
    await gateway.reload('hostile').catch(() => undefined);
    const { status } = await gateway.plugin('hostile');
    if (status.status === 'active') return;
  }
}

async function measureDeed(gateway: PluginGateway, isolation: string, deed: string, rate: number): Promise<HostileRow> {
  // Connections of its own for each row: a thread that is ended takes those of the row before with it.
  const agent = keptConnections();
  const isDeadly = deadly.includes(deed);
  const seconds = Number(isDeadly ? values['deadly-seconds'] : values.seconds);
  const measure = (): Promise<Stretch> => runSteadyLoad({ url: gateway.url, rate, seconds, agent });
  const [quiet, harmed]: [Stretch[], Stretch[]] = [[], []];
  await runSteadyLoad({ url: gateway.url, rate, seconds: 0.5, agent });
  for (let pair = 0; pair < pairs; pair += 1) {
    quiet.push(await measure());
    let isOver = false;
    const misbehaving = misbehave(gateway, deed, () => isOver);
    harmed.push(await measure());
    isOver = true;
    await misbehaving;
    if (isDeadly) await recover(gateway);
  }
  agent.destroy();
  return { isolation, deed, quiet, harmed };
}

await using gateway = await PluginGateway.start({ threads });
const path = join(gateway.folder, 'hostile.mjs');
writeFileSync(path, hostile);
const calibration = { url: gateway.url, rate: 300, seconds: 2, agent: keptConnections() };
const rate = values.rate === undefined ? await rateForShare(calibration, Number(values.load)) : Number(values.rate);
calibration.agent.destroy();
console.error(`${rate} requests of others per second`);
const rows: HostileRow[] = [];
const isolations = values.isolation.split(',');
for (const isolation of isolations) {
  await gateway.add({ name: 'hostile', path, isolation, breaker: false, probation_seconds: 0, memory_limit_mb: 256 });
  for (const deed of values.deed.split(',')) {
    const row = await measureDeed(gateway, isolation, deed, rate);
    console.error(formatHostileRow(row));
    rows.push(row);
  }
  await gateway.remove('hostile');
}
const [load = 0] = loadavg();
const summary = isolations.map((isolation) => {
  const ofIsolation = rows.filter((row) => row.isolation === isolation);
  return formatIsolation(isolation, ofIsolation);
});
const text = `# What others notice of a plugin that does harm

Written by \`node benchmarks/src/plugin-hostile.ts --report\`: ${threads} serving threads, ${rate} requests per second of others on kept connections,
${pairs} pairs of a time without and a time with the plugin at work, taking turns; medians over the pairs. \`${deadly.join('`, `')}\` are done once
in each pair, as they cost the plugin its thread or process (${values['deadly-seconds']} s without, ${values['deadly-seconds']} s with it); the rest ten times a second
(${values.seconds} s each; \`never\`: a promise that does not settle, with a deadline of ${deadlineMs} ms).

Load, gateway and plugin share ${availableParallelism()} cores, which were busy for ${formatQuietLoad(rows)} in the quiet halves; the load average at the end was ${load.toFixed(1)}.
_cut_: the connection broke, as the thread that held the request was ended with the plugin. _refused_: any other loss; there must be none.

Change of the others' latency, all pairs of an isolation together (median; the sign test's p):

${summary.join('\n')}

${[...hostileHead, ...rows.map((row) => formatHostileRow(row))].join('\n')}
`;
console.log(text);
if (values.report) writeFileSync(join(import.meta.dirname, '../results/plugin-hostile.md'), text);
