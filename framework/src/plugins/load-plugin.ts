/**
 * Loads one plugin into this realm: resolve, import, check, validate the config, `init`. What comes after the import is the same
 * for every kind of artefact, and in every realm: `instantiatePlugin`.
 */
import { LocalSharedState, messageOf, settleWithin } from '@bifrost/core/plugins';
import type { LogLevel, PluginInstance } from '@bifrost/core';
import { deepFreeze, hookNames, PluginError } from '@bifrost/sdk';
import type {
  ArtefactKind,
  HookName,
  JsonObject,
  ModelInfo,
  PluginContext,
  PluginLog,
  PluginManifest,
  SharedState,
} from '@bifrost/sdk';
import { claimedByManifest, claimedByModule, describeFailure } from './failed-description.ts';
import { explainLoadError } from './explain-load-error.ts';
import { hookObjectOptions } from './hook-options.ts';
import type { ArtefactLoader } from './artefacts/artefact-loader.ts';
import { beginPluginImport } from './module-hooks.ts';
import type { PluginImport } from './module-hooks.ts';
import { overrideHooks } from './override-hooks.ts';
import type { PluginEntry } from './plugin-entry.ts';
import type { ResolvedArtefact } from './plugin-plan.ts';
import { createPluginScope, runInPluginScope } from './plugin-scope.ts';
import type { PluginIdentity } from './plugin-scope.ts';
import { readPluginModule } from './read-plugin-module.ts';
import type { CheckedPlugin } from './read-plugin-module.ts';
import { findArtefact, withCheckedConfig } from './find-artefact.ts';
import { configViewsOf, viewConfig } from './config-view.ts';
import type { ConfigViewName } from './config-view.ts';
import { validatePluginConfig } from './validate-plugin-config.ts';

/** Gives the loader of a kind, which is imported when it is first needed; undefined: the kind cannot be loaded here. */
export type ArtefactLoaders = (kind: ArtefactKind) => Promise<ArtefactLoader> | undefined;

/** What the host gives to the loading of every plugin. */
export interface LoadOptions {
  readonly logger: PluginLog;
  readonly baseDirectory: string;
  readonly workingDirectory: string;
  readonly initTimeoutMs: number;
  readonly cleanupTimeoutMs: number;
  readonly importModule: (specifier: string) => Promise<unknown>;
  /** Plugins that come with the gateway: modules, or functions that import one. */
  readonly builtins: ReadonlyMap<string, object>;
  /** What was found and checked before; absent: the entry's path is resolved here, without downloads. */
  readonly artefact?: ResolvedArtefact;
  /** Brings artefacts that are no modules into this realm. */
  readonly loaders?: ArtefactLoaders;
  /** The state that the plugin's instances in all threads share. @default of its own for each instance */
  readonly sharedState?: (plugin: string) => SharedState;
  readonly getModelInfo?: (provider: string, model: string) => ModelInfo | undefined;
}

/** What happens to an instance after it was loaded. */
export interface InstanceEvents {
  onDisabled(reason: string): void;
  onEscape(thrown: unknown): void;
}

/** A plugin whose `init` succeeded. */
export interface LoadedPlugin {
  readonly instance: PluginInstance;
  readonly hooks: readonly HookName[];
  readonly actualName?: string;
  readonly version?: string;
  readonly file?: string;
  /** Its own modules, the entry first; grows with late imports. */
  readonly files?: readonly string[];
  /** What it makes of a config, where it has functions for that. */
  readonly configViews?: readonly ConfigViewName[];
  /** Rejects with PluginError. */
  viewConfig?(view: ConfigViewName, config: JsonObject): Promise<JsonObject>;
  /** Runs `cleanup` once, within its deadline; further calls do nothing. Never rejects. */
  cleanup(): Promise<void>;
}

function pluginLog(logger: PluginLog, name: string): PluginLog {
  const write = (level: LogLevel) => (message: string, fields?: JsonObject) => {
    logger[level](String(message), { ...fields, plugin: name });
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** A plugin whose code is in the realm; nothing of it was called yet. */
export interface ImportedPlugin {
  /** A module namespace, or `{ default: plugin }`. */
  readonly module: unknown;
  readonly file?: string;
  /** Its own modules, the entry first; grows with late imports. */
  readonly files?: readonly string[];
  /** Gives back what the realm holds for it. Called once: after `cleanup`, or when the load fails later on. */
  readonly unload?: () => void | Promise<void>;
  /** Its manifest says that it is a guard, for artefacts that cannot say so themselves. */
  readonly isGuard?: boolean;
  /** Its manifest's version, for a plugin that states none in its code. */
  readonly version?: string;
}

/** What the host gives to a plugin that is in the realm. */
export type InstanceOptions = Pick<
  LoadOptions,
  'logger' | 'initTimeoutMs' | 'cleanupTimeoutMs' | 'sharedState' | 'getModelInfo'
>;

/** Brings the code of `entry` into the realm. Rejects with PluginError. */
export async function importPlugin(
  entry: PluginEntry,
  identity: PluginIdentity,
  options: LoadOptions,
): Promise<ImportedPlugin> {
  const { name } = entry;
  const { artefact } = options;
  if (artefact !== undefined && artefact.kind !== 'module') return loadArtefact(entry, artefact, identity, options);
  if (artefact !== undefined) {
    const { file, moduleUrl } = artefact;
    const imported = await importPluginModule(name, { file, moduleUrl }, identity, options);
    return { ...imported, ...manifestFacts(artefact.manifest) };
  }
  const builtin = options.builtins.get(name);
  // Who registers a function gives the module when it is asked for.
  if (typeof builtin === 'function') return { module: await (builtin as () => Promise<unknown>)() };
  if (builtin !== undefined) return { module: builtin };
  throw new PluginError(name, 'it has no `path`, and the gateway has no built-in plugin of that name', {
    code: 'BF_PLUGIN_UNKNOWN',
  });
}

async function loadArtefact(
  { name, capabilities, memoryLimitBytes }: PluginEntry,
  { kind, file, manifest }: ResolvedArtefact,
  { generation }: PluginIdentity,
  { loaders, logger }: LoadOptions,
): Promise<ImportedPlugin> {
  const loader = await loaders?.(kind);
  if (loader === undefined) {
    const fix = kind === 'grpc' ? ': set `"isolation": "grpc"` in its entry' : '';
    throw new PluginError(name, `${file} is of the kind "${kind}", which cannot be loaded here${fix}`, {
      code: 'BF_PLUGIN_ARTEFACT_UNSUPPORTED',
    });
  }
  const artefact = await loader.load({
    name,
    file,
    generation,
    grants: capabilities ?? {},
    log: pluginLog(logger, name),
    ...(manifest === undefined ? {} : { manifest }),
    ...(memoryLimitBytes === undefined ? {} : { maxMemoryBytes: memoryLimitBytes }),
  });
  const unload = (): void | Promise<void> => artefact.unload?.();
  return { module: artefact.module, file, unload, ...manifestFacts(manifest) };
}

function manifestFacts(manifest: PluginManifest | undefined): Pick<ImportedPlugin, 'isGuard' | 'version'> {
  if (manifest === undefined) return {};
  return { isGuard: manifest.guard === true, version: manifest.version };
}

/** Imports the module `file`, or the one of the program at `moduleUrl`. Rejects with PluginError. */
export async function importPluginModule(
  name: string,
  { file, moduleUrl }: { readonly file: string; readonly moduleUrl?: string | undefined },
  identity: PluginIdentity,
  options: Pick<LoadOptions, 'initTimeoutMs' | 'importModule'>,
): Promise<ImportedPlugin> {
  const begun = beginPluginImport(name, identity.generation, file);
  // The program's own modules are never replaced: all loads share them.
  const { specifier, plugin } = moduleUrl === undefined ? begun : { ...begun, specifier: moduleUrl };
  const settled = await settleWithin(
    runInPluginScope(identity, () => options.importModule(specifier)),
    options.initTimeoutMs,
  );
  if (settled.kind === 'value') return { module: settled.value, files: plugin.files, ...entryFile(plugin) };
  if (settled.kind === 'threw') {
    throw explainLoadError(name, settled.thrown, plugin.files);
  }
  throw new PluginError(
    name,
    `its module was not loaded within ${options.initTimeoutMs} ms (a top-level await that does not end?)`,
    {
      code: 'BF_PLUGIN_INIT_TIMEOUT',
    },
  );
}

function entryFile(plugin: PluginImport): { readonly file?: string } {
  const [file] = plugin.files;
  return file === undefined ? {} : { file };
}

/** Leaves out the hooks whose `when` says no to this config. */
function activeHooks(name: string, plugin: CheckedPlugin, config: unknown): CheckedPlugin['hooks'] {
  const hooks: Record<string, unknown> = {};
  for (const hook of hookNames) {
    const declared: unknown = plugin.hooks[hook];
    if (declared === undefined) continue;
    const { when } = hookObjectOptions(declared);
    try {
      if (typeof when === 'function' && when.call(declared, config) !== true) continue;
    } catch (cause) {
      throw new PluginError(name, `\`${hook}.when\` threw: ${messageOf(cause)}`, {
        code: 'BF_PLUGIN_INIT_FAILED',
        cause,
      });
    }
    hooks[hook] = declared;
  }
  // The same members as in the checked plugin, or fewer.
  return hooks as CheckedPlugin['hooks'];
}

interface LifeCycleCall {
  readonly name: string;
  readonly stage: 'init' | 'cleanup';
  readonly timeoutMs: number;
  readonly call: (signal: AbortSignal) => unknown;
  /** The call ended well, but after its deadline. */
  readonly onLate?: () => void;
}

const lifeCycleCodes = {
  init: { failed: 'BF_PLUGIN_INIT_FAILED', timeout: 'BF_PLUGIN_INIT_TIMEOUT' },
  cleanup: { failed: 'BF_PLUGIN_CLEANUP_FAILED', timeout: 'BF_PLUGIN_CLEANUP_TIMEOUT' },
} as const;

/** Runs `init` or `cleanup` with a deadline. Throws PluginError. */
async function runLifeCycle({ name, stage, timeoutMs, call, onLate }: LifeCycleCall): Promise<void> {
  const controller = new AbortController();
  const running = Promise.resolve().then(() => call(controller.signal));
  const settled = await settleWithin(running, timeoutMs);
  const codes = lifeCycleCodes[stage];
  if (settled.kind === 'threw') {
    throw new PluginError(name, `${stage} failed: ${messageOf(settled.thrown)}`, {
      code: codes.failed,
      cause: settled.thrown,
    });
  }
  if (settled.kind === 'value') return;
  const error = new PluginError(name, `${stage} did not end within ${timeoutMs} ms`, {
    code: codes.timeout,
  });
  controller.abort(error);
  if (onLate !== undefined) running.then(onLate, () => undefined);
  throw error;
}

/** Loads the plugin of `entry` as part of `generation`. Rejects with PluginError; then none of its code is left registered. */
export async function loadPlugin(
  entry: PluginEntry,
  generation: string,
  options: LoadOptions,
  events: InstanceEvents,
): Promise<LoadedPlugin> {
  const identity = identityOf(entry, generation, events);
  const artefact = options.artefact ?? (await findArtefact(entry, options));
  const imported = await importPlugin(
    entry,
    identity,
    artefact === undefined ? options : { ...options, artefact },
  ).catch((error: unknown) => {
    throw describeFailure(error, claimedByManifest(artefact?.manifest));
  });
  return instantiatePlugin(withCheckedConfig(entry, artefact), imported, options, { identity, ...events });
}

/** Who is told of what a plugin of this entry does outside of its hooks. */
export function identityOf(entry: PluginEntry, generation: string, events: InstanceEvents): PluginIdentity {
  return { name: entry.name, generation, onEscape: (thrown) => events.onEscape(thrown) };
}

/** Checks and configures what was imported and runs its `init`. Rejects with PluginError; then it was unloaded. */
export async function instantiatePlugin(
  entry: PluginEntry,
  imported: ImportedPlugin,
  options: InstanceOptions,
  events: InstanceEvents & { readonly identity: PluginIdentity },
): Promise<LoadedPlugin> {
  const unload = once(async () => imported.unload?.());
  try {
    return await instantiate(entry, { ...imported, unload }, options, events);
  } catch (error) {
    const { module, isGuard } = imported;
    const claimed = claimedByModule(module) ?? (isGuard === true ? { isGuard, hooks: {} } : undefined);
    describeFailure(error, claimed);
    // Code whose `init` is still running is unloaded when that has ended.
    if (!(PluginError.isInstance(error) && error.code === 'BF_PLUGIN_INIT_TIMEOUT')) await unload();
    throw error;
  }
}

async function instantiate(
  entry: PluginEntry,
  { module, file, files, unload, isGuard, ...stated }: ImportedPlugin,
  options: InstanceOptions,
  { identity, ...events }: InstanceEvents & { readonly identity: PluginIdentity },
): Promise<LoadedPlugin> {
  const { name } = entry;
  const plugin = readPluginModule(name, module);
  const version = plugin.version ?? stated.version;
  const given = { config: entry.config, timeoutMs: options.initTimeoutMs };
  const config = await runInPluginScope(identity, () => validatePluginConfig(name, plugin.configSchema, given));
  const declared = runInPluginScope(identity, () => activeHooks(name, plugin, config));
  const hooks = overrideHooks(declared, plugin.self, entry);
  const log = pluginLog(options.logger, name);
  const shared = options.sharedState?.(name) ?? new LocalSharedState(name);
  const contextOf = (signal: AbortSignal): PluginContext<unknown> => ({ name, config, log, signal, shared });
  const runCleanup = once(async () => {
    const { cleanup } = plugin;
    const call = (signal: AbortSignal): unknown =>
      runInPluginScope(identity, () => cleanup?.call(plugin.self, contextOf(signal)));
    try {
      if (cleanup !== undefined)
        await runLifeCycle({ name, stage: 'cleanup', timeoutMs: options.cleanupTimeoutMs, call });
    } catch (error) {
      options.logger.warn(messageOf(error), { plugin: name });
    } finally {
      await unload?.();
    }
  });
  const { init } = plugin;
  if (init !== undefined) {
    const call = (signal: AbortSignal): unknown =>
      runInPluginScope(identity, () => init.call(plugin.self, contextOf(signal)));
    // An `init` that ends late has opened what only `cleanup` can close.
    await runLifeCycle({
      name,
      stage: 'init',
      timeoutMs: options.initTimeoutMs,
      call,
      onLate: () => void runCleanup(),
    });
  }
  const instance: PluginInstance = {
    name,
    config: deepFreeze(config),
    hooks,
    self: plugin.self,
    isGuard: plugin.isGuard || isGuard === true || entry.guard === true,
    placement: entry.placement ?? 'post_builtin',
    order: entry.order ?? 0,
    log: (level, message, fields) => options.logger[level](message, fields),
    onDisabled: (reason) => events.onDisabled(reason),
    asyncScope: createPluginScope(identity),
    shared,
    ...operatorSettings(entry),
    ...(options.getModelInfo === undefined ? {} : { getModelInfo: options.getModelInfo }),
  };
  return {
    instance,
    hooks: hookNames.filter((hook) => hooks[hook] !== undefined),
    cleanup: runCleanup,
    configViews: configViewsOf(plugin),
    viewConfig: (view, given) => runInPluginScope(identity, () => viewConfig(name, plugin, { view, config: given })),
    ...(plugin.actualName === undefined ? {} : { actualName: plugin.actualName }),
    ...(version === undefined ? {} : { version }),
    ...(file === undefined ? {} : { file }),
    ...(files === undefined ? {} : { files }),
  };
}

/** What the entry says of all hooks, in the place of what they declare. */
export function operatorSettings({
  timeoutMs,
  onError,
  breaker,
  budgetMs,
}: PluginEntry): Pick<PluginInstance, 'timeoutMs' | 'onError' | 'breaker' | 'budgetMs'> {
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(onError === undefined ? {} : { onError }),
    ...(breaker === undefined ? {} : { breaker }),
    ...(budgetMs === undefined ? {} : { budgetMs }),
  };
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= action());
}
