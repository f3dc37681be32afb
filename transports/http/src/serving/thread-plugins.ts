import type { PluginLog } from '@bifrost/sdk';
import type { PluginChains } from '@bifrost/core';
import { containPluginFailures, createPluginHost } from '@bifrost/framework/plugins';
import type { PluginGeneration, PluginHost } from '@bifrost/framework/plugins';
import type { ThreadConfig } from '../supervisor/messages.ts';

/** Lines about loading are the same in every thread: they are written for the first one, the rest is for debugging. */
const loadingLine = /^(Plugin loaded successfully|plugin status): /;

function quietLog(log: PluginLog): PluginLog {
  return {
    ...log,
    info: (message, fields) => (loadingLine.test(message) ? log.debug(message, fields) : log.info(message, fields)),
  };
}

/** The plugins of one serving thread: each thread has instances of its own. */
export class ThreadPlugins {
  readonly #log: PluginLog;
  #host: PluginHost | undefined;
  #generation: PluginGeneration | undefined;

  constructor(log: PluginLog, isFirstThread: boolean) {
    this.#log = isFirstThread ? log : quietLog(log);
  }

  /** False while a required plugin does not serve. */
  get isReady(): boolean {
    return this.#generation?.isReady ?? true;
  }

  /** Required plugins that do not serve, by name. */
  get missing(): readonly string[] {
    if (this.isReady) return [];
    const statuses = this.#generation?.status() ?? [];
    return statuses.filter(({ isRequired, state }) => isRequired && state !== 'active').map(({ name }) => name);
  }

  /** Loads the plugins of a configuration; `retireOld` is to be called when no new request begins with the ones before. */
  async load(config: ThreadConfig): Promise<{ readonly chains: PluginChains | null; retireOld(): void }> {
    const old = this.#generation;
    if (config.plugins.length === 0 && old === undefined) return { chains: null, retireOld: () => undefined };
    if (this.#host === undefined) containPluginFailures();
    this.#host ??= createPluginHost({ logger: this.#log, baseDirectory: config.directory });
    this.#generation = await this.#host.load(config.plugins);
    return { chains: this.#generation.chains, retireOld: () => void old?.retire() };
  }

  /** Runs every `cleanup`, after the last request. */
  async close(): Promise<void> {
    await this.#generation?.retire({ drainTimeoutMs: 5000 });
  }
}
