/**
 * Loads one plugin into this realm: resolve, import, check, validate the config, `init`. What comes after the import is the same
 * for every kind of artefact, and in every realm: `instantiatePlugin`.
 */
import { LocalSharedState, messageOf } from '@bifrost/core/plugins';
import type { PluginInstance } from '@bifrost/core';
import { deepFreeze, hookNames, PluginError } from '@bifrost/sdk';
import type { ArtefactKind, HookName, JsonObject, ModelInfo, PluginLog, SharedState } from '@bifrost/sdk';
import { claimedByManifest, claimedByModule, describeFailure } from './failed-description.ts';
import { hookObjectOptions } from './hook-options.ts';
import type { ArtefactLoader } from './artefacts/artefact-loader.ts';
import { importPlugin } from './import-plugin.ts';
import type { ImportedPlugin } from './import-plugin.ts';
import { overrideHooks } from './override-hooks.ts';
import type { PluginEntry } from './plugin-entry.ts';
import type { ResolvedArtefact } from './plugin-plan.ts';
import { PluginLife } from './plugin-life.ts';
import { pluginLog } from './plugin-log.ts';
import { cutText } from './remote/log-line.ts';
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

/** What the host gives to a plugin that is in the realm. */
export type InstanceOptions = Pick<
  LoadOptions,
  'logger' | 'initTimeoutMs' | 'cleanupTimeoutMs' | 'sharedState' | 'getModelInfo'
>;

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
async function instantiatePlugin(
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
    const claimed = claimedByModule(module);
    describeFailure(error, isGuard === true ? { hooks: {}, ...claimed, isGuard } : claimed);
    // Code whose `init` is still running is unloaded when that has ended.
    if (!(PluginError.isInstance(error) && error.code === 'BF_PLUGIN_INIT_TIMEOUT')) await unload();
    throw error;
  }
}

async function instantiate(
  entry: PluginEntry,
  { module, file, files, unload, isGuard, ...stated }: ImportedPlugin & { readonly unload: () => Promise<void> },
  options: InstanceOptions,
  { identity, ...events }: InstanceEvents & { readonly identity: PluginIdentity },
): Promise<LoadedPlugin> {
  const { name } = entry;
  const { logger, initTimeoutMs, cleanupTimeoutMs } = options;
  const plugin = readPluginModule(name, module);
  const version = plugin.version ?? stated.version;
  const given = { config: entry.config, timeoutMs: initTimeoutMs };
  const config = await runInPluginScope(identity, () => validatePluginConfig(name, plugin.configSchema, given));
  const declared = runInPluginScope(identity, () => activeHooks(name, plugin, config));
  const hooks = overrideHooks(declared, plugin.self, entry);
  const shared = options.sharedState?.(name) ?? new LocalSharedState(name);
  const context = { name, config, log: pluginLog(logger, name), shared };
  const life = new PluginLife({ identity, plugin, context, logger, initTimeoutMs, cleanupTimeoutMs, unload });
  await life.init();
  const instance: PluginInstance = {
    name,
    config: deepFreeze(config),
    hooks,
    self: plugin.self,
    isGuard: plugin.isGuard || isGuard === true || entry.guard === true,
    placement: entry.placement ?? 'post_builtin',
    order: entry.order ?? 0,
    log: (level, message, fields) => logger[level](cutText(message), fields),
    onDisabled: (reason) => events.onDisabled(reason),
    asyncScope: createPluginScope(identity),
    shared,
    ...operatorSettings(entry),
    ...(options.getModelInfo === undefined ? {} : { getModelInfo: options.getModelInfo }),
  };
  return {
    instance,
    hooks: hookNames.filter((hook) => hooks[hook] !== undefined),
    cleanup: () => life.cleanup(),
    configViews: configViewsOf(plugin),
    viewConfig: (view, wanted) => runInPluginScope(identity, () => viewConfig(name, plugin, { view, config: wanted })),
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
  watch,
}: PluginEntry): Pick<PluginInstance, 'timeoutMs' | 'onError' | 'breaker' | 'budgetMs' | 'areInputsFrozen'> {
  return {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(onError === undefined ? {} : { onError }),
    ...(breaker === undefined ? {} : { breaker }),
    ...(budgetMs === undefined ? {} : { budgetMs }),
    ...(watch === true ? { areInputsFrozen: true } : {}),
  };
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= action());
}
