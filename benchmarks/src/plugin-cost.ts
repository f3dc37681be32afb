/**
 * What a plugin costs: one call of a hook in each cell of artefact and isolation, alone and with many under way, and chains of 0, 1, 5
 * and 10 plugins on the way of a request through the running gateway. Prints Markdown tables. The plugin is that of the contract suite.
 *
 * Usage: node benchmarks/src/plugin-cost.ts [--calls 2000] [--requests 2000] [--in-flight 64]
 */
import { readFileSync } from 'node:fs';
import { request as sendRequest, Agent } from 'node:http';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { createPluginChains } from '@bifrost/core';
import type { PluginChainSet, PluginRun } from '@bifrost/core';
import type { LLMRequest, RequestFacts, RequestTrace } from '@bifrost/sdk';
import { missingContractTool } from '@bifrost/testkit/contract';
import type { PluginCell as LoadableCell } from '@bifrost/testkit/plugins';
import { pluginSchema, toPluginEntry } from '@bifrost/framework/workbench';
import { resolveEntry } from '../../cli/src/plugin/check-plugin.ts';
import { cellsOf } from '../../cli/src/plugin/plugin-cells.ts';
import { cellEntry, cellName, pluginCells } from '../../transports/http/src/e2e/plugin-cells.ts';
import type { PluginCell } from '../../transports/http/src/e2e/plugin-cells.ts';
import { PluginGateway } from '../../transports/http/src/e2e/plugin-gateway.ts';
import { percentilesOf } from './percentiles.ts';

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '2000' },
    requests: { type: 'string', default: '2000' },
    'in-flight': { type: 'string', default: '64' },
  },
});
const [calls, requests, inFlight] = [values.calls, values.requests, values['in-flight']].map(Number) as [
  number,
  number,
  number,
];

const facts: RequestFacts = {
  requestId: 'measured',
  requestType: 'chat_completion',
  method: 'POST',
  path: '/v1/chat/completions',
  isStream: false,
  provider: 'openai',
  model: 'm',
};
const trace: RequestTrace = { facts, statusCode: 200, startedAt: 0, latencyMs: 1, attempts: [], lane: 'identical' };
const parts = [{ type: 'text', text: 'x'.repeat(300) }] as const;
const conversation = { model: 'm', stream: false, messages: [{ role: 'user', parts }] } as const;
const request: LLMRequest = { model: 'm', isStream: false, fallbacks: [], conversation };

/** The hooks that are measured: one that is given little and answers, one that is given 0.4 KB and answers nothing. */
const measured = {
  httpTransportResponseHeadersHook: (run: PluginRun) => run.responseHeaders({ statusCode: 200, headers: {} }),
  preLLMHook: (run: PluginRun) => run.preLLM(request),
} as const;

const signal = new AbortController().signal;

function open(chains: PluginChainSet): PluginRun {
  const run = chains.open(facts, {}, signal);
  if (run === null) throw new Error('the plugin has no hook for this request');
  return run;
}

/** Microseconds until the answer is there, one call after the other. */
async function alone(chains: PluginChainSet, call: (run: PluginRun) => unknown, count: number): Promise<Float64Array> {
  const times = new Float64Array(count);
  for (let index = 0; index < count; index += 1) {
    const run = open(chains);
    const startedAt = performance.now();
    const result = call(run);
    if (result instanceof Promise) await result;
    times[index] = (performance.now() - startedAt) * 1000;
    run.finish(trace);
  }
  return times;
}

/** Microseconds of this process's CPU for each call, of a plugin's own process not, with `inFlight` calls under way. */
async function together(chains: PluginChainSet, call: (run: PluginRun) => unknown, count: number): Promise<number> {
  const before = process.cpuUsage();
  for (let done = 0; done < count; done += inFlight) {
    const runs = Array.from({ length: inFlight }, () => open(chains));
    await Promise.all(runs.map(call));
    for (const run of runs) run.finish(trace);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (Math.ceil(count / inFlight) * inFlight);
}

const us = (value: number): string => (value < 100 ? value.toFixed(1) : value.toFixed(0));

async function loadable(cell: PluginCell): Promise<LoadableCell> {
  const entry = toPluginEntry(pluginSchema.parse({ ...cellEntry(cell), enabled: true, config: { stamp: 's' } }));
  const directory = dirname(entry.path ?? '');
  const found = cellsOf({ entry, directory, artefact: await resolveEntry(entry, directory) });
  const one = found.find(({ isolation }) => isolation === cell.isolation);
  if (one === undefined) throw new Error(`${cellName(cell)} cannot be loaded here`);
  return one;
}

async function measureCell(cell: PluginCell): Promise<void> {
  const plugin = await (await loadable(cell)).load();
  for (const [hook, call] of Object.entries(measured)) {
    const hooks = { [hook]: plugin.instance.hooks[hook as keyof typeof measured] };
    const chains = createPluginChains([{ ...plugin.instance, hooks, breaker: false }]);
    await alone(chains, call, calls / 4);
    const { p50, p99 } = percentilesOf(await alone(chains, call, calls));
    const cpu = await together(chains, call, calls * 4);
    const failed = chains.figures()[0]?.hooks[hook as keyof typeof measured];
    if ((failed?.errors ?? 0) + (failed?.timeouts ?? 0) > 0)
      throw new Error(`${cellName(cell)}: calls of ${hook} failed`);
    console.log(`| ${cellName(cell)} | ${hook} | ${us(p50)} | ${us(p99)} | ${us(cpu)} |`);
  }
  await plugin.close();
}

/** Ticks of CPU that the process has used, in microseconds. */
function cpuMicroseconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

const agent = new Agent({ keepAlive: true });

/** Milliseconds of one request through the gateway. */
function ask(url: string): Promise<number> {
  const body = JSON.stringify({ model: 'mock/m', messages: [{ role: 'user', content: 'x'.repeat(300) }] });
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = sendRequest(`${url}/v1/chat/completions`, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - startedAt);
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** One row for each length of the chain, measured in rounds that take turns. */
async function measureChains(): Promise<void> {
  const lengths = [0, 1, 5, 10];
  const path = join(import.meta.dirname, '../plugins/reads-head.ts');
  const gateways = await Promise.all(
    lengths.map((length) => {
      const plugins = Array.from({ length }, (_, index) => ({ name: `p${index}`, path, enabled: true }));
      return PluginGateway.start({ config: { plugins }, flags: ['-log-level', 'warn'] });
    }),
  );
  const samples = lengths.map((): number[] => []);
  const cpu = lengths.map(() => Number.POSITIVE_INFINITY);
  const perRound = Math.ceil(requests / 5);
  for (let round = -1; round < 5; round += 1) {
    for (const [index, gateway] of gateways.entries()) {
      const before = cpuMicroseconds(gateway.pid);
      for (let number = 0; number < perRound; number += 1) {
        const ms = await ask(gateway.url);
        if (round >= 0) samples[index]?.push(ms * 1000);
      }
      // Other work on the machine only adds: the best round counts. The first one warms up.
      if (round >= 0) cpu[index] = Math.min(cpu[index] ?? 0, (cpuMicroseconds(gateway.pid) - before) / perRound);
    }
  }
  for (const [index, length] of lengths.entries()) {
    const { p50, p99 } = percentilesOf(Float64Array.from(samples[index] ?? []));
    console.log(`| ${length} | ${us(p50)} | ${us(p99)} | ${us(cpu[index] ?? Number.NaN)} |`);
  }
  for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
}

console.log(`| cell | hook | p50 alone (us) | p99 alone (us) | CPU of the gateway with ${inFlight} under way (us) |
| --- | --- | --- | --- | --- |`);
for (const cell of pluginCells) {
  const missing = missingContractTool(cell.language);
  if (missing === undefined) await measureCell(cell);
  else console.error(missing);
}
console.log(
  `\n| plugins on the way of a request | p50 (us) | p99 (us) | CPU per request (us) |\n| --- | --- | --- | --- |`,
);
await measureChains();
agent.destroy();
