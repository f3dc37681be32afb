/** What one call of each hook costs, the host's own work included. */
import { createPluginChains } from '@bifrost/core';
import type { PluginChainSet, PluginRun } from '@bifrost/core';
import { hookNames } from '@bifrost/sdk';
import type { HookName, LLMRequest, RequestFacts, RequestTrace } from '@bifrost/sdk';
import { connected, connection, shortAnswer, shortChat, toolCall, toolOutcome } from './conversation-inputs.ts';
import { percentile } from './hook-times.ts';
import type { HookTimes } from './hook-times.ts';
import type { PluginCell } from './plugin-cell.ts';

/** What calls of one hook take. */
export interface MeasuredHook extends HookTimes {
  /** Calls that failed: a failing hook's times say little. */
  readonly failures: number;
}

const model = 'gpt-conformance';
const facts: RequestFacts = {
  requestId: 'measured',
  requestType: 'chat_completion',
  method: 'POST',
  path: '/v1/chat/completions',
  isStream: true,
  provider: 'openai',
  model,
};
const headers = { 'content-type': 'application/json', authorization: 'Bearer measured' };
const conversation = shortChat(model, true);
const body = new TextEncoder().encode(
  JSON.stringify({ model, messages: [{ role: 'user', content: 'Where is the Bifröst?' }] }),
);
const request: LLMRequest = { provider: 'openai', model, isStream: true, fallbacks: [], conversation, body };
const http = { method: 'POST', path: facts.path, query: {}, headers, body };
const trace: RequestTrace = { facts, statusCode: 200, startedAt: 0, latencyMs: 100, attempts: [], lane: 'translated' };
const delta = { type: 'text-delta', part: 't0', text: 'Asgard ' } as const;

const actions: { readonly [Name in HookName]: (run: PluginRun) => unknown } = {
  httpTransportPreAuthHook: (run) => run.httpPreAuth?.(http),
  httpTransportPreHook: (run) => run.httpPre(http),
  preRequestHook: (run) => run.preRequest(request),
  preLLMHook: (run) => run.preLLM(request),
  postLLMHook: (run) => run.postLLM({ request, response: shortAnswer(model), statusCode: 200, latencyMs: 100 }),
  streamEventHook: (run) =>
    run
      .openStream({ request, startedAt: 0, onDue: () => undefined })
      ?.push({ pending: 0, isChanged: false, out: [] }, [delta]),
  httpTransportResponseHeadersHook: (run) => run.responseHeaders({ statusCode: 200, headers }),
  httpTransportStreamChunkHook: (run) =>
    run.streamChunk({ data: '{"choices":[{"delta":{"content":"Asgard "}}]}', index: 1 }),
  httpTransportPostHook: (run) => run.httpPost({ statusCode: 200, headers, body }),
  preMCPHook: (run) => run.preMCP(toolCall),
  postMCPHook: (run) => run.postMCP(toolOutcome),
  preMCPConnectionHook: (run) => run.preMCPConnection(connection),
  postMCPConnectionHook: (run) => run.postMCPConnection(connected),
  inject: () => undefined,
};

/** One call, in milliseconds; undefined where the hook's filter does not match. */
async function timeOne(chains: PluginChainSet, hook: HookName): Promise<number | undefined> {
  const run = chains.open(facts, headers, new AbortController().signal);
  if (run === null) return undefined;
  let durationMs = 0;
  const startedAt = performance.now();
  const result = actions[hook](run);
  // A promise only where there is one: to await a value costs a turn of the loop.
  if (result instanceof Promise) await result;
  durationMs = performance.now() - startedAt;
  const endedAt = performance.now();
  run.finish(trace);
  await chains.whenIdle();
  return hook === 'inject' ? performance.now() - endedAt : durationMs;
}

/** Measures each hook of the plugin in one isolation, `calls` times after as many tenths to warm up. Rejects where it cannot be loaded. */
export async function measureHooks(cell: PluginCell, calls: number): Promise<readonly MeasuredHook[]> {
  const plugin = await cell.load();
  const measured: MeasuredHook[] = [];
  try {
    for (const hook of hookNames) {
      if (!plugin.hooks.includes(hook)) continue;
      // Alone, so that no other hook's work is in its time.
      const hooks = { [hook]: plugin.instance.hooks[hook] };
      const chains = createPluginChains([{ ...plugin.instance, hooks, breaker: false }], { random: () => 0 });
      for (let at = 0; at < calls / 10; at += 1) await timeOne(chains, hook);
      const durations: number[] = [];
      for (let at = 0; at < calls; at += 1) {
        const durationMs = await timeOne(chains, hook);
        if (durationMs !== undefined) durations.push(durationMs);
      }
      durations.sort((a, b) => a - b);
      const figures = chains.figures()[0]?.hooks[hook];
      measured.push({
        isolation: cell.isolation,
        hook,
        calls: durations.length,
        p50Ms: percentile(durations, 0.5),
        p99Ms: percentile(durations, 0.99),
        failures: (figures?.errors ?? 0) + (figures?.timeouts ?? 0),
      });
    }
  } finally {
    await plugin.close();
  }
  return measured;
}
