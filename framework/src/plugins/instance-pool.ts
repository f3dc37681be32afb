/**
 * The plugin instances of one thread. An instance is known by its load number and lives as long as a generation holds it: the
 * reload of one plugin leaves the instances of the others alone, and `cleanup` runs once, when the last generation lets go.
 */
import type { LoadedPlugin } from './load-plugin.ts';
import type { InstanceCounts } from './plugin-plan.ts';
import type { PluginRecord } from './plugin-record.ts';
import type { PluginDescription } from './remote/remote-plugin.ts';

/** An instance with the number of generations that hold it. */
export class PooledInstance {
  readonly plugin: LoadedPlugin;
  readonly record: PluginRecord;
  /** Its code is a module of this thread, which no cleanup gives back. */
  readonly isModule: boolean;
  readonly description: PluginDescription;
  holders = 0;
  /** Of the holders, those that new requests may still begin with. */
  serving = 0;

  constructor(
    plugin: LoadedPlugin,
    record: PluginRecord,
    { isModule, description }: { readonly isModule: boolean; readonly description: PluginDescription },
  ) {
    this.plugin = plugin;
    this.record = record;
    this.isModule = isModule;
    this.description = description;
  }

  get isDraining(): boolean {
    return this.serving === 0;
  }
}

export class InstancePool {
  readonly #live = new Map<number, PooledInstance>();
  readonly #onReleased: (load: number) => void;
  #inits = 0;
  #cleanups = 0;
  #staleModules = 0;

  /** `onReleased` is told of each load whose cleanup has ended. */
  constructor(onReleased: (load: number) => void) {
    this.#onReleased = onReleased;
  }

  get counts(): InstanceCounts {
    return { inits: this.#inits, cleanups: this.#cleanups, live: this.#live.size };
  }

  /** Modules of instances that have gone. */
  get staleModules(): number {
    return this.#staleModules;
  }

  find(load: number): PooledInstance | undefined {
    return this.#live.get(load);
  }

  add(instance: PooledInstance): void {
    this.#live.set(instance.record.load, instance);
    this.#inits += 1;
  }

  hold(instance: PooledInstance): void {
    instance.holders += 1;
    instance.serving += 1;
    instance.record.resume();
  }

  /** A holder is retired: no new request begins with it. */
  drain(instance: PooledInstance): void {
    instance.serving -= 1;
    if (instance.isDraining) instance.record.drain();
  }

  /** A retired holder lets go. Resolves when the instance is cleaned up, if that was the last one. */
  async release(instance: PooledInstance): Promise<void> {
    instance.holders -= 1;
    if (instance.holders > 0) return;
    const { load } = instance.record;
    this.#live.delete(load);
    if (instance.isModule) this.#staleModules += 1;
    await instance.plugin.cleanup();
    this.#cleanups += 1;
    instance.record.retire();
    this.#onReleased(load);
  }

  /** Instances that only requests under way hold, by name. */
  draining(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { isDraining, record } of this.#live.values()) {
      if (isDraining) counts[record.name] = (counts[record.name] ?? 0) + 1;
    }
    return counts;
  }
}
