/** Chains of plugins written inline in a test, with what they log. */
import { hookNames } from '@bifrost/sdk';
import type { HookHandlers, Plugin, RequestFacts, RequestTrace, StreamEvent } from '@bifrost/sdk';
import { createPluginChains } from '../create-plugin-chains.ts';
import { createTrack } from '../stream-track.ts';
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

export type TestPlugin = Plugin & Partial<Pick<PluginInstance, HostMember>>;

const hostMembers = [
  'placement',
  'order',
  'config',
  'timeoutMs',
  'onError',
  'breaker',
  'canary',
  'shadow',
  'budgetMs',
  'onDisabled',
  'onDegraded',
  'onRecovered',
  'onRequestEnd',
  'getModelInfo',
] as const satisfies readonly (keyof PluginInstance)[];
type HostMember = (typeof hostMembers)[number];

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
  const host: Partial<Record<HostMember, unknown>> = {};
  for (const member of hostMembers) if (plugin[member] !== undefined) host[member] = plugin[member];
  const hooks = Object.fromEntries(hookNames.map((name) => [name, plugin[name]]));
  return {
    name: plugin.name,
    config: {},
    hooks,
    self: plugin,
    shared: new LocalSharedState('test'),
    isGuard: plugin.guard ?? false,
    placement: 'post_builtin',
    order: 0,
    log: (level, message, fields) => lines.push(`${level} ${textOf(fields['plugin'])} ${message}`),
    // Taken from the plugin member by member.
    ...(host as Partial<Pick<PluginInstance, HostMember>>),
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

/** What the stream hooks of `run` make of one event, as the only one of its frame. */
export function streamed(
  run: PluginRun,
): (event: StreamEvent) => readonly StreamEvent[] | Promise<readonly StreamEvent[]> {
  const hooks = run.openStream({
    request: { model: 'm', isStream: true, fallbacks: [] },
    startedAt: 0,
    onDue: () => undefined,
  });
  return (event) => {
    const track = createTrack();
    if (hooks === null) return [event];
    const result = (): readonly StreamEvent[] =>
      hooks.error === undefined ? track.out : [...track.out, { type: 'error', error: hooks.error }];
    const pushed = hooks.push(track, [event]);
    return pushed instanceof Promise ? pushed.then(result) : result();
  };
}
