/** The measurements: each takes a running target and returns plain figures. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadJob, LoadResult } from './load.ts';
import { chatRequest, chatResponse } from './payloads.ts';
import { runPinned, startPinned, untilAnswers, type Measured } from './processes.ts';
import { nginxConfig, upstreamPort, type Target } from './targets.ts';

export const gatewayCore = 0;
export const loadCore = 1;

const node = resolve(import.meta.dirname, '../../node_modules/.bin/node');
const loadScript = resolve(import.meta.dirname, 'load.ts');

/** Runs one load job on the load's core. */
export async function runLoad(job: Partial<LoadJob> & Pick<LoadJob, 'kind'>, target: Target): Promise<LoadResult> {
  const { port, path, headers, model } = target;
  const whole = { upstreamPort, port, path, headers, model, ...job };
  return JSON.parse(await runPinned(loadCore, [node, loadScript, JSON.stringify(whole)])) as LoadResult;
}

export interface Maximum {
  readonly requestsPerSecond: number;
  readonly cpuMicrosecondsPerRequest: number;
  readonly failures: number;
  readonly residentMegabytes: number;
}

/** What one run of wrk has seen. */
interface WrkResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly failures: number;
}

/** An nginx that answers every request from its configuration. */
export async function startInstantUpstream(folder: string): Promise<Measured> {
  const config = nginxConfig(folder, upstreamPort, chatResponse);
  const upstream = startPinned(loadCore, ['/usr/sbin/nginx', '-c', config]);
  await untilAnswers(`http://127.0.0.1:${upstreamPort}/health`);
  return upstream;
}

/** Closed loop of 64 connections on the load's core. */
export async function runWrk(target: Target, folder: string, seconds: number): Promise<WrkResult> {
  const script = join(folder, `wrk-${target.port}.lua`);
  const headers = Object.entries(target.headers).map(([name, value]) => `wrk.headers["${name}"] = "${value}"\n`);
  writeFileSync(script, `wrk.method = "POST"\n${headers.join('')}wrk.body = [==[${chatRequest(target.model)}]==]\n`);
  const url = `http://127.0.0.1:${target.port}${target.path}`;
  const text = await runPinned(loadCore, ['wrk', '-t1', '-c64', `-d${seconds}s`, '-s', script, '--latency', url]);
  return {
    requests: Number(/(\d+) requests in/.exec(text)?.[1] ?? Number.NaN),
    requestsPerSecond: Number(/Requests\/sec: +([\d.]+)/.exec(text)?.[1] ?? Number.NaN),
    failures: Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0),
  };
}

/** What the gateway does at most, the upstream being an nginx that answers from its configuration. */
export async function measureMaximum(
  target: Target,
  gateway: Measured,
  options: { folder: string; seconds: number },
): Promise<Maximum> {
  const { folder, seconds } = options;
  const upstream = await startInstantUpstream(folder);
  // A JIT needs some ten thousand requests before its figures stand still; on a slow machine that takes a while.
  await runWrk(target, folder, Math.max(2, 2 * seconds));
  const before = gateway.cpuMicroseconds();
  const { requests, requestsPerSecond, failures } = await runWrk(target, folder, seconds);
  const cpu = gateway.cpuMicroseconds() - before;
  const residentMegabytes = gateway.residentMegabytes();
  await upstream.stop();
  return { requestsPerSecond, cpuMicrosecondsPerRequest: cpu / requests, failures, residentMegabytes };
}

export interface StreamFigures {
  readonly cpuMicrosecondsPerChunk: number;
  readonly firstChunkP50Us: number;
  readonly failures: number;
}

/** Streams of N chunks, 32 at a time. */
export async function measureStreams(
  target: Target,
  gateway: Measured | undefined,
  options: { chunks: number; count: number },
): Promise<StreamFigures> {
  const job = { kind: 'streams', chunks: options.chunks, connections: 32 } as const;
  // Half as many first: compilers of the measured programs are done by then.
  await runLoad({ ...job, count: Math.max(32, Math.round(options.count / 2)) }, target);
  const before = gateway?.cpuMicroseconds() ?? 0;
  const result = await runLoad({ ...job, count: options.count }, target);
  const cpu = (gateway?.cpuMicroseconds() ?? 0) - before;
  // A gateway whose streams fail has no cost per chunk worth showing.
  if (result.failures > options.count / 2) {
    return { cpuMicrosecondsPerChunk: Number.NaN, firstChunkP50Us: Number.NaN, failures: result.failures };
  }
  const expected = options.count * (options.chunks + 3);
  const isComplete = (result.chunks ?? 0) >= expected - options.count; // a gateway may withhold the usage chunk
  return {
    cpuMicrosecondsPerChunk: cpu / (options.count * (options.chunks + 1)),
    firstChunkP50Us: result.firstChunkUs?.p50 ?? Number.NaN,
    failures: result.failures + (isComplete ? 0 : 1),
  };
}

export interface BodyFigures {
  readonly latencyP50Us: number;
  readonly cpuMicroseconds: number;
  readonly peakExtraMegabytes: number;
  readonly failures: number;
}

/** Requests of a size, one at a time; the peak of resident memory over the value before. */
export async function measureBodies(
  target: Target,
  gateway: Measured | undefined,
  options: { bytes: number; count: number },
): Promise<BodyFigures> {
  await runLoad({ kind: 'bodies', bytes: options.bytes, count: Math.min(10, options.count), connections: 1 }, target);
  const [cpuBefore, residentBefore] = [gateway?.cpuMicroseconds() ?? 0, gateway?.residentMegabytes() ?? 0];
  let peak = residentBefore;
  const running = new AbortController();
  const watch = (async (): Promise<void> => {
    while (!running.signal.aborted) {
      peak = Math.max(peak, gateway?.residentMegabytes() ?? 0);
      await sleep(20);
    }
  })();
  const result = await runLoad({ kind: 'bodies', bytes: options.bytes, count: options.count, connections: 1 }, target);
  running.abort();
  await watch;
  return {
    latencyP50Us: result.latencyUs.p50,
    cpuMicroseconds: ((gateway?.cpuMicroseconds() ?? 0) - cpuBefore) / options.count,
    peakExtraMegabytes: peak - residentBefore,
    failures: result.failures,
  };
}
