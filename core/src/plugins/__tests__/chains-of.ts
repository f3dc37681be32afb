/** Chains of plugins written inline in a test, with what they log. */
import type { HookHandlers, Plugin, RequestFacts, RequestTrace } from '@bifrost/sdk';
import { createPluginChains } from '../create-plugin-chains.ts';
import { LocalSharedState } from '../local-shared-state.ts';
import type { PluginChainSet, PluginChainsOptions } from '../create-plugin-chains.ts';
import type { PluginRun } from '../chain.ts';
import type { PluginInstance } from '../instance.ts';

export const facts: RequestFacts = {
  requestId: 'request-1',
  requestType: 'chat_completion',
  method: 'POST',
  path: '/v1/chat/completions',
  isStream: false,
};

export const trace: RequestTrace = {
  facts,
  statusCode: 200,
  startedAt: 0,
  latencyMs: 1,
  attempts: [],
  lane: 'identical',
};

export type TestPlugin = Plugin &
  Partial<Pick<PluginInstance, 'placement' | 'order' | 'config' | 'onDisabled' | 'onRequestEnd'>>;

export interface TestChains {
  readonly chains: PluginChainSet;
  /** `level plugin message` of every line. */
  readonly lines: string[];
  readonly open: (
    overrides?: Partial<RequestFacts>,
    headers?: Record<string, string>,
    signal?: AbortSignal,
  ) => PluginRun;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function instanceOf(plugin: TestPlugin, lines: string[]): PluginInstance {
  const { name, placement, order, config, onDisabled, onRequestEnd, guard, ...hooks } = plugin;
  return {
    name,
    config: config ?? {},
    hooks,
    self: plugin,
    shared: new LocalSharedState('test'),
    isGuard: guard ?? false,
    placement: placement ?? 'post_builtin',
    order: order ?? 0,
    log: (level, message, fields) => lines.push(`${level} ${textOf(fields['plugin'])} ${message}`),
    ...(onDisabled === undefined ? {} : { onDisabled }),
    ...(onRequestEnd === undefined ? {} : { onRequestEnd }),
  };
}

/** Builds the chains; inputs are frozen unless the test says otherwise. */
export function chainsOf(plugins: readonly TestPlugin[], options: PluginChainsOptions = {}): TestChains {
  const lines: string[] = [];
  const instances = plugins.map((plugin) => instanceOf(plugin, lines));
  const chains = createPluginChains(instances, { areInputsFrozen: true, ...options });
  return {
    chains,
    lines,
    open(overrides = {}, headers = {}, signal = new AbortController().signal) {
      const run = chains.open({ ...facts, ...overrides }, headers, signal);
      if (run === null) throw new Error('no plugin matched');
      return run;
    },
  };
}

/** A hook implementation that breaks its type on purpose: plugins in plain JavaScript do. */
export function untyped<Name extends keyof HookHandlers>(returned: unknown): HookHandlers[Name] {
  return (() => returned) as unknown as HookHandlers[Name];
}
