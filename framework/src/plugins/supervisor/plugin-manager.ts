/**
 * The plugins of the whole process, steered from the main thread. It holds the list of entries that is wanted, makes one change
 * at a time, and brings each into all serving threads at once:
 *
 *   const manager = new PluginManager({ group, log, startRemote, resolveArtefact });
 *   await manager.load(config.plugins, { directory });        // at the start, and for a whole new configuration
 *   await manager.add(entry);  await manager.update(entry);  await manager.remove(name);
 *   await manager.reload(name);  await manager.setIsolation(name, 'process');  await manager.setSequence(places);
 *   manager.list();  await manager.refresh();                 // ManagedPlugin[]: as last seen, or asked for now
 *
 * A change that fails rejects with GatewayError and changes nothing: the plugins before it serve on, and the status of the plugin
 * has `lastError`. Instances of plugins that a change does not name are left alone. After a swap the version before is held in
 * reserve for a while (Probation); what ends by itself is started again (RemoteRestarts).
 */
import type { PluginFigures, PluginPlacement, ShadowComparison } from '@bifrost/core';
import { GatewayError } from '@bifrost/sdk';
import type { JsonObject, PluginLog } from '@bifrost/sdk';
import { checkEntry } from '../check-entry.ts';
import { configViewFailed } from '../config-view.ts';
import type { ConfigViewName } from '../config-view.ts';
import type { PluginEntry, PluginIsolation } from '../plugin-entry.ts';
import type { InstanceCounts, ResolvedArtefact } from '../plugin-plan.ts';
import type { PluginMemory } from '../store/plugin-memory.ts';
import { isSameLoad, overLivingOf } from './is-same-load.ts';
import { LoadMaker } from './load-maker.ts';
import { ManagerView } from './manager-view.ts';
import type { PluginTotals } from './manager-view.ts';
import type { ManagedPlugin, PluginSlot } from './managed-plugin.ts';
import type { PluginLoad } from './plugin-load.ts';
import { Probation } from './probation.ts';
import type { ProbationLimits } from './probation.ts';
import type { StartRemote } from './remote-load.ts';
import { SlotChanges } from './slot-changes.ts';
import { RemoteRestarts } from './remote-restarts.ts';
import type { RestartLimits } from './remote-restarts.ts';
import type { ThreadGroup } from './thread-group.ts';

export interface PluginManagerOptions {
  readonly group: ThreadGroup;
  /** Gets the lines that people look for: `Plugin loaded successfully: NAME`, `plugin status: NAME - STATUS`. */
  readonly log: PluginLog;
  /** Where relative paths start. @default the working directory */
  readonly directory?: string;
  /** Finds and checks an entry's artefact before any of its code runs. @default serving threads resolve paths of modules */
  readonly resolveArtefact?: (entry: PluginEntry, directory: string) => Promise<ResolvedArtefact | undefined>;
  /** How plugins outside the serving threads are started; an isolation without one is refused. */
  readonly startRemote?: { readonly [Isolation in Exclude<PluginIsolation, 'inline'>]?: StartRemote };
  /** What plugins were at earlier starts, for those that cannot be loaded. @default nothing is known of them */
  readonly memory?: PluginMemory;
  readonly probation?: ProbationLimits;
  readonly restarts?: RestartLimits;
  /** Modules of replaced plugins from which on a serving thread is recycled; its code goes back with it. @default 10 */
  readonly maxStaleModules?: number;
  /** How long threads may take to prepare a change, beside the plugins' own deadlines. @default 45000 */
  readonly prepareWithinMs?: number;
  /** How often threads are asked how their plugins do. @default 2000 */
  readonly refreshEveryMs?: number;
}

export interface LoadSettings {
  /** Where relative paths start from now on. @default as before */
  readonly directory?: string;
  /** What the group changes together with the plugins. */
  readonly settings?: object;
}

/** A plugin's place among the others. */
export interface PluginPlace {
  readonly name: string;
  readonly placement?: PluginPlacement;
  readonly order?: number;
}

/** How a candidate is tried. */
export interface CandidateTrial {
  readonly kind: 'canary' | 'shadow';
  /** Of the requests, 0 to 1. */
  readonly share: number;
}

/** The name under which the candidate for a plugin's place is listed. */
export function candidateName(name: string): string {
  return `${name}@candidate`;
}

export class PluginManager {
  readonly #options: PluginManagerOptions;
  readonly #view: ManagerView;
  readonly #probation: Probation;
  readonly #restarts: RemoteRestarts;
  readonly #maker: LoadMaker;
  readonly #changes: SlotChanges;
  #work: Promise<void> = Promise.resolve();
  #refreshTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: PluginManagerOptions) {
    const { group, log } = options;
    this.#options = options;
    this.#maker = new LoadMaker({
      log,
      ...(options.resolveArtefact === undefined ? {} : { resolveArtefact: options.resolveArtefact }),
      ...(options.startRemote === undefined ? {} : { startRemote: options.startRemote }),
      ...(options.memory === undefined ? {} : { memory: options.memory }),
      onExit: (load, exit) => {
        load.isAway = true;
        if (this.#changes.find(load.name)?.load === load) this.#restarts.exited(load, exit);
      },
    });
    this.#view = new ManagerView({
      group,
      log,
      slots: () => this.#changes.slots,
      remotes: this.#maker.remotes,
      maxStaleModules: options.maxStaleModules ?? 10,
      blame: (load, what) => this.#blame(load, what),
    });
    this.#probation = new Probation({
      limits: options.probation ?? {},
      collect: () => this.#view.collect(),
      rollBack: (slot, reason) => this.#enqueue(() => this.#rollBack(slot, reason)),
      settle: () => void this.#enqueue(async () => this.#changes.settle()),
    });
    this.#changes = new SlotChanges({
      group,
      maker: this.#maker,
      view: this.#view,
      probation: this.#probation,
      directory: options.directory ?? process.cwd(),
      prepareWithinMs: options.prepareWithinMs ?? 45_000,
    });
    this.#restarts = new RemoteRestarts({
      limits: options.restarts ?? {},
      restart: (load) => this.#enqueue(() => this.#restart(load)),
      quarantine: (name, reason) => void this.quarantine(name, reason),
      say: (name, remark) => this.#view.remark(name, remark),
    });
    group.observe(this.#view);
  }

  /** Number of the generation that serves. */
  get generation(): number {
    return this.#view.generation;
  }

  /** Where relative paths start. */
  get directory(): string {
    return this.#changes.directory;
  }

  /** The entries that serve, or would if they could, in their order. */
  get entries(): readonly PluginEntry[] {
    return this.#changes.slots.filter(({ trial }) => trial === undefined).map(({ entry }) => entry);
  }

  /** Instances begun and ended since the start: in all threads, also those that have ended, and outside of them. */
  get counts(): InstanceCounts {
    return this.#view.counts;
  }

  /** The JSON Schema of the plugin's config, where its manifest has one. */
  configSchemaOf(name: string): JsonObject | undefined {
    return this.#changes.find(name)?.load.artefact?.manifest?.configSchema;
  }

  /**
   * What the plugin itself makes of a config: what is stored, or shown, of it. Undefined where it has no such function. Rejects with
   * PluginError where it has one that fails, or cannot be asked.
   */
  async viewConfig(name: string, view: ConfigViewName, config: JsonObject): Promise<JsonObject | undefined> {
    const load = this.#changes.find(name)?.load;
    if (load === undefined || !this.#maker.hasConfigView(name, view)) return undefined;
    if (!load.isServing || load.isAway) throw configViewFailed(name, view, 'cannot be asked: it does not serve');
    if (load.remote !== undefined) return load.remote.viewConfig(view, config);
    return this.#options.group.viewConfig(load.load, { plugin: name, view, config });
  }

  /** All plugins as last seen. */
  list(): readonly ManagedPlugin[] {
    return this.#view.list();
  }

  /** All plugins, asked for now. */
  async refresh(): Promise<readonly ManagedPlugin[]> {
    await this.#view.collect();
    return this.#view.list();
  }

  /** Calls, errors, times by plugin and hook since the start, over all threads and loads. */
  async figures(): Promise<readonly PluginFigures[]> {
    return (await this.#view.totals()).figures;
  }

  /** The same, and how shadows compare. */
  totals(): Promise<PluginTotals> {
    return this.#view.totals();
  }

  /** Told after every change of what `list` says. Returns how to stop that. */
  onChange(listener: () => void): () => void {
    return this.#view.onChange(listener);
  }

  /**
   * Makes `entries` the whole list. Entries that are as before keep their instances. At the start a plugin that fails is a status,
   * and the others are loaded, unless it is `required`; later a failure of one that is new or changed rejects.
   */
  load(entries: readonly PluginEntry[], { directory, settings }: LoadSettings = {}): Promise<void> {
    return this.#enqueue(async () => {
      const isFirst = this.generation === 0;
      if (directory !== undefined) this.#changes.directory = directory;
      const earlier = new Map(this.#changes.slots.map((slot) => [slot.entry.name, slot]));
      const names = new Set<string>();
      const fresh: PluginSlot[] = [];
      const slots = entries.map((entry) => {
        const before = earlier.get(entry.name);
        const isKept = before !== undefined && before.load.isServing && isSameLoad(before.entry, entry);
        const slot = isKept && !names.has(entry.name) ? { entry, load: before.load } : this.#maker.fresh(entry, names);
        names.add(entry.name);
        if (slot.load !== before?.load) fresh.push(slot);
        return slot;
      });
      await this.#changes.make({
        slots,
        fresh,
        onFailure: isFirst ? 'record' : 'abort',
        ...(settings === undefined ? {} : { settings }),
      });
      this.#refreshTimer ??= setInterval(() => void this.#view.collect(), this.#options.refreshEveryMs ?? 2000).unref();
    });
  }

  /** Loads one more plugin. Rejects with `BF_PLUGIN_EXISTS` where there is one of that name. */
  add(entry: PluginEntry): Promise<ManagedPlugin> {
    return this.#enqueue(async () => {
      if (this.#changes.find(entry.name) !== undefined)
        throw new GatewayError(`there is a plugin "${entry.name}" already; update it, or give another name`, {
          code: 'BF_PLUGIN_EXISTS',
          statusCode: 409,
        });
      const slot = this.#maker.fresh(entry);
      await this.#changes.makeFor(entry.name, {
        slots: [...this.#changes.slots, slot],
        fresh: [slot],
        onFailure: 'abort',
      });
      return this.#view.describe(slot);
    });
  }

  /** Puts `entry` in the place of the entry of its name; loads anew where more than its place differs. */
  update(entry: PluginEntry): Promise<ManagedPlugin> {
    return this.#enqueue(() => this.#replace(entry, (before) => !isSameLoad(before, entry)));
  }

  /** Loads the plugin anew from its artefact, though nothing of its entry has changed. */
  reload(name: string): Promise<ManagedPlugin> {
    return this.#enqueue(() => this.#replace(this.#changes.slotOf(name).entry, () => true));
  }

  setIsolation(name: string, isolation: PluginIsolation): Promise<ManagedPlugin> {
    return this.#enqueue(() => this.#replace({ ...this.#changes.slotOf(name).entry, isolation }, () => true));
  }

  /** Takes a plugin out; its requests under way end with it. */
  remove(name: string): Promise<void> {
    return this.#enqueue(async () => {
      const gone = this.#changes.slotOf(name);
      await this.#changes.make({
        slots: this.#changes.slots.filter((slot) => slot !== gone && slot.trial?.of !== name),
        fresh: [],
        onFailure: 'abort',
      });
      this.#view.forget(name);
      this.#restarts.forget(name);
      this.#options.memory?.forget(name);
    });
  }

  /** Moves plugins to other places; no instance is touched. Those that are not named stay. */
  setSequence(places: readonly PluginPlace[]): Promise<readonly ManagedPlugin[]> {
    return this.#enqueue(async () => {
      for (const { name } of places) this.#changes.slotOf(name);
      const slots = this.#changes.slots.map((slot) => {
        const place = places.find(({ name }) => name === slot.entry.name);
        return { ...slot, entry: { ...slot.entry, ...place } };
      });
      for (const { entry, trial } of slots) if (trial === undefined) throwIfWrong(entry);
      await this.#changes.make({ slots, fresh: [], onFailure: 'abort' });
      return this.list();
    });
  }

  /**
   * Puts another version of the plugin on trial, under the name `NAME@candidate`: as a canary it takes its share of the requests in
   * the place of the plugin, as a shadow it runs on copies and is compared (`comparisons`). A candidate before it goes; one that
   * differs in share or kind only keeps its instances. Its state is its own. The next `load` of all entries drops it.
   */
  stageCandidate(entry: PluginEntry, trial: CandidateTrial): Promise<ManagedPlugin> {
    return this.#enqueue(async () => {
      const { name } = entry;
      this.#changes.slotOf(name);
      throwIfWrong(entry);
      const before = this.#changes.find(candidateName(name));
      const own = { ...entry, name: candidateName(name) };
      const isKept = before !== undefined && before.load.isServing && isSameLoad(before.entry, own);
      const made = isKept ? before : this.#maker.candidate(entry, own.name);
      const slot: PluginSlot = { entry: own, load: made.load, trial: { ...trial, of: name } };
      const slots = [...this.#changes.slots.filter((one) => one !== before), slot];
      await this.#changes.makeFor(own.name, { slots, fresh: isKept ? [] : [slot], onFailure: 'abort' });
      return this.#view.describe(slot);
    });
  }

  /** The candidate's entry takes the place of the plugin's: loaded anew under the plugin's name, with a probation as any new version. */
  promoteCandidate(name: string): Promise<ManagedPlugin> {
    return this.#enqueue(async () => {
      const before = this.#changes.slotOf(name);
      const candidate = this.#changes.slotOf(candidateName(name));
      const slot = this.#maker.fresh({ ...candidate.entry, ...overLivingOf(before.entry), name });
      const slots = this.#changes.slots.filter((one) => one !== candidate).map((one) => (one === before ? slot : one));
      await this.#changes.makeFor(name, { slots, fresh: [slot], onFailure: 'abort', replaces: before });
      this.#view.forget(candidateName(name));
      return this.#view.describe(slot);
    });
  }

  /** Ends the trial; the plugin serves all requests again. */
  abortCandidate(name: string): Promise<void> {
    return this.#enqueue(async () => {
      const candidate = this.#changes.slotOf(candidateName(name));
      await this.#changes.make({
        slots: this.#changes.slots.filter((one) => one !== candidate),
        fresh: [],
        onFailure: 'abort',
      });
      this.#view.forget(candidateName(name));
    });
  }

  /** How the decisions of the shadows that are under way compare since the start, in all threads. */
  async comparisons(): Promise<readonly ShadowComparison[]> {
    const { comparisons } = await this.#view.totals();
    return comparisons.filter(({ candidate }) => this.#changes.find(candidate)?.trial?.kind === 'shadow');
  }

  /**
   * Keeps the plugin from being called any more, for a reason that becomes its status; a guard refuses what it would have seen.
   * Threads that start from now on do without it; the others lose it as soon as the change before has ended.
   */
  quarantine(name: string, reason: string): Promise<void> {
    const slot = this.#changes.find(name);
    if (slot === undefined || !slot.load.isServing) return Promise.resolve();
    slot.load.fail({ message: `it is quarantined: ${reason}`, code: 'BF_PLUGIN_QUARANTINED' });
    this.#options.log.error(`plugin ${name} is quarantined: ${reason}`, { plugin: name });
    this.#view.changed();
    return this.#enqueue(async () => {
      const before = this.#changes.find(name);
      // By now another load may be in its place, or none.
      if (before?.load !== slot.load) return;
      const failed = this.#maker.failedTwin(before);
      await this.#changes.make({
        slots: this.#changes.slots.map((one) => (one === before ? failed : one)),
        fresh: [],
        onFailure: 'abort',
      });
      // Threads that start do without it in any case.
    }).catch((error: unknown) => this.#view.failed(name, error));
  }

  /** Ends what runs outside the serving threads, which are ended before. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#refreshTimer);
    this.#probation.stop();
    this.#restarts.stop();
    await this.#work;
    await this.#maker.remotes.close();
  }

  #enqueue<Result>(operation: () => Promise<Result>): Promise<Result> {
    const running = this.#work.then(() => {
      if (this.#isClosed)
        throw new GatewayError('the gateway is shutting down', { code: 'BF_PLUGIN_CLOSING', statusCode: 503 });
      return operation();
    });
    this.#work = running.then(
      () => undefined,
      () => undefined,
    );
    return running;
  }

  async #replace(entry: PluginEntry, isFresh: (before: PluginEntry) => boolean): Promise<ManagedPlugin> {
    const before = this.#changes.slotOf(entry.name);
    throwIfWrong(entry);
    const isNew = isFresh(before.entry) || (!before.load.isServing && entry.enabled);
    const slot = isNew ? this.#maker.fresh(entry) : { entry, load: before.load };
    const slots = this.#changes.slots.map((one) => (one === before ? slot : one));
    await this.#changes.makeFor(entry.name, {
      slots,
      fresh: isNew ? [slot] : [],
      onFailure: 'abort',
      ...(isNew ? { replaces: before } : {}),
    });
    if (isNew) this.#restarts.forget(entry.name);
    return this.#view.describe(slot);
  }

  /** A load has blocked or ended a thread: it is not called again. One that only requests under way hold is named, no more. */
  #blame(number: number, what: string): string | undefined {
    const isIt = ({ load }: PluginSlot): boolean => load.load === number;
    const loading = this.#changes.underWay.find(isIt);
    if (loading !== undefined) loading.load.fail({ message: `it ${what}`, code: 'BF_PLUGIN_QUARANTINED' });
    const slot = loading ?? [...this.#changes.slots, ...this.#changes.reserve].find(isIt);
    if (slot !== undefined && this.#changes.slots.includes(slot)) void this.quarantine(slot.entry.name, `it ${what}`);
    return slot?.entry.name;
  }

  async #restart(load: PluginLoad): Promise<void> {
    const before = this.#changes.find(load.name);
    if (before?.load !== load) return;
    const slot = this.#maker.again(before);
    const slots = this.#changes.slots.map((one) => (one === before ? slot : one));
    await this.#changes.make({ slots, fresh: [slot], onFailure: 'abort' });
    this.#view.remark(load.name, undefined);
  }

  async #rollBack(failed: PluginSlot, reason: string): Promise<void> {
    const { name } = failed.entry;
    const before = this.#changes.reserve.find(({ entry }) => entry.name === name);
    if (this.#changes.find(name)?.load !== failed.load || before === undefined) return;
    const slots = this.#changes.slots.map((one) => (one.entry.name === name ? before : one));
    await this.#changes.make({ slots, fresh: [], onFailure: 'abort' });
    this.#options.log.warn(`plugin ${name} is rolled back to the version before: ${reason}`, { plugin: name });
    this.#view.remark(name, `rolled back: ${reason}`);
  }
}

function throwIfWrong(entry: PluginEntry): void {
  const fault = checkEntry(entry, new Set());
  if (fault !== undefined) throw fault;
}
