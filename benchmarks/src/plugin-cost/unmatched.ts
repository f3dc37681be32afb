/** What plugins cost that have nothing to do: hooks whose filters do not match, and plugins whose hooks are of another phase. */
import { createPluginChains, LocalSharedState } from '@bifrost/core';
import type { PluginInstance, PluginRun } from '@bifrost/core';
import { median } from '../percentiles.ts';
import { facts, request, trace } from './measured-hooks.ts';

type Hooks = PluginInstance['hooks'];

interface Case {
  readonly title: string;
  /** What each of the plugins has. */
  hooks: Hooks;
  run(chains: ReturnType<typeof createPluginChains>, times: number): unknown;
}

const headers = { 'x-team': 'red' };
const signal = new AbortController().signal;
const plugins = 10;
const rounds = 21;
const warmUp = 50_000;
const times = 50_000;

function instance(name: string, hooks: Hooks): PluginInstance {
  return {
    name,
    config: {},
    hooks,
    self: {},
    shared: new LocalSharedState(name),
    isGuard: false,
    placement: 'post_builtin',
    order: 0,
    log: () => undefined,
  };
}

function open(chains: ReturnType<typeof createPluginChains>): PluginRun | null {
  return chains.open(facts, headers, signal);
}

const cases: readonly Case[] = [
  {
    title: 'a hook whose filter does not match the model, per call',
    hooks: { preLLMHook: { filter: { model: 'other-*' }, handler: () => undefined } },
    run(chains, count) {
      const run = open(chains);
      let last: unknown;
      if (run !== null) for (let index = 0; index < count; index += 1) last = run.preLLM(request);
      return last;
    },
  },
  {
    title: 'a hook whose filter does not match the path, per request',
    hooks: { preLLMHook: { filter: { path: '/other/*' }, handler: () => undefined } },
    run: openAndFinish,
  },
  {
    title: 'a hook whose filter does not match a header, per request',
    hooks: { preLLMHook: { filter: { header: 'x-team: other' }, handler: () => undefined } },
    run: openAndFinish,
  },
  { title: 'a hook of another phase, per request', hooks: { streamEventHook: () => undefined }, run: openAndFinish },
];

function openAndFinish(chains: ReturnType<typeof createPluginChains>, count: number): unknown {
  let last: unknown;
  for (let index = 0; index < count; index += 1) {
    const run = open(chains);
    void run?.preLLM(request);
    run?.finish(trace);
    last = run;
  }
  return last;
}

function nanoseconds(one: Case, chains: ReturnType<typeof createPluginChains>): number {
  const before = process.threadCpuUsage();
  one.run(chains, times);
  const { user, system } = process.threadCpuUsage(before);
  return ((user + system) * 1000) / times;
}

/** One row for each case: nanoseconds of CPU that one such plugin adds, from the difference of ten of them and none. */
export function measureUnmatched(): readonly (readonly [title: string, nanoseconds: string])[] {
  return cases.map((one) => {
    // Another plugin keeps the set from being empty: with none at all nothing is called.
    const others = [instance('other', { preLLMHook: () => undefined })];
    const without = createPluginChains(others);
    const with10 = createPluginChains([
      ...Array.from({ length: plugins }, (_, index) => instance(`p${index}`, one.hooks)),
      ...others,
    ]);
    for (const chains of [without, with10]) one.run(chains, warmUp);
    const added = Array.from({ length: rounds }, () => {
      const base = nanoseconds(one, without);
      return (nanoseconds(one, with10) - base) / plugins;
    });
    return [one.title, Math.max(0, median(added)).toFixed(0)];
  });
}
