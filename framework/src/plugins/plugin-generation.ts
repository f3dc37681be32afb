/** One immutable set of plugin instances with its chains: what requests begin with, and end on. */
import { createPluginChains } from '@bifrost/core';
import type { PluginChains, PluginChainSet, PluginChainsOptions, PluginFigures } from '@bifrost/core';
import type { LoadedPlugin } from './load-plugin.ts';
import type { PluginRecord } from './plugin-record.ts';
import type { PluginStatus } from './plugin-entry.ts';

export interface RetireOptions {
  /** How long requests in flight may keep the plugins from being cleaned up. @default 600000 */
  readonly drainTimeoutMs?: number;
}

export interface PluginGeneration {
  readonly id: number;
  /** For the engine's snapshot; null when no active plugin has a hook. */
  readonly chains: PluginChains | null;
  /** Requests that began with this generation and have not ended, `inject` included. */
  readonly inFlight: number;
  /** False while a plugin that is `required` is not serving: `/health/ready` fails then. */
  readonly isReady: boolean;
  /** One per entry, in their order. Plain data. */
  status(): readonly PluginStatus[];
  /** Calls, errors, times by plugin and hook. Plain data. */
  figures(): readonly PluginFigures[];
  /**
   * To be called when no new request begins with this generation. Waits for the last one, then runs every `cleanup` once,
   * last loaded first. Never rejects; further calls return the same promise.
   */
  retire(options?: RetireOptions): Promise<void>;
}

const defaultDrainTimeoutMs = 600_000;

export class LoadedGeneration implements PluginGeneration {
  readonly id: number;
  readonly #records: readonly PluginRecord[];
  readonly #plugins: readonly LoadedPlugin[];
  readonly #chains: PluginChainSet;
  #retiring: Promise<void> | undefined;

  /** `plugins` in the order in which they were loaded. */
  constructor(
    id: number,
    records: readonly PluginRecord[],
    plugins: readonly LoadedPlugin[],
    options: PluginChainsOptions,
  ) {
    this.id = id;
    this.#records = records;
    this.#plugins = plugins;
    this.#chains = createPluginChains(
      plugins.map((plugin) => plugin.instance),
      options,
    );
  }

  get chains(): PluginChains | null {
    return Object.keys(this.#chains.needs).length === 0 ? null : this.#chains;
  }

  get inFlight(): number {
    return this.#chains.inFlight;
  }

  get isReady(): boolean {
    return this.#records.every((record) => !record.isMissing);
  }

  status(): readonly PluginStatus[] {
    const failures = new Map(this.figures().map((figures) => [figures.plugin, figures.failuresInARow]));
    return this.#records.map((record) => record.status(failures.get(record.name) ?? 0));
  }

  figures(): readonly PluginFigures[] {
    return this.#chains.figures();
  }

  retire(options: RetireOptions = {}): Promise<void> {
    return (this.#retiring ??= this.#retire(options.drainTimeoutMs ?? defaultDrainTimeoutMs));
  }

  async #retire(drainTimeoutMs: number): Promise<void> {
    for (const record of this.#records) record.drain();
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainTimeoutMs);
    });
    await Promise.race([this.#chains.whenIdle(), deadline]);
    clearTimeout(timer);
    for (const plugin of this.#plugins.toReversed()) await plugin.cleanup();
    for (const record of this.#records) record.retire();
  }
}
