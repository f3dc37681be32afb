/** A WebAssembly plugin in a chain of its own, as the host puts it there, with what it logs. */
import { createPluginChains, LocalSharedState } from '@bifrost/core';
import type { PluginInstance, PluginRun } from '@bifrost/core';
import type { HookContext, JsonObject, PluginLog, PluginManifest, RequestFacts, RequestTrace } from '@bifrost/sdk';
import { readPluginModule } from '../../../read-plugin-module.ts';
import type { CheckedPlugin } from '../../../read-plugin-module.ts';
import type { ArtefactRequest, LoadedArtefact } from '../../artefact-loader.ts';
import { loadWasm } from '../load-wasm.ts';

export const facts: RequestFacts = Object.freeze({
  requestId: 'request-1',
  requestType: 'chat_completion',
  method: 'POST',
  path: '/v1/chat/completions',
  isStream: false,
});

export const trace: RequestTrace = {
  facts,
  statusCode: 200,
  startedAt: 0,
  latencyMs: 1,
  attempts: [],
  lane: 'identical',
};

export interface GuestOptions {
  readonly config?: JsonObject;
  readonly grants?: ArtefactRequest['grants'];
  readonly manifest?: Partial<PluginManifest>;
  readonly maxMemoryBytes?: number;
  readonly environment?: Record<string, string>;
}

export interface OpenGuest {
  readonly plugin: CheckedPlugin;
  /** `level message` of every line. */
  readonly lines: string[];
  readonly loaded: LoadedArtefact;
  readonly shared: LocalSharedState;
  /** A request that the plugin's hooks can be run for. */
  open(overrides?: Partial<RequestFacts>, headers?: Record<string, string>): PluginRun;
  /** Calls a hook as it is, beside the chain. */
  call(hook: keyof CheckedPlugin['hooks'], input: unknown, context?: HookContext): unknown;
  context(): HookContext;
  cleanup(): void;
}

export function logTo(lines: string[]): PluginLog {
  const write = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** Loads without `init`. */
export function loadGuest(file: string, lines: string[], options: GuestOptions = {}): Promise<LoadedArtefact> {
  const { grants = {}, manifest, maxMemoryBytes, environment = {} } = options;
  return loadWasm(
    {
      name: 'guest',
      file,
      generation: '1',
      grants,
      log: logTo(lines),
      ...(manifest === undefined
        ? {}
        : { manifest: { name: 'guest', version: '1.0.0', api: '1.1', main: file, ...manifest } }),
      ...(maxMemoryBytes === undefined ? {} : { maxMemoryBytes }),
    },
    environment,
  );
}

export function contextOf(parts: { log: PluginLog; shared: LocalSharedState; facts?: RequestFacts }): HookContext {
  const values = new Map<string, unknown>();
  return {
    facts: parts.facts ?? facts,
    config: {},
    signal: new AbortController().signal,
    log: parts.log,
    state: new Map(),
    shared: parts.shared,
    getValue: (key) => values.get(key) as never,
    setValue: (key, value) => void values.set(key, value),
    getModelInfo: () => undefined,
    calculateCost: () => undefined,
    setTraceAttribute: () => undefined,
    addRoutingNote: () => undefined,
  };
}

/** Loads the file and runs its `init`. */
export async function openGuest(file: string, options: GuestOptions = {}): Promise<OpenGuest> {
  const lines: string[] = [];
  const log = logTo(lines);
  const loaded = await loadGuest(file, lines, options);
  const plugin = readPluginModule('guest', loaded.module);
  const shared = new LocalSharedState('guest');
  const config = options.config ?? {};
  const lifeCycle = { name: 'guest', config, log, shared, signal: new AbortController().signal };
  await plugin.init?.call(plugin.self, lifeCycle);
  const instance: PluginInstance = {
    name: 'guest',
    config,
    hooks: plugin.hooks,
    self: plugin.self,
    shared,
    isGuard: plugin.isGuard,
    placement: 'post_builtin',
    order: 0,
    log: (level, message) => lines.push(`${level} ${message}`),
  };
  const chains = createPluginChains([instance], { areInputsFrozen: true });
  const context = (): HookContext => contextOf({ log, shared });
  return {
    plugin,
    lines,
    loaded,
    shared,
    context,
    open(overrides = {}, headers = {}) {
      const run = chains.open({ ...facts, ...overrides }, headers, new AbortController().signal);
      if (run === null) throw new Error('the plugin did not match');
      return run;
    },
    call(hook, input, given = context()) {
      const declared = plugin.hooks[hook];
      if (declared === undefined) throw new Error(`it has no ${hook}`);
      const handler = (typeof declared === 'function' ? declared : declared.handler) as (
        given: HookContext,
        input: unknown,
      ) => unknown;
      return handler(given, input);
    },
    cleanup: () => void plugin.cleanup?.call(plugin.self, lifeCycle),
  };
}
