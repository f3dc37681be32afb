/**
 * The places of the plugins, and the one way in which they change: a next list is brought into all threads, or nothing is changed. Also
 * keeps the list before the last swap, while that may come back.
 */
import { GatewayError } from '@bifrost/sdk';
import { didYouMean } from '../../config/suggestion.ts';
import { GenerationSwap } from './generation-swap.ts';
import type { LoadMaker } from './load-maker.ts';
import type { PluginSlot } from './managed-plugin.ts';
import type { ManagerView } from './manager-view.ts';
import type { PluginLoad } from './plugin-load.ts';
import type { Probation } from './probation.ts';
import type { ThreadGroup } from './thread-group.ts';

/** Loads that are gone and whose plugin is still known: of those before, no thread holds anything. */
const maxGone = 1000;

/** For each load in one thread: its import, its schema and `init`, each with the deadline of the host. */
const loadWithinMs = 35_000;

export interface SlotChange {
  readonly slots: readonly PluginSlot[];
  readonly fresh: readonly PluginSlot[];
  readonly onFailure: 'abort' | 'record';
  /** The load that the change replaces, which may come back. */
  readonly replaces?: PluginSlot;
  readonly settings?: object;
  readonly keep?: (() => Promise<void>) | undefined;
}

export interface SlotChangesOptions {
  readonly group: ThreadGroup;
  readonly maker: LoadMaker;
  readonly view: ManagerView;
  readonly probation: Probation;
  /** Where relative paths start. */
  readonly directory: string;
  /** For threads to prepare a change, beside the plugins' own deadlines. */
  readonly prepareWithinMs: number;
}

export class SlotChanges {
  readonly #options: SlotChangesOptions;
  readonly #swap: GenerationSwap;
  /** Where relative paths start from now on. */
  directory: string;
  #slots: readonly PluginSlot[] = [];
  #reserve: readonly PluginSlot[] = [];
  #underWay: readonly PluginSlot[] = [];
  /** By load that is gone: its plugin. */
  readonly #gone = new Map<number, string>();
  #generation = 0;

  constructor(options: SlotChangesOptions) {
    const { group, maker, directory, prepareWithinMs } = options;
    this.#options = options;
    this.directory = directory;
    this.#swap = new GenerationSwap({
      group,
      begin: (slot, from) => maker.begin(slot, from),
      nextGeneration: () => ++this.#generation,
      prepareWithinMs,
      loadWithinMs,
    });
  }

  /** In the committed plan, in their order. */
  get slots(): readonly PluginSlot[] {
    return this.#slots;
  }

  /** The slots before the last swap, while they may come back. */
  get reserve(): readonly PluginSlot[] {
    return this.#reserve;
  }

  /** Loads that are on their way into the threads. */
  get underWay(): readonly PluginSlot[] {
    return this.#underWay;
  }

  /** The load of the plugin that the change under way brings. */
  loadUnderWay(name: string): PluginLoad | undefined {
    return this.#underWay.find(({ entry }) => entry.name === name)?.load;
  }

  find(name: string): PluginSlot | undefined {
    return this.#slots.find(({ entry }) => entry.name === name);
  }

  /** Throws GatewayError 404. */
  slotOf(name: string): PluginSlot {
    const slot = this.find(name);
    if (slot !== undefined) return slot;
    throw pluginNotFound(
      name,
      this.#slots.map(({ entry }) => entry.name),
    );
  }

  /** As `make`, for a change to one plugin: its status says how that went. */
  async makeFor(name: string, change: SlotChange): Promise<void> {
    try {
      await this.make(change);
      this.#options.view.succeeded(name);
    } catch (error) {
      this.#options.view.failed(name, error);
      throw error;
    }
  }

  /** Makes one change in all threads; on failure nothing is changed. */
  async make({ slots, fresh, onFailure, replaces, settings, keep }: SlotChange): Promise<void> {
    const watched = replaces === undefined ? undefined : this.#options.probation.wanted(replaces, fresh);
    const { directory } = this;
    this.#underWay = fresh;
    try {
      const { generation, answers } = await this.#swap.run({
        slots,
        fresh,
        onFailure,
        directory,
        isReserveKept: watched !== undefined,
        ...(settings === undefined ? {} : { settings }),
        ...(keep === undefined ? {} : { keep }),
      });
      const earlier = [...this.#slots, ...this.#reserve];
      this.#reserve = watched === undefined ? [] : this.#slots;
      this.#slots = slots;
      this.#options.maker.note(slots);
      this.letGo(earlier);
      this.#options.view.committed(generation, { fresh, answers });
      if (watched !== undefined) this.#options.probation.begin(watched);
      else this.#options.probation.stop();
    } catch (error) {
      this.letGo(fresh);
      throw error;
    } finally {
      this.#underWay = [];
    }
  }

  /** Retires the loads of `slots` that neither serve nor are in reserve. */
  letGo(slots: readonly PluginSlot[]): void {
    const needed = new Set([...this.#slots, ...this.#reserve].map(({ load }) => load));
    for (const { load } of slots) {
      if (needed.has(load)) continue;
      this.#gone.set(load.load, load.name);
      load.remote?.retire();
    }
    for (const number of this.#gone.keys()) {
      if (this.#gone.size <= maxGone) break;
      this.#gone.delete(number);
    }
  }

  /** The plugin of a load that neither serves nor is in reserve: requests under way may hold it, or its `cleanup` run. */
  nameOfGone(load: number): string | undefined {
    return this.#gone.get(load);
  }

  get hasGone(): boolean {
    return this.#gone.size > 0;
  }

  /** Lets the list before the last swap go. */
  settle(): void {
    this.#options.group.settle();
    const earlier = this.#reserve;
    this.#reserve = [];
    this.letGo(earlier);
  }
}

/** The error of a change to a plugin that there is not: 404. `known`: those that there are. */
export function pluginNotFound(name: string, known: Iterable<string>): GatewayError {
  return new GatewayError(`there is no plugin "${name}"${didYouMean(name, known)}`, {
    code: 'BF_PLUGIN_NOT_FOUND',
    statusCode: 404,
  });
}
