/** Requests by the clock, whether or not those before are answered: what they took, how many broke, and what the machine was busy with. */
import { Agent, request } from 'node:http';
import { cpus } from 'node:os';
import { percentilesOf } from './percentiles.ts';

/** How a request went: milliseconds until its answer was whole, its connection broke, or it was answered by another status than 200. */
export type Outcome = number | 'cut' | 'refused';

/** One stretch of time. */
export interface Stretch {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly requests: number;
  readonly cut: number;
  readonly refused: number;
  /** Of all processors of the machine, all its processes counted: 0 to 1. */
  readonly cpuShare: number;
}

export interface SteadyLoadOptions {
  readonly url: string;
  /** Requests per second. */
  readonly rate: number;
  readonly seconds: number;
  readonly agent: Agent;
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

const body = JSON.stringify({ model: 'mock/m', messages: [{ role: 'user', content: 'x'.repeat(300) }] });

/** Connections that are kept, as many as are needed. */
export function keptConnections(): Agent {
  return new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
}

/** One chat. Never rejects. */
export function askChat(
  url: string,
  agent: Agent,
  moreHeaders: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...moreHeaders };
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const sent = request(`${url}/v1/chat/completions`, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('close', () => {
        if (!response.complete) resolve('cut');
        else resolve(response.statusCode === 200 ? performance.now() - startedAt : 'refused');
      });
    });
    sent.on('error', () => resolve('cut'));
    sent.end(body);
  });
}

interface CpuTimes {
  readonly busy: number;
  readonly all: number;
}

function cpuTimes(): CpuTimes {
  let [busy, all] = [0, 0];
  for (const { times } of cpus()) {
    const { idle, ...rest } = times;
    const used = rest.user + rest.nice + rest.sys + rest.irq;
    busy += used;
    all += used + idle;
  }
  return { busy, all };
}

/** The share of the machine's processors that was used while `work` ran. */
export async function cpuShareDuring(work: () => Promise<void>): Promise<number> {
  const before = cpuTimes();
  await work();
  const after = cpuTimes();
  return (after.busy - before.busy) / Math.max(1, after.all - before.all);
}

/** Asks for so long, and waits for all answers. */
export async function runSteadyLoad({ url, rate, seconds, agent }: SteadyLoadOptions): Promise<Stretch> {
  const open: Promise<Outcome>[] = [];
  const cpuShare = await cpuShareDuring(async () => {
    const startedAt = performance.now();
    for (let sent = 0; sent < seconds * rate; sent += 1) {
      const dueAt = startedAt + (sent * 1000) / rate;
      if (dueAt > performance.now()) await pause(dueAt - performance.now());
      open.push(askChat(url, agent));
    }
  });
  const outcomes = await Promise.all(open);
  const { p50, p99, max } = percentilesOf(
    Float64Array.from(outcomes.filter((outcome): outcome is number => typeof outcome === 'number')),
  );
  const count = (kind: Outcome): number => outcomes.filter((outcome) => outcome === kind).length;
  return { p50, p99, max, requests: outcomes.length, cut: count('cut'), refused: count('refused'), cpuShare };
}

/**
 * The rate at which the machine is busy for `share`, from what it is at `firstRate` and without any requests; between 50 and 1,000 a second.
 * A machine that others keep busy gets the least.
 */
export async function rateForShare(options: SteadyLoadOptions, share: number): Promise<number> {
  await runSteadyLoad(options);
  const idle = await cpuShareDuring(() => pause(1000));
  const { cpuShare } = await runSteadyLoad(options);
  const perRequest = Math.max(1e-6, (cpuShare - idle) / options.rate);
  return Math.round(Math.min(1000, Math.max(50, (share - idle) / perRequest)));
}
