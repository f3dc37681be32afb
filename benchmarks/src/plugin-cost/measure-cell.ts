/** Measures one cell beside its floor: rounds in which they take turns, after as many calls as a JIT needs. */
import { createPluginChains } from '@bifrost/core';
import type { PluginChainSet, PluginRun } from '@bifrost/core';
import { median, percentilesOf } from '../percentiles.ts';
import { facts, trace } from './measured-hooks.ts';
import type { MeasuredHook } from './measured-hooks.ts';
import type { OpenCell } from './open-cell.ts';

export interface CostOptions {
  readonly calls: number;
  readonly rounds: number;
  /** Calls under way at once where CPU is measured. */
  readonly inFlight: number;
  readonly isInline: boolean;
}

export interface Cost {
  /** Microseconds of one call, one after the other. */
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of this process's CPU for a call with many under way. */
  readonly cpu: number;
}

export interface HookCost {
  readonly hook: MeasuredHook;
  readonly host: Cost;
  readonly floor: Cost;
}

/** One of the two that are compared. */
interface Side {
  /** `times` calls of one request. */
  call(times: number): unknown;
  /** So many requests with one call each, all at once. */
  burst(count: number): Promise<void>;
}

const signal = new AbortController().signal;
const warmUpInline = 20_000;
const warmUpRemote = 4000;
/** Calls of an inline hook between two looks at the clock, which would be half of what they show. */
const perSample = 16;

function hostSide(chains: PluginChainSet, hook: MeasuredHook): Side {
  const open = (): PluginRun => {
    const run = chains.open(facts, {}, signal);
    if (run === null) throw new Error('the plugin has no hook for this request');
    return run;
  };
  return {
    call(times) {
      const run = open();
      let last: unknown;
      for (let index = 0; index < times; index += 1) last = hook.call(run);
      if (!(last instanceof Promise)) run.finish(trace);
      return last instanceof Promise ? last.then(() => run.finish(trace)) : last;
    },
    async burst(count) {
      const runs = Array.from({ length: count }, open);
      await Promise.all(runs.map((run) => hook.call(run)));
      for (const run of runs) run.finish(trace);
    },
  };
}

function floorSide({ floor }: OpenCell, hook: MeasuredHook): Side {
  return {
    call(times) {
      let last: unknown;
      for (let index = 0; index < times; index += 1) last = floor.call(hook);
      return last;
    },
    async burst(count) {
      await Promise.all(Array.from({ length: count }, () => floor.call(hook)));
    },
  };
}

class Samples {
  readonly #side: Side;
  readonly #options: CostOptions;
  readonly #single: number[] = [];
  readonly #means: number[] = [];
  readonly #cpu: number[] = [];

  constructor(side: Side, options: CostOptions) {
    this.#side = side;
    this.#options = options;
  }

  async warmUp(): Promise<void> {
    const times = this.#options.isInline ? warmUpInline : warmUpRemote;
    await this.#alone(times, 1, []);
    await this.#together(times);
  }

  async round(): Promise<void> {
    const { calls, rounds, isInline } = this.#options;
    const count = Math.ceil(calls / rounds);
    await this.#alone(count, 1, this.#single);
    if (isInline) await this.#alone(count, perSample, this.#means);
    this.#cpu.push(await this.#together(count));
  }

  result(): Cost {
    const single = percentilesOf(Float64Array.from(this.#single));
    const p50 = this.#options.isInline ? percentilesOf(Float64Array.from(this.#means)).p50 : single.p50;
    return { p50, p99: single.p99, cpu: median(this.#cpu) };
  }

  async #alone(count: number, times: number, into: number[]): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const startedAt = performance.now();
      const result = this.#side.call(times);
      if (result instanceof Promise) await result;
      into.push(((performance.now() - startedAt) * 1000) / times);
    }
  }

  async #together(count: number): Promise<number> {
    const { inFlight } = this.#options;
    const bursts = Math.max(8, Math.ceil(count / inFlight));
    const before = process.cpuUsage();
    for (let index = 0; index < bursts; index += 1) await this.#side.burst(inFlight);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / (bursts * inFlight);
  }
}

async function measureHook(cell: OpenCell, hook: MeasuredHook, options: CostOptions): Promise<HookCost> {
  const hooks = { [hook.name]: cell.instance.hooks[hook.name] };
  const chains = createPluginChains([{ ...cell.instance, hooks, breaker: false }]);
  await assertSameAnswers(chains, cell, hook);
  const host = new Samples(hostSide(chains, hook), options);
  const floor = new Samples(floorSide(cell, hook), options);
  await host.warmUp();
  await floor.warmUp();
  for (let round = 0; round < options.rounds; round += 1) {
    await host.round();
    await floor.round();
  }
  const figures = chains.figures()[0]?.hooks[hook.name];
  if ((figures?.errors ?? 0) + (figures?.timeouts ?? 0) > 0) throw new Error(`calls of ${hook.name} failed`);
  return { hook, host: host.result(), floor: floor.result() };
}

/** A floor that does less than the cell would make it look dear. */
async function assertSameAnswers(chains: PluginChainSet, cell: OpenCell, hook: MeasuredHook): Promise<void> {
  const run = chains.open(facts, {}, signal);
  if (run === null) throw new Error('the plugin has no hook for this request');
  const wanted = hook.answer === '' ? undefined : hook.answer;
  const host = JSON.stringify(await hook.call(run));
  const bare = JSON.stringify(await cell.floor.call(hook));
  run.finish(trace);
  if (bare !== wanted || (wanted !== undefined && `{"headers":${host}}` !== wanted)) {
    throw new Error(`${hook.name} answered ${host}, its bare call ${bare}; both had to say ${wanted}`);
  }
}

/** The hooks, one after the other. */
export async function measureCell(cell: OpenCell, options: CostOptions): Promise<readonly HookCost[]> {
  const costs: HookCost[] = [];
  for (const hook of cell.hooks) costs.push(await measureHook(cell, hook, options));
  return costs;
}
