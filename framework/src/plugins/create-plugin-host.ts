/** The host of inline plugins in one thread: loads entries into generations, keeps their states. */
import { PluginError } from '@bifrost/sdk';
import type { PluginLog } from '@bifrost/sdk';
import { hookObjectOptions } from './hook-options.ts';
import { loadPlugin } from './load-plugin.ts';
import type { LoadedPlugin, LoadOptions } from './load-plugin.ts';
import { pluginNamePattern } from './plugin-entry.ts';
import type { PluginEntry, PluginStatus } from './plugin-entry.ts';
import { LoadedGeneration } from './plugin-generation.ts';
import type { PluginGeneration } from './plugin-generation.ts';
import { PluginRecord } from './plugin-record.ts';

export interface PluginHostOptions {
  /** Gets the host's lines and the plugins'. Must not throw. */
  readonly logger: PluginLog;
  /** The config file's folder: where relative paths start. @default the working directory */
  readonly baseDirectory?: string;
  /** @default process.cwd() */
  readonly workingDirectory?: string;
  /** Freeze hook inputs: for development and tests. @default false */
  readonly areInputsFrozen?: boolean;
  /** For a module's import, its schema and `init`, each. @default 10000 */
  readonly initTimeoutMs?: number;
  /** @default 5000 */
  readonly cleanupTimeoutMs?: number;
  /** `inject` calls of one plugin that may be under way at once. @default 10000 */
  readonly injectConcurrency?: number;
  /** Plugins that come with the gateway: name -> module namespace or plugin object under `default`. */
  readonly builtins?: ReadonlyMap<string, object>;
  /** Imports a module by URL or specifier; for programs whose own `import()` cannot load files. @default import() */
  readonly importModule?: (specifier: string) => Promise<unknown>;
}

export interface PluginHost {
  /**
   * Loads a generation beside the ones that serve; nothing is swapped: give its `chains` to the engine, then `retire()` the old
   * one. Plugins are loaded one after the other in the order of `entries`. One that fails is a status with its error, and
   * the others are loaded. Rejects with PluginError `BF_PLUGIN_REQUIRED_FAILED` when one that is `required` fails: what was
   * loaded is then cleaned up, and the generation before it is untouched.
   */
  load(entries: readonly PluginEntry[]): Promise<PluginGeneration>;
  /** The generation loaded last; null before the first. */
  readonly current: PluginGeneration | null;
  /** The states of the generation loaded last. */
  status(): readonly PluginStatus[];
}

/** Unique in the realm: modules of two hosts must not share a tag. */
let lastGeneration = 0;

class InlinePluginHost implements PluginHost {
  readonly #options: PluginHostOptions;
  readonly #loadOptions: LoadOptions;
  #current: PluginGeneration | null = null;

  constructor(options: PluginHostOptions) {
    const workingDirectory = options.workingDirectory ?? process.cwd();
    this.#options = options;
    this.#loadOptions = {
      logger: options.logger,
      baseDirectory: options.baseDirectory ?? workingDirectory,
      workingDirectory,
      initTimeoutMs: options.initTimeoutMs ?? 10_000,
      cleanupTimeoutMs: options.cleanupTimeoutMs ?? 5000,
      importModule: options.importModule ?? ((specifier) => import(specifier)),
      builtins: options.builtins ?? new Map(),
    };
  }

  get current(): PluginGeneration | null {
    return this.#current;
  }

  status(): readonly PluginStatus[] {
    return this.#current?.status() ?? [];
  }

  async load(entries: readonly PluginEntry[]): Promise<PluginGeneration> {
    lastGeneration += 1;
    const id = lastGeneration;
    const records: PluginRecord[] = [];
    const plugins: LoadedPlugin[] = [];
    const names = new Set<string>();
    const { logger } = this.#options;
    for (const entry of entries) {
      const record = new PluginRecord(entry, id);
      records.push(record);
      if (!entry.enabled) continue;
      try {
        assertEntry(entry, names);
        plugins.push(await this.#loadOne(entry, record, id));
      } catch (error) {
        record.fail(error);
        logger.error(`failed to load ${messageWithName(entry.name, error)}`, { plugin: entry.name });
        if (entry.required === true) throw await this.#abandon(entry, error, plugins);
      }
    }
    const { areInputsFrozen, injectConcurrency } = this.#options;
    const generation = new LoadedGeneration(id, records, plugins, {
      ...(areInputsFrozen === undefined ? {} : { areInputsFrozen }),
      ...(injectConcurrency === undefined ? {} : { injectConcurrency }),
    });
    for (const { name, state } of generation.status())
      logger.info(`plugin status: ${name} - ${state}`, { plugin: name });
    this.#current = generation;
    return generation;
  }

  async #loadOne(entry: PluginEntry, record: PluginRecord, generation: number): Promise<LoadedPlugin> {
    const { logger } = this.#options;
    const { name } = entry;
    const startedAt = performance.now();
    const loaded = await loadPlugin(entry, String(generation), this.#loadOptions, {
      onDisabled: (reason) => {
        record.disable(reason);
        logger.error(`plugin ${name} is disabled: ${reason}`, { plugin: name });
        logger.info(`plugin status: ${name} - disabled`, { plugin: name });
      },
      onEscape: (thrown) => reportEscape(logger, record, thrown),
    });
    const { instance, hooks, actualName, version, file } = loaded;
    const facts = {
      hooks,
      ...(actualName === undefined ? {} : { actualName }),
      ...(version === undefined ? {} : { version }),
      ...(file === undefined ? {} : { file }),
    };
    record.activate(facts, instance.isGuard, performance.now() - startedAt);
    for (const warning of failOpenHooks(loaded)) logger.warn(warning, { plugin: name });
    logger.info(`Plugin loaded successfully: ${name}`, { plugin: name });
    return loaded;
  }

  /** Cleans up what a load that cannot be completed has loaded so far. */
  async #abandon(entry: PluginEntry, cause: unknown, plugins: readonly LoadedPlugin[]): Promise<PluginError> {
    for (const plugin of plugins.toReversed()) await plugin.cleanup();
    return new PluginError(entry.name, `it is required and cannot be loaded. ${messageWithName(entry.name, cause)}`, {
      code: 'BF_PLUGIN_REQUIRED_FAILED',
      cause,
    });
  }
}

function messageWithName(name: string, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.startsWith(`plugin ${name}:`) ? message : `plugin ${name}: ${message}`;
}

function assertEntry(entry: PluginEntry, names: Set<string>): void {
  const { name, path, placement } = entry;
  const refuse = (message: string): never => {
    throw new PluginError(name, message, { code: 'BF_PLUGIN_ENTRY_INVALID' });
  };
  if (!pluginNamePattern.test(name))
    refuse('a name has letters, digits, ".", "_" and "-", and begins with a letter or digit');
  if (names.has(name)) refuse('there is an earlier entry of that name: each needs its own');
  if (placement === 'builtin' && path !== undefined) {
    refuse('placement "builtin" is kept for built-in plugins: use "pre_builtin" or "post_builtin"');
  }
  names.add(name);
}

function reportEscape(logger: PluginLog, record: PluginRecord, thrown: unknown): void {
  const times = record.escape(thrown);
  // 1, 2, 4, 8, ...: a timer that throws every millisecond must not fill the log.
  if ((times & (times - 1)) !== 0) return;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  logger.error(`plugin ${record.name}: work that it left running failed: ${what}`, { plugin: record.name, times });
}

/** A guard's hook that fails open is the operator's business. */
function failOpenHooks({ instance, hooks }: LoadedPlugin): readonly string[] {
  if (!instance.isGuard) return [];
  return hooks
    .filter(
      (hook) =>
        hook !== 'inject' && ['continue', 'skip'].includes(String(hookObjectOptions(instance.hooks[hook]).onError)),
    )
    .map((hook) => `plugin ${instance.name} is a guard, but its ${hook} lets requests pass when it fails (onError)`);
}

/** Makes the plugin host of this thread. Nothing is loaded yet. */
export function createPluginHost(options: PluginHostOptions): PluginHost {
  return new InlinePluginHost(options);
}
