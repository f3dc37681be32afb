/** One immutable set of plugin instances with its chains: what requests begin with, and end on. */
import { createPluginChains } from '@bifrost/core';
import type {
  PluginChains,
  PluginChainSet,
  PluginChainsOptions,
  PluginFigures,
  PluginInstance,
  ShadowComparison,
} from '@bifrost/core';
import type { InstancePool, PooledInstance } from './instance-pool.ts';
import type { PluginRecord } from './plugin-record.ts';
import type { PluginDescription } from './remote/remote-plugin.ts';
import type { PluginEntry, PluginStatus } from './plugin-entry.ts';

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
  /** By load: what is known of plugins that could not be loaded. */
  readonly failedDescriptions: ReadonlyMap<number, PluginDescription>;
  /** Loads by the slot numbers that stand in the mark of what runs. */
  readonly slots: Readonly<Record<number, number>>;
  /** Calls, errors, times by plugin and hook. Plain data. */
  figures(): readonly PluginFigures[];
  /** How shadows compare. Plain data. */
  comparisons(): readonly ShadowComparison[];
  /**
   * To be called when no new request begins with this generation. Waits for the last one, then lets go of its instances, last
   * loaded first: those that no other generation holds are cleaned up. Never rejects; further calls return the same promise.
   */
  retire(options?: RetireOptions): Promise<void>;
}

/** One entry's place in a generation. */
export interface GenerationMember {
  readonly entry: PluginEntry;
  readonly record: PluginRecord;
  /** Absent where the entry is off or failed. */
  readonly pooled?: PooledInstance;
  /** What stands in the chains. */
  readonly instance?: PluginInstance;
  /** What kept it from being loaded. */
  readonly failure?: unknown;
}

export interface GenerationOptions extends PluginChainsOptions {
  readonly pool: InstancePool;
  readonly onRetiring: (generation: LoadedGeneration) => void;
  readonly onRetired: (generation: LoadedGeneration) => void;
}

const defaultDrainTimeoutMs = 600_000;

export class LoadedGeneration implements PluginGeneration {
  readonly id: number;
  readonly #members: readonly GenerationMember[];
  readonly #options: GenerationOptions;
  readonly #chains: PluginChainSet;
  #retiring: Promise<void> | undefined;

  /** Takes over the members' holds on the pool. */
  constructor(id: number, members: readonly GenerationMember[], options: GenerationOptions) {
    this.id = id;
    this.#members = members;
    this.#options = options;
    this.#chains = createPluginChains(
      members.flatMap(({ instance }) => instance ?? []),
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
    return this.#members.every(({ record, entry }) => !record.isMissing(entry));
  }

  get slots(): Readonly<Record<number, number>> {
    const loads = new Map(this.#members.map(({ record }) => [record.name, record.load]));
    return Object.fromEntries([...this.#chains.slotNames].map(([slot, name]) => [slot, loads.get(name) ?? 0]));
  }

  get failedDescriptions(): ReadonlyMap<number, PluginDescription> {
    return new Map(
      this.#members.flatMap(({ record: { load, description } }) =>
        description === undefined ? [] : [[load, description] as const],
      ),
    );
  }

  get records(): readonly PluginRecord[] {
    return this.#members.map(({ record }) => record);
  }

  /** True while it keeps an instance alive that no request will begin with any more. */
  get holdsReplaced(): boolean {
    return this.#members.some(({ pooled }) => pooled?.isDraining === true);
  }

  status(): readonly PluginStatus[] {
    const figures = new Map(this.figures().map((one) => [one.plugin, one]));
    return this.#members.map(({ record, entry }) => {
      const { failuresInARow = 0, state, reason } = figures.get(record.name) ?? {};
      const degraded = state === 'degraded' && reason !== undefined ? { degraded: reason } : {};
      return record.status({ entry, generation: this.id, failuresInARow, ...degraded });
    });
  }

  figures(): readonly PluginFigures[] {
    return this.#chains.figures();
  }

  comparisons(): readonly ShadowComparison[] {
    return this.#chains.comparisons();
  }

  retire(options: RetireOptions = {}): Promise<void> {
    return (this.#retiring ??= this.#retire(options.drainTimeoutMs ?? defaultDrainTimeoutMs));
  }

  async #retire(drainTimeoutMs: number): Promise<void> {
    const { pool, onRetiring, onRetired } = this.#options;
    onRetiring(this);
    const held = this.#members.flatMap(({ pooled }) => pooled ?? []);
    for (const pooled of held) pool.drain(pooled);
    if (this.#chains.inFlight > 0) {
      const { promise: deadline, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, drainTimeoutMs);
      await Promise.race([this.#chains.whenIdle(), deadline]);
      clearTimeout(timer);
    }
    for (const pooled of held.toReversed()) await pool.release(pooled);
    onRetired(this);
  }
}
