/** Makes loads: gives each its number and its plugin's memory, finds its artefact, starts what runs outside the serving threads. */
import { PluginError } from '@bifrost/sdk';
import type { PluginLog } from '@bifrost/sdk';
import { checkEntry } from '../check-entry.ts';
import type { ConfigViewName } from '../config-view.ts';
import type { PluginEntry, PluginIsolation } from '../plugin-entry.ts';
import type { ResolvedArtefact } from '../plugin-plan.ts';
import type { RemoteExit } from '../remote/remote-plugin.ts';
import { createSharedStateBuffer } from '../shared-state/layout.ts';
import type { PluginMemory } from '../store/plugin-memory.ts';
import { isSameLoad } from './is-same-load.ts';
import type { PluginSlot } from './managed-plugin.ts';
import { PluginLoad } from './plugin-load.ts';
import { RemoteLoads } from './remote-loads.ts';
import type { StartRemote } from './remote-load.ts';

export interface LoadMakerOptions {
  readonly log: PluginLog;
  readonly resolveArtefact?: (entry: PluginEntry, directory: string) => Promise<ResolvedArtefact | undefined>;
  readonly startRemote?: { readonly [Isolation in Exclude<PluginIsolation, 'inline'>]?: StartRemote };
  /** What plugins were at earlier starts. */
  readonly memory?: PluginMemory;
  /** What runs outside the serving threads has ended by itself. */
  readonly onExit: (load: PluginLoad, exit: RemoteExit) => void;
}

export class LoadMaker {
  readonly #options: LoadMakerOptions;
  /** By plugin: outlives its loads. */
  readonly #shared = new Map<string, SharedArrayBuffer>();
  /** By plugin: what it makes of configs, as its last load that served said. One that is switched off must not be shown more of. */
  readonly #configViews = new Map<string, readonly ConfigViewName[]>();
  /** What runs outside the serving threads. */
  readonly remotes: RemoteLoads = new RemoteLoads();

  constructor(options: LoadMakerOptions) {
    this.#options = options;
  }

  /** A load that has not begun; where the entry itself is wrong it has failed. `earlier`: names that are taken. */
  fresh(entry: PluginEntry, earlier: ReadonlySet<string> = new Set()): PluginSlot {
    const load = new PluginLoad(entry, this.#sharedOf(entry.name), this.#options.memory?.recall(entry.name));
    const fault = checkEntry(entry, earlier);
    if (fault !== undefined) load.fail(fault);
    return { entry, load };
  }

  /** The places of `entries` as the whole list: what is as it was in `earlier` keeps its load, all else is fresh. */
  slotsFor(
    entries: readonly PluginEntry[],
    earlier: readonly PluginSlot[],
  ): { readonly slots: readonly PluginSlot[]; readonly fresh: readonly PluginSlot[] } {
    const byName = new Map(earlier.map((slot) => [slot.entry.name, slot]));
    const names = new Set<string>();
    const fresh: PluginSlot[] = [];
    const slots = entries.map((entry) => {
      const before = byName.get(entry.name);
      const isKept = before !== undefined && before.load.isServing && isSameLoad(before.entry, entry);
      const slot = isKept && !names.has(entry.name) ? { entry, load: before.load } : this.fresh(entry, names);
      names.add(entry.name);
      if (slot.load !== before?.load) fresh.push(slot);
      return slot;
    });
    return { slots, fresh };
  }

  /** As `fresh`, for a candidate: `entry` has the name of the plugin that it may replace, and gets one of its own. */
  candidate(entry: PluginEntry, name: string): PluginSlot {
    const own = { ...entry, name };
    return { entry: own, load: new PluginLoad(own, this.#sharedOf(name)) };
  }

  /** The same place with a load that has not begun. */
  again({ entry, trial }: PluginSlot): PluginSlot {
    return trial === undefined ? this.fresh(entry) : { ...this.candidate(entry, entry.name), trial };
  }

  /** A load of its own number that says what its twin's failure was: the threads let the twin's instances go. */
  failedTwin({ entry, load, trial }: PluginSlot): PluginSlot {
    const twin = new PluginLoad(entry, this.#sharedOf(entry.name), this.#options.memory?.recall(entry.name));
    twin.description = load.description;
    twin.artefact = load.artefact;
    twin.hasServed = load.hasServed;
    if (load.failure !== undefined) twin.fail(load.failure);
    return { entry, load: twin, ...(trial === undefined ? {} : { trial }) };
  }

  /** Everything that comes before the serving threads load it. Rejects with what is wrong. */
  async begin({ entry, load }: PluginSlot, directory: string): Promise<void> {
    const { resolveArtefact, startRemote, log, onExit } = this.#options;
    const { isolation = 'inline', name } = entry;
    load.artefact = await resolveArtefact?.(entry, directory);
    load.loadedAt = Date.now();
    if (isolation === 'inline') return;
    const start = startRemote?.[isolation];
    if (start === undefined) {
      const message = `isolation "${isolation}" is not available here, and to run it less isolated is wrong`;
      throw new PluginError(name, message, { code: 'BF_PLUGIN_ISOLATION_UNAVAILABLE' });
    }
    const { artefact } = load;
    const shared = this.#sharedOf(name);
    const checked = artefact?.config === undefined ? entry : { ...entry, config: artefact.config };
    load.remote = this.remotes.create(load.load, {
      start: () => start({ entry: checked, artefact, load: load.load, log, shared, directory }),
      isPerThread: entry.instances === 'thread',
      onExit: (exit) => onExit(load, exit),
    });
    await load.remote.start();
    load.description = load.remote.description;
  }

  /** Takes over what loads have said of themselves. */
  note(slots: readonly PluginSlot[]): void {
    for (const { entry, load, trial } of slots) {
      const { description, isServing } = load;
      if (description === undefined) continue;
      this.#configViews.set(entry.name, description.configViews ?? []);
      if (isServing && trial === undefined) this.#options.memory?.note(entry.name, description);
    }
  }

  hasConfigView(name: string, view: ConfigViewName): boolean {
    return this.#configViews.get(name)?.includes(view) === true;
  }

  #sharedOf(name: string): SharedArrayBuffer {
    let shared = this.#shared.get(name);
    if (shared === undefined) this.#shared.set(name, (shared = createSharedStateBuffer()));
    return shared;
  }
}
