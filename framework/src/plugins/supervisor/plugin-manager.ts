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
import type { PluginFigures, ShadowComparison } from '@bifrost/core';
import type { JsonObject } from '@bifrost/sdk';
import type { ConfigViewName } from '../config-view.ts';
import type { PluginEntry, PluginIsolation } from '../plugin-entry.ts';
import type { InstanceCounts } from '../plugin-plan.ts';
import { AskedChanges } from './asked-changes.ts';
import { askForConfigView } from './ask-for-config-view.ts';
import { CandidateChanges } from './candidate-changes.ts';
import { ChangeQueue } from './change-queue.ts';
import { isSameLoad } from './is-same-load.ts';
import { LoadMaker } from './load-maker.ts';
import { ManagerView } from './manager-view.ts';
import type { PluginTotals } from './manager-view.ts';
import type { ManagedPlugin } from './managed-plugin.ts';
import type {
  CandidateTrial,
  ChangeOptions,
  LoadSettings,
  PluginManagerOptions,
  PluginPlace,
} from './plugin-manager-options.ts';
import { Probation } from './probation.ts';
import { RemoteRestarts } from './remote-restarts.ts';
import { SlotChanges } from './slot-changes.ts';
import { UnaskedChanges } from './unasked-changes.ts';

export class PluginManager {
  readonly #options: PluginManagerOptions;
  readonly #view: ManagerView;
  readonly #probation: Probation;
  readonly #restarts: RemoteRestarts;
  readonly #maker: LoadMaker;
  readonly #changes: SlotChanges;
  readonly #asked: AskedChanges;
  readonly #candidates: CandidateChanges;
  readonly #unasked: UnaskedChanges;
  readonly #queue = new ChangeQueue();
  readonly #rollbackListeners = new Set<(entry: PluginEntry) => void>();
  #refreshTimer: NodeJS.Timeout | undefined;

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
      hasGone: () => this.#changes.hasGone,
      remotes: this.#maker.remotes,
      maxStaleModules: options.maxStaleModules ?? 10,
      blame: (load, what) => this.#unasked.blame(load, what),
    });
    this.#probation = new Probation({
      limits: options.probation ?? {},
      collect: () => this.#view.collect(),
      rollBack: (slot, reason) => this.#enqueue(() => this.#unasked.rollBack(slot, reason)),
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
    const parts = { changes: this.#changes, maker: this.#maker, view: this.#view };
    this.#candidates = new CandidateChanges(parts);
    this.#unasked = new UnaskedChanges({
      ...parts,
      log,
      enqueue: (change) => this.#enqueue(change),
      onRolledBack: (entry) => this.#rollbackListeners.forEach((tell) => tell(entry)),
    });
    this.#restarts = new RemoteRestarts({
      limits: options.restarts ?? {},
      restart: (load) => this.#enqueue(() => this.#unasked.restart(load)),
      quarantine: (name, reason) => void this.quarantine(name, reason),
      say: (name, remark) => this.#view.remark(name, remark),
    });
    this.#asked = new AskedChanges({ ...parts, restarts: this.#restarts });
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

  /** As `askForConfigView`. */
  viewConfig(name: string, view: ConfigViewName, config: JsonObject): Promise<JsonObject | undefined> {
    const { group } = this.#options;
    return askForConfigView({ group, changes: this.#changes, maker: this.#maker }, { plugin: name, view, config });
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

  /** Told of each entry that serves again, as the version that replaced it failed. */
  onRolledBack(listener: (entry: PluginEntry) => void): void {
    this.#rollbackListeners.add(listener);
  }

  /**
   * Makes `entries` the whole list. Entries that are as before keep their instances. At the start a plugin that fails is a status,
   * and the others are loaded, unless it is `required`; later a failure of one that is new or changed rejects.
   */
  load(entries: readonly PluginEntry[], { directory, settings }: LoadSettings = {}): Promise<void> {
    return this.#enqueue(async () => {
      const isFirst = this.generation === 0;
      if (directory !== undefined) this.#changes.directory = directory;
      await this.#changes.make({
        ...this.#maker.slotsFor(entries, this.#changes.slots),
        onFailure: isFirst ? 'record' : 'abort',
        ...(settings === undefined ? {} : { settings }),
      });
      this.#refreshTimer ??= setInterval(() => void this.#view.collect(), this.#options.refreshEveryMs ?? 2000).unref();
    });
  }

  /** Loads one more plugin. Rejects with `BF_PLUGIN_EXISTS` where there is one of that name. */
  add(entry: PluginEntry, options: ChangeOptions = {}): Promise<ManagedPlugin> {
    return this.#enqueue(() => this.#asked.add(entry, options));
  }

  /** Puts `entry` in the place of the entry of its name; loads anew where more than its place differs. */
  update(entry: PluginEntry, options: ChangeOptions = {}): Promise<ManagedPlugin> {
    return this.#enqueue(() =>
      this.#asked.replace(entry, { ...options, isFresh: (before) => !isSameLoad(before, entry) }),
    );
  }

  /** Loads the plugin anew from its artefact, though nothing of its entry has changed. */
  reload(name: string): Promise<ManagedPlugin> {
    return this.#enqueue(() => this.#asked.replace(this.#changes.slotOf(name).entry));
  }

  setIsolation(name: string, isolation: PluginIsolation): Promise<ManagedPlugin> {
    return this.#enqueue(() => this.#asked.replace({ ...this.#changes.slotOf(name).entry, isolation }));
  }

  /** Takes a plugin out; its requests under way end with it. */
  remove(name: string, options: ChangeOptions = {}): Promise<void> {
    return this.#enqueue(async () => {
      await this.#asked.remove(name, options);
      this.#options.memory?.forget(name);
    });
  }

  /** Moves plugins to other places; no instance is touched. Those that are not named stay. */
  setSequence(places: readonly PluginPlace[], options: ChangeOptions = {}): Promise<readonly ManagedPlugin[]> {
    return this.#enqueue(() => this.#asked.setSequence(places, options));
  }

  /**
   * Puts another version of the plugin on trial, under the name `NAME@candidate`: as a canary it takes its share of the requests in
   * the place of the plugin, as a shadow it runs on copies and is compared (`comparisons`). A candidate before it goes; one that
   * differs in share or kind only keeps its instances. Its state is its own. The next `load` of all entries drops it.
   */
  stageCandidate(entry: PluginEntry, trial: CandidateTrial): Promise<ManagedPlugin> {
    return this.#enqueue(() => this.#candidates.stage(entry, trial));
  }

  /** The candidate's entry takes the place of the plugin's: loaded anew under the plugin's name, with a probation as any new version. */
  promoteCandidate(name: string, options: ChangeOptions = {}): Promise<ManagedPlugin> {
    return this.#enqueue(() => this.#candidates.promote(name, options));
  }

  /** Ends the trial; the plugin serves all requests again. */
  abortCandidate(name: string): Promise<void> {
    return this.#enqueue(() => this.#candidates.abort(name));
  }

  /** How the decisions of the shadows that are under way compare since the start, in all threads. */
  comparisons(): Promise<readonly ShadowComparison[]> {
    return this.#candidates.comparisons();
  }

  /**
   * Keeps the plugin from being called any more, for a reason that becomes its status; a guard refuses what it would have seen.
   * Threads that start from now on do without it; the others lose it as soon as the change before has ended.
   */
  quarantine(name: string, reason: string): Promise<void> {
    return this.#unasked.quarantine(name, reason);
  }

  /** Ends what runs outside the serving threads, which are ended before. */
  async close(): Promise<void> {
    const worked = this.#queue.close();
    clearInterval(this.#refreshTimer);
    this.#probation.stop();
    this.#restarts.stop();
    await worked;
    await this.#maker.remotes.close();
  }

  #enqueue<Result>(change: () => Promise<Result>): Promise<Result> {
    return this.#queue.add(change);
  }
}
