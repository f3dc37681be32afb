/** One load of a plugin that runs outside the serving threads: the running plugin, its channels, and who still uses them. */
import type { JsonObject, PluginLog } from '@bifrost/sdk';
import { messageOf } from '@bifrost/core';
import type { ConfigViewName } from '../config-view.ts';
import { describedFailure } from '../failed-description.ts';
import type { PluginEntry } from '../plugin-entry.ts';
import type { PluginSource, ResolvedArtefact } from '../plugin-plan.ts';
import type { PluginDescription, RemoteExit, RemotePlugin } from '../remote/remote-plugin.ts';

/** What is started, with what. */
export interface RemoteStart {
  readonly entry: PluginEntry;
  readonly artefact: ResolvedArtefact | undefined;
  /** Unique in the process; another number is another instance. */
  readonly load: number;
  readonly log: PluginLog;
  /** Memory of `ctx.shared`, for isolations that can share memory. */
  readonly shared: SharedArrayBuffer;
  /** Where relative paths start. */
  readonly directory: string;
}

/** Starts a plugin of one isolation and runs its `init`. Rejects with PluginError; then nothing of it is left. */
export type StartRemote = (start: RemoteStart) => Promise<RemotePlugin>;

/** Sums over many loads. */
export interface RemoteCounts {
  inits: number;
  cleanups: number;
  /** Ended by themselves, without a cleanup. */
  exits: number;
}

/** What a load takes of the machine. */
export interface RemoteUsage {
  readonly memoryBytes?: number;
  /** Processors on average over the last seconds. */
  readonly cpuLoad?: number;
}

function sumOfKnown(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, number) => sum + number, 0);
}

export interface RemoteLoadOptions {
  readonly start: () => Promise<RemotePlugin>;
  /** One running plugin for each serving thread in the place of one for all. */
  readonly isPerThread: boolean;
  readonly onExit: (exit: RemoteExit) => void;
  readonly counts: RemoteCounts;
  /** Told before it runs: it is to be found from now on. */
  readonly onUsed: () => void;
  /** No plan and no thread has it any more. Should a plan that was on its way still ask for it, it is used again. */
  readonly onUnused: () => void;
}

export class RemoteLoad {
  readonly #options: RemoteLoadOptions;
  /** By thread; under 0 the one for all. */
  readonly #running = new Map<number, Promise<RemotePlugin>>();
  /** Threads that were given a channel and have not let go. */
  readonly #holders = new Set<number>();
  #isRetired = false;
  #description: PluginDescription | undefined;

  constructor(options: RemoteLoadOptions) {
    this.#options = options;
  }

  get description(): PluginDescription | undefined {
    return this.#description;
  }

  /** Starts the one for all threads; each thread's own is started with its plan. Rejects with what kept it from that. */
  async start(): Promise<void> {
    if (!this.#options.isPerThread) await this.#begin(0);
  }

  /** How `thread` reaches the plugin; without a channel where the thread has one. Never rejects. */
  async sourceFor(thread: number): Promise<PluginSource> {
    const key = this.#options.isPerThread ? thread : 0;
    try {
      const plugin = await (this.#running.get(key) ?? this.#begin(key));
      if (this.#holders.has(thread)) return { kind: 'remote', description: plugin.description };
      this.#holders.add(thread);
      const channel = await plugin.openChannel();
      return { kind: 'remote', description: plugin.description, channel };
    } catch (error) {
      this.release(thread);
      return { kind: 'failed', message: messageOf(error), code: 'BF_PLUGIN_NOT_SERVING' };
    }
  }

  /** The thread uses it no more. */
  release(thread: number): void {
    if (!this.#holders.delete(thread)) return;
    if (this.#options.isPerThread) void this.#end(thread).then(() => this.#endIfUnused());
    else this.#endIfUnused();
  }

  /** No plan has it any more: it is closed as soon as the last thread has let go. */
  retire(): void {
    this.#isRetired = true;
    this.#endIfUnused();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((key) => this.#end(key)));
  }

  /** Asks one of the running. Rejects with PluginError; undefined where there is none to ask. */
  async viewConfig(view: ConfigViewName, config: JsonObject): Promise<JsonObject | undefined> {
    const [first] = this.#running.values();
    return (await first)?.viewConfig?.(view, config);
  }

  /** Of all that run, as far as it is known. Never rejects. */
  async usage(): Promise<RemoteUsage> {
    const settled = await Promise.allSettled(this.#running.values());
    const running = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const memoryBytes = sumOfKnown(running.map((plugin) => plugin.memoryBytes()));
    const cpuLoad = sumOfKnown(running.map((plugin) => plugin.cpuLoad()));
    return { ...(memoryBytes === undefined ? {} : { memoryBytes }), ...(cpuLoad === undefined ? {} : { cpuLoad }) };
  }

  #begin(key: number): Promise<RemotePlugin> {
    const { counts, onUsed } = this.#options;
    onUsed();
    const starting = this.#options.start().then((plugin) => {
      counts.inits += 1;
      this.#description = plugin.description;
      plugin.onExit((exit) => {
        if (!this.#running.delete(key)) return;
        counts.exits += 1;
        this.#options.onExit(exit);
      });
      return plugin;
    });
    this.#running.set(key, starting);
    starting.catch((error: unknown) => {
      this.#running.delete(key);
      this.#description ??= describedFailure(error);
    });
    return starting;
  }

  #endIfUnused(): void {
    if (!this.#isRetired || this.#holders.size > 0) return;
    void this.close().then(() => {
      if (this.#running.size === 0 && this.#holders.size === 0) this.#options.onUnused();
    });
  }

  async #end(key: number): Promise<void> {
    const running = this.#running.get(key);
    if (running === undefined) return;
    this.#running.delete(key);
    try {
      await (await running).close();
      this.#options.counts.cleanups += 1;
    } catch {
      // It never started: whoever started it was told.
    }
  }
}
