/** Makes one planned plugin a member of a generation: an instance that lives already, a new one, or the record of its failure. */
import { close } from 'node:fs';
import type { LogLevel, PluginInstance } from '@bifrost/core';
import { PluginError } from '@bifrost/sdk';
import type { JsonObject, PluginLog } from '@bifrost/sdk';
import { describePlugin } from './describe-plugin.ts';
import { describedFailure, standInFor } from './failed-description.ts';
import { hookObjectOptions } from './hook-options.ts';
import { PooledInstance } from './instance-pool.ts';
import type { InstancePool } from './instance-pool.ts';
import { loadPlugin } from './load-plugin.ts';
import type { InstanceEvents, LoadedPlugin, LoadOptions } from './load-plugin.ts';
import type { PluginEntry } from './plugin-entry.ts';
import type { GenerationMember } from './plugin-generation.ts';
import type { PlannedPlugin, PlannedTrial } from './plugin-plan.ts';
import { PluginRecord } from './plugin-record.ts';
import { createRefusingInstance } from './refusing-instance.ts';
import type { PluginDescription, RemoteChannel } from './remote/remote-plugin.ts';
import { openSharedState } from './shared-state/open-shared-state.ts';

/** What the serving thread needs to call a plugin that runs elsewhere. */
export interface RemoteEnd {
  readonly entry: PluginEntry;
  readonly load: number;
  readonly description: PluginDescription;
  readonly channel: RemoteChannel;
}

/** Makes a plugin of this thread out of a channel to one that runs elsewhere; its `cleanup` closes the channel only. */
export type ConnectRemote = (
  connection: RemoteEnd,
  options: LoadOptions,
  events: InstanceEvents,
) => Promise<LoadedPlugin>;

export interface MemberLoaderOptions {
  readonly pool: InstancePool;
  readonly logger: PluginLog;
  readonly connectRemote: ConnectRemote | undefined;
  readonly onChanged: (load: number) => void;
  readonly onReleased: (load: number) => void;
  /** Cell 0 gets the load that is under way. */
  readonly loading: Int32Array;
  /** Called with each plugin whose code has just run for the first time, also where it then failed. */
  readonly onCodeRun: (record: PluginRecord) => void;
}

export class MemberLoader {
  readonly #options: MemberLoaderOptions;

  constructor(options: MemberLoaderOptions) {
    this.#options = options;
  }

  /** Never rejects. A pooled instance of the result is held. */
  async load(planned: PlannedPlugin, options: LoadOptions): Promise<GenerationMember> {
    const { entry, load, source } = planned;
    const { pool } = this.#options;
    const living = pool.find(load);
    if (living !== undefined && source.kind !== 'off' && source.kind !== 'failed') {
      if (source.kind === 'remote') closeChannel(source.channel);
      return this.#member(living, planned);
    }
    const record = new PluginRecord(entry, load);
    if (source.kind === 'off') return { entry, record };
    if (source.kind === 'failed') {
      record.refuse(source.message, source.code, source.isKindUnknown);
      return { entry, record, ...this.#refusing(planned, source.message), failure: new Error(source.message) };
    }
    const { loading } = this.#options;
    Atomics.store(loading, 0, load);
    try {
      return this.#member(await this.#begin(planned, record, options), planned);
    } catch (error) {
      record.fail(error);
      record.description = describedFailure(error);
      this.refuse([planned]);
      const known = planned.known ?? standInFor(entry, record.description);
      const refused = known === undefined ? planned : { ...planned, known };
      return { entry, record, ...this.#refusing(refused, record.message ?? 'it cannot be loaded'), failure: error };
    } finally {
      Atomics.store(loading, 0, 0);
      if (source.kind === 'inline') this.#options.onCodeRun(record);
    }
  }

  /** Gives back what came with plugins that are not begun. */
  refuse(plugins: readonly PlannedPlugin[]): void {
    const { pool, onReleased } = this.#options;
    for (const { load, source } of plugins) {
      if (source.kind !== 'remote' || pool.find(load) !== undefined) continue;
      closeChannel(source.channel);
      onReleased(load);
    }
  }

  async #begin(planned: PlannedPlugin, record: PluginRecord, options: LoadOptions): Promise<PooledInstance> {
    const { entry, load, source, shared } = planned;
    const { pool, logger } = this.#options;
    const startedAt = performance.now();
    const events: InstanceEvents = {
      onDisabled: (reason) => this.#onDisabled(record, reason),
      onEscape: (thrown) => this.#onEscape(record, thrown),
    };
    const own: LoadOptions = shared === undefined ? options : { ...options, sharedState: openSharedState(shared) };
    let loaded: LoadedPlugin;
    if (source.kind === 'remote') loaded = await this.#connect(planned, own, events);
    else {
      const { artefact } = source.kind === 'inline' ? source : {};
      loaded = await loadPlugin(entry, String(load), artefact === undefined ? own : { ...own, artefact }, events);
    }
    const { instance, hooks, actualName, version, file, files } = loaded;
    const facts = {
      hooks,
      ...(actualName === undefined ? {} : { actualName }),
      ...(version === undefined ? {} : { version }),
      ...(file === undefined ? {} : { file }),
      ...(files === undefined ? {} : { files }),
    };
    record.activate(facts, instance.isGuard, performance.now() - startedAt);
    for (const warning of failOpenHooks(loaded)) logger.warn(warning, { plugin: entry.name });
    const isModule =
      source.kind === 'inline' && entry.path !== undefined && (source.artefact?.kind ?? 'module') === 'module';
    const pooled = new PooledInstance(loaded, record, { isModule, description: describePlugin(loaded) });
    pool.add(pooled);
    return pooled;
  }

  async #connect(planned: PlannedPlugin, options: LoadOptions, events: InstanceEvents): Promise<LoadedPlugin> {
    const { entry, load, source } = planned;
    const { connectRemote } = this.#options;
    if (source.kind !== 'remote' || source.channel === undefined || connectRemote === undefined) {
      throw new PluginError(entry.name, `this thread has no channel to it (isolation "${entry.isolation}")`, {
        code: 'BF_PLUGIN_NOT_SERVING',
      });
    }
    const { description, channel } = source;
    return connectRemote({ entry, load, description, channel }, options, events);
  }

  #member(pooled: PooledInstance, planned: PlannedPlugin): GenerationMember {
    const { entry, trial } = planned;
    const { record, plugin, description } = pooled;
    this.#options.pool.hold(pooled);
    // Switched off by its failures: that holds until it is loaded again, whatever else is swapped.
    if (record.state === 'disabled')
      return {
        entry,
        record,
        pooled,
        ...this.#refusing({ ...planned, known: description }, record.message ?? 'disabled'),
      };
    return { entry, record, pooled, instance: placed(plugin.instance, entry, trial) };
  }

  #refusing(
    { entry, known, trial }: Pick<PlannedPlugin, 'entry' | 'known' | 'trial'>,
    reason: string,
  ): { readonly instance?: PluginInstance } {
    if (known?.isGuard !== true) return {};
    const { logger } = this.#options;
    const log = (level: LogLevel, message: string, fields: JsonObject): void => logger[level](message, fields);
    // A candidate that fails refuses its own share of the requests, and no more.
    return { instance: placed(createRefusingInstance(entry, known, { reason, log }), entry, trial) };
  }

  #onDisabled(record: PluginRecord, reason: string): void {
    const { logger, onChanged } = this.#options;
    record.disable(reason);
    logger.error(`plugin ${record.name} is disabled: ${reason}`, { plugin: record.name });
    logger.info(`plugin status: ${record.name} - disabled`, { plugin: record.name });
    onChanged(record.load);
  }

  #onEscape(record: PluginRecord, thrown: unknown): void {
    const times = record.escape(thrown);
    // 1, 2, 4, 8, ...: a timer that throws every millisecond must not fill the log.
    if ((times & (times - 1)) !== 0) return;
    const { logger, onChanged } = this.#options;
    const what = thrown instanceof Error ? thrown.message : String(thrown);
    logger.error(`plugin ${record.name}: work that it left running failed: ${what}`, { plugin: record.name, times });
    onChanged(record.load);
  }
}

/** The instance at the place that the entry asks for by now. */
function placed(instance: PluginInstance, entry: PluginEntry, trial: PlannedTrial | undefined): PluginInstance {
  const { placement = 'post_builtin', order = 0 } = entry;
  if (trial !== undefined) return { ...instance, placement, order, [trial.kind]: { of: trial.of, share: trial.share } };
  if (instance.placement === placement && instance.order === order) return instance;
  return { ...instance, placement, order };
}

function closeChannel(channel: RemoteChannel | undefined): void {
  if (channel?.kind === 'port') channel.port.close();
  // Errors: whoever took it over and failed has closed it.
  else if (channel?.kind === 'descriptor') close(channel.descriptor, () => undefined);
}

/** A guard that lets pass what it cannot judge is an exception that somebody must be able to find in the log. */
function failOpenHooks({ instance, hooks }: LoadedPlugin): readonly string[] {
  if (!instance.isGuard) return [];
  return hooks.flatMap((hook) => {
    const onError = instance.onError ?? hookObjectOptions(instance.hooks[hook]).onError;
    if (hook === 'inject' || (onError !== 'continue' && onError !== 'skip')) return [];
    return `plugin ${instance.name} is a guard, but where its ${hook} fails the request passes (onError: ${onError})`;
  });
}
