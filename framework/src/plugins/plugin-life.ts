/** The life of one instance: `init` and `cleanup`, each run at most once, as the plugin's own work and within its deadline. */
import { messageOf } from '@bifrost/core/plugins';
import type { PluginContext, PluginLog } from '@bifrost/sdk';
import { runLifeCycle } from './life-cycle-call.ts';
import type { LifeCycleCall } from './life-cycle-call.ts';
import { runInPluginScope } from './plugin-scope.ts';
import type { PluginIdentity } from './plugin-scope.ts';
import type { CheckedPlugin } from './read-plugin-module.ts';

export interface PluginLifeOptions {
  readonly identity: PluginIdentity;
  readonly plugin: CheckedPlugin;
  /** What both calls are given, but for the signal. */
  readonly context: Omit<PluginContext<unknown>, 'signal'>;
  readonly logger: PluginLog;
  readonly initTimeoutMs: number;
  readonly cleanupTimeoutMs: number;
  /** Takes the plugin's code out again, after its cleanup. */
  readonly unload: () => Promise<void>;
}

export class PluginLife {
  readonly #options: PluginLifeOptions;
  #cleaning: Promise<void> | undefined;

  constructor(options: PluginLifeOptions) {
    this.#options = options;
  }

  /** Rejects with PluginError. */
  async init(): Promise<void> {
    const { plugin, initTimeoutMs: timeoutMs } = this.#options;
    if (plugin.init === undefined) return;
    // An `init` that ends late has opened what only `cleanup` can close.
    const onLate = (): void => void this.cleanup();
    await runLifeCycle({ ...this.#callOf('init', plugin.init), timeoutMs, onLate });
  }

  /** Runs `cleanup` once; further calls return the same promise. Never rejects. */
  cleanup(): Promise<void> {
    return (this.#cleaning ??= this.#cleanup());
  }

  async #cleanup(): Promise<void> {
    const { identity, plugin, logger, cleanupTimeoutMs: timeoutMs, unload } = this.#options;
    try {
      if (plugin.cleanup !== undefined) await runLifeCycle({ ...this.#callOf('cleanup', plugin.cleanup), timeoutMs });
    } catch (error) {
      logger.warn(messageOf(error), { plugin: identity.name });
    } finally {
      await unload();
    }
  }

  #callOf(
    stage: LifeCycleCall['stage'],
    handler: NonNullable<CheckedPlugin['init']>,
  ): Pick<LifeCycleCall, 'name' | 'stage' | 'call'> {
    const { identity, plugin, context } = this.#options;
    const call = (signal: AbortSignal): unknown =>
      runInPluginScope(identity, () => handler.call(plugin.self, { ...context, signal }));
    return { name: identity.name, stage, call };
  }
}
