/**
 * What the plugin host itself costs: ns per call of a phase with 0, 1, 5 and 10 plugins whose hook does nothing, and per
 * request for plugins that do not match. Run: `node benchmarks/src/plugin-chain.ts`. Rounds are interleaved, the thread's CPU
 * time is counted, and the best of each is shown, as other work on the machine only ever adds.
 */
import { AsyncResource } from 'node:async_hooks';
import { createPluginChains, LocalSharedState } from '@bifrost/core';
import type { PluginInstance, PluginRun } from '@bifrost/core';
import type { ConversationRequest, LLMRequest, RequestTrace, StreamChunk } from '@bifrost/sdk';

const facts = {
  requestId: 'r',
  requestType: 'chat_completion',
  method: 'POST',
  path: '/v1/chat/completions',
  isStream: false,
};
const signal = new AbortController().signal;
const conversation: ConversationRequest = {
  model: 'm',
  stream: false,
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'x'.repeat(300) }] }],
};
const request: LLMRequest = { model: 'm', isStream: false, fallbacks: [], conversation };
const chunk: StreamChunk = { data: '{"choices":[]}', index: 0 };
const trace: RequestTrace = { facts, statusCode: 200, startedAt: 0, latencyMs: 1, attempts: [], lane: 'identical' };

function instance(name: string, hooks: PluginInstance['hooks']): PluginInstance {
  return {
    name,
    config: {},
    hooks,
    self: {},
    shared: new LocalSharedState('bench'),
    isGuard: false,
    placement: 'post_builtin',
    order: 0,
    log: () => undefined,
    asyncScope: new AsyncResource('BifrostPlugin'),
  };
}

const many = (count: number, hooks: PluginInstance['hooks']): readonly PluginInstance[] =>
  Array.from({ length: count }, (_, index) => instance(`p${index}`, hooks));

interface Case {
  readonly name: string;
  readonly plugins: number;
  /** Runs `times` calls. */
  run(times: number): unknown;
}

function phase(name: string, hooks: PluginInstance['hooks'], call: (run: PluginRun) => unknown): readonly Case[] {
  return [0, 1, 5, 10].map((plugins) => {
    // The idle plugin keeps the set from being empty: with no plugin at all nothing is called.
    const chains = createPluginChains([...many(plugins, hooks), instance('idle', { inject: () => undefined })]);
    const run = chains.open(facts, {}, signal);
    if (run === null) throw new Error('nothing opened');
    return {
      name,
      plugins,
      run(times) {
        let last: unknown;
        for (let index = 0; index < times; index += 1) last = call(run);
        return last;
      },
    };
  });
}

function opened(name: string, hooks: PluginInstance['hooks']): readonly Case[] {
  return [0, 1, 5, 10].map((plugins) => {
    const chains = createPluginChains(many(plugins, hooks));
    return {
      name,
      plugins,
      run(times) {
        let last: unknown;
        for (let index = 0; index < times; index += 1) {
          const run = chains.open(facts, {}, signal);
          run?.finish(trace);
          last = run;
        }
        return last;
      },
    };
  });
}

const cases: readonly Case[] = [
  ...phase('preRequestHook, unchanged', { preRequestHook: () => undefined }, (run) => run.preRequest(request)),
  ...phase('preLLMHook, uses ctx.state', { preLLMHook: (context) => void context.state.set('a', 1) }, (run) =>
    run.preLLM(request),
  ),
  ...phase(
    'preLLMHook, new conversation',
    {
      preLLMHook: {
        reads: 'messages',
        handler: (_context, shown) => ({
          conversation: { ...conversation, messages: [...(shown.conversation?.messages ?? [])] },
        }),
      },
    },
    (run) => run.preLLM(request),
  ),
  ...phase('streamChunkHook, unchanged', { httpTransportStreamChunkHook: () => undefined }, (run) =>
    run.streamChunk(chunk),
  ),
  ...phase(
    'streamChunkHook, changed',
    { httpTransportStreamChunkHook: (_context, shown) => ({ data: shown.data }) },
    (run) => run.streamChunk(chunk),
  ),
  ...phase(
    'responseHeadersHook, one header',
    { httpTransportResponseHeadersHook: () => ({ headers: { 'x-a': '1' } }) },
    (run) => run.responseHeaders({ statusCode: 200, headers: {} }),
  ),
  ...phase(
    'preLLMHook, model does not match',
    { preLLMHook: { filter: { model: 'other-*' }, handler: () => undefined } },
    (run) => run.preLLM(request),
  ),
  ...opened('open + finish, hook of another phase', { streamEventHook: () => undefined }),
  ...opened('open + finish, path does not match', {
    preLLMHook: { filter: { path: '/other/*' }, handler: () => undefined },
  }),
];

const rounds = 7;
const best = new Map<Case, number>(cases.map((one) => [one, Number.POSITIVE_INFINITY]));
for (let round = 0; round < rounds; round += 1) {
  for (const one of cases) {
    const times = Math.round(200_000 / (one.plugins + 1));
    const before = process.threadCpuUsage();
    one.run(times);
    const { user, system } = process.threadCpuUsage(before);
    const ns = ((user + system) * 1000) / times;
    best.set(one, Math.min(best.get(one) ?? ns, ns));
  }
}

console.log(
  `${'ns per call'.padEnd(40)}${['0', '1', '5', '10'].map((count) => count.padStart(9)).join('')}   per plugin`,
);
for (const name of new Set(cases.map((one) => one.name))) {
  const figures = cases.filter((one) => one.name === name).map((one) => best.get(one) ?? Number.NaN);
  const perPlugin = ((figures[3] ?? 0) - (figures[0] ?? 0)) / 10;
  console.log(
    `${name.padEnd(40)}${figures.map((ns) => ns.toFixed(0).padStart(9)).join('')}${perPlugin.toFixed(0).padStart(13)}`,
  );
}
