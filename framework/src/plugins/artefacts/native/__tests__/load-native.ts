/** Runs native plugins through their loader, without a gateway around them. */
import type { HookContext, HookName, Json, PluginContext, PluginLog } from '@bifrost/sdk';
import { readPluginModule } from '../../../read-plugin-module.ts';
import type { ArtefactLoader, ArtefactRequest } from '../../artefact-loader.ts';
import { createNativeLoader } from '../native-loader.ts';

let lastGeneration = 0;

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: unknown;
}

export function logInto(lines: LogLine[]): PluginLog {
  const write = (level: string) => (message: string, fields?: unknown) => void lines.push({ level, message, fields });
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** A request for the loader. */
export function requestFor(file: string, rest: Partial<ArtefactRequest> = {}): ArtefactRequest {
  lastGeneration += 1;
  return { name: 'p', file, generation: String(lastGeneration), grants: {}, log: logInto([]), ...rest };
}

export interface RunningPlugin {
  readonly lines: LogLine[];
  readonly shared: Map<string, number>;
  call(hook: HookName, input: object, facts?: object): unknown;
  unload(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const baseFacts = { requestId: 'r-1', requestType: 'chat_completion', method: 'POST', path: '/v1/x', isStream: true };

/** Loads, initialises and calls a plugin as the host does. */
export async function runPlugin(
  request: ArtefactRequest,
  config: Json = {},
  loader: ArtefactLoader = createNativeLoader(),
): Promise<RunningPlugin> {
  const loaded = await loader.load(request);
  const plugin = readPluginModule(request.name, loaded.module);
  const lines: LogLine[] = [];
  const shared = new Map<string, number>();
  const state = new Map<string, Json>();
  const context = {
    name: request.name,
    config,
    log: logInto(lines),
    signal: new AbortController().signal,
    shared: {
      add(counter: string, by = 1) {
        shared.set(counter, (shared.get(counter) ?? 0) + by);
        return shared.get(counter) ?? 0;
      },
      get: () => undefined,
      set: () => undefined,
    },
  } satisfies PluginContext<Json>;
  const hookContext = {
    ...context,
    facts: baseFacts,
    state,
    getValue: (key: string) => state.get(`value ${key}`),
    setValue: (key: string, value: Json) => void state.set(`value ${key}`, value),
    getModelInfo: () => ({ provider: 'p', model: 'm', contextWindow: 5 }),
    calculateCost: () => 7,
    setTraceAttribute: (key: string, value: Json) => void state.set(`trace ${key}`, value),
    addRoutingNote: (message: string) => void lines.push({ level: 'note', message, fields: undefined }),
  } satisfies HookContext<Json>;
  try {
    await plugin.init?.call(plugin.self, context);
  } catch (thrown) {
    await loaded.unload?.();
    throw thrown;
  }
  let isUnloaded = false;
  const unload = async (): Promise<void> => {
    if (isUnloaded) return;
    isUnloaded = true;
    await plugin.cleanup?.call(plugin.self, context);
    await loaded.unload?.();
  };
  return {
    lines,
    shared,
    call(hook, input, facts = baseFacts) {
      const declared: unknown = plugin.hooks[hook];
      const handler: unknown =
        typeof declared === 'object' && declared !== null && 'handler' in declared ? declared.handler : declared;
      if (typeof handler !== 'function') throw new Error(`no ${hook}`);
      return Reflect.apply(handler, declared, [{ ...hookContext, facts }, input]);
    },
    unload,
    [Symbol.asyncDispose]: unload,
  };
}
