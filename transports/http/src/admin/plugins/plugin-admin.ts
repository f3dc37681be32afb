/**
 * Changes to plugins at run time. Each is prepared in all serving threads, then kept in the store, and serves then: what fails in the
 * threads is not stored, and what cannot be stored never serves, so a failed change changes nothing.
 */
import { GatewayError, isJsonObject } from '@bifrost/sdk';
import type { JsonObject, PluginLog } from '@bifrost/sdk';
import type { ParsedPluginEntry } from '@bifrost/framework/config';
import { isSameLoad, pluginNotFound } from '@bifrost/framework/plugin-manager';
import type { PluginStore, StoredPlugin } from '@bifrost/framework/admin';
import type { ManagedPlugin, PluginManager, PluginPlace, PluginTotals } from '@bifrost/framework/plugin-manager';
import type { PluginEntry } from '@bifrost/framework/plugins';
import type { ConfigViews } from './config-views.ts';
import { EntryKeeper } from './entry-keeper.ts';
import { changesBeyondPlace, freeNameOf, inPlaceOf, invalid, mergeEntry, nameOf } from './entry-patch.ts';
import { TrialDesk } from './trial-desk.ts';
import type { TrialRequest } from './trial-request.ts';
import type { RunningTrial } from './trial-view.ts';

export interface PluginAdminOptions {
  readonly manager: PluginManager;
  readonly store: PluginStore;
  /** The entries of the configuration file, as written. */
  readonly fileEntries: readonly JsonObject[];
  /** The entries in force, as written. */
  readonly entries: readonly JsonObject[];
  /** What the store holds. */
  readonly stored: readonly StoredPlugin[];
  readonly parseEntry: (file: JsonObject) => ParsedPluginEntry;
  readonly views: ConfigViews;
  readonly log: Pick<PluginLog, 'error'>;
}

export class PluginAdmin {
  readonly #options: PluginAdminOptions;
  readonly #keeper: EntryKeeper;
  readonly #trials: TrialDesk;
  #work: Promise<void> = Promise.resolve();
  #isHeld = false;

  constructor(options: PluginAdminOptions) {
    this.#options = options;
    const byName = (files: readonly JsonObject[]): ReadonlyMap<string, JsonObject> =>
      new Map(files.map((file) => [nameOf(file), file]));
    this.#keeper = new EntryKeeper({
      store: options.store,
      fileEntries: byName(options.fileEntries),
      entries: byName(options.entries),
      stored: options.stored,
      toStored: (name, config) => options.views.toStored(name, config),
    });
    this.#trials = new TrialDesk({
      manager: options.manager,
      parse: (file) => this.#parse(file),
      get: (name) => this.get(name),
    });
    options.manager.onRolledBack((entry) => void this.#enqueue(() => this.#keepRolledBack(entry)));
  }

  /** The entry as it is written; undefined where there is none of that name. */
  fileOf(name: string): JsonObject | undefined {
    return this.#keeper.fileOf(name);
  }

  /** All plugins, asked for now. */
  list(): Promise<readonly ManagedPlugin[]> {
    return this.#options.manager.refresh();
  }

  /** What the plugins' calls came to since the start, asked for now. */
  totals(): Promise<PluginTotals> {
    return this.#options.manager.totals();
  }

  /** Throws GatewayError 404. */
  async get(name: string): Promise<ManagedPlugin> {
    const plugins = await this.list();
    const plugin = plugins.find((one) => one.name === name);
    if (plugin !== undefined) return plugin;
    throw pluginNotFound(
      name,
      plugins.map((one) => one.name),
    );
  }

  /** Rejects with 409 where there is one of that name, 400 where the entry is wrong, 422 where it cannot be loaded. */
  create(file: JsonObject): Promise<ManagedPlugin> {
    return this.#change(async () => {
      const name = freeNameOf(file);
      return this.#options.manager.add(this.#parse(file), { keep: () => this.#keep(name, file) });
    });
  }

  /** Members that are left out stay as they were; null takes one away. */
  update(name: string, patch: JsonObject): Promise<ManagedPlugin> {
    return this.#change(async () => {
      const before = this.#fileOf(name);
      if (patch['name'] !== undefined && patch['name'] !== name)
        throw invalid(`name: a plugin keeps its name ("${name}"); add it anew under another one, and remove this`);
      const wanted = { ...(await this.#patched(name, before, patch)), name };
      return this.#replace(name, wanted);
    });
  }

  remove(name: string): Promise<void> {
    return this.#change(async () => {
      this.#fileOf(name);
      await this.#options.manager.remove(name, { keep: () => this.#keep(name, undefined) });
      this.#trials.forget(name);
    });
  }

  reload(name: string): Promise<ManagedPlugin> {
    return this.#change(() => {
      this.#fileOf(name);
      return this.#options.manager.reload(name);
    });
  }

  /** Moves plugins to other places; those that are not named stay. */
  setSequence(places: readonly PluginPlace[]): Promise<readonly ManagedPlugin[]> {
    return this.#change(async () => {
      const files = new Map(places.map(({ name, ...place }) => [name, { ...this.#fileOf(name), ...place }]));
      if (files.size < places.length) throw invalid('a plugin is named twice: each has one place');
      for (const file of files.values()) this.#parse(file);
      return this.#options.manager.setSequence(places, { keep: () => this.#keeper.keep(files) });
    });
  }

  /**
   * Loads a candidate for the plugin's place beside it. Rejects with 409 where the plugin does not serve, with 422 where the candidate
   * cannot be loaded. It is not stored: after a restart it is gone.
   */
  beginTrial(name: string, request: TrialRequest): Promise<RunningTrial> {
    return this.#change(async () => {
      const before = this.#fileOf(name);
      // Another share or kind is that of the candidate that is there.
      const current = Object.keys(request.patch).length === 0 ? this.#trials.find(name) : undefined;
      const wanted = current?.wanted ?? { ...(await this.#patched(name, before, request.patch)), name };
      const { state } = await this.get(name);
      if (state !== 'active' && state !== 'degraded') {
        throw new GatewayError(
          `plugin "${name}" does not serve (${state}): there is nothing to try a candidate against`,
          {
            code: 'BF_ADMIN_TRIAL_REFUSED',
            statusCode: 409,
          },
        );
      }
      const totalsBefore = await this.totals();
      const startedAt = Date.now();
      await this.#trials.stage(name, { request, wanted, besides: current?.besides ?? before, startedAt, totalsBefore });
      return this.#trials.trial(name);
    });
  }

  /** Rejects with 404 where there is no trial. */
  trial(name: string): Promise<RunningTrial> {
    return this.#enqueue(() => this.#trials.trial(name));
  }

  /** The candidate takes the plugin's place, in one swap, and is stored. */
  promoteTrial(name: string): Promise<ManagedPlugin> {
    return this.#change(async () => {
      const staged = (await this.#trials.trial(name)) && this.#trials.stagedOf(name);
      const before = this.#fileOf(name);
      const changed = changesBeyondPlace(staged.besides, before);
      if (changed.length > 0) {
        const what = `${changed.join(', ')} of plugin "${name}" ${changed.length === 1 ? 'was' : 'were'} changed since the candidate was staged, which it was not tried with`;
        throw new GatewayError(`${what}: stage it again`, { code: 'BF_ADMIN_TRIAL_STALE', statusCode: 409 });
      }
      const wanted = inPlaceOf(before, staged.wanted);
      const keep = (): Promise<void> => this.#keep(name, wanted);
      const promoted = await this.#options.manager.promoteCandidate(name, { keep });
      this.#trials.forget(name);
      return promoted;
    });
  }

  /** The plugin has all requests again. */
  abortTrial(name: string): Promise<void> {
    return this.#change(async () => {
      await this.#trials.trial(name);
      await this.#options.manager.abortCandidate(name);
      this.#trials.forget(name);
    });
  }

  async #replace(name: string, wanted: JsonObject): Promise<ManagedPlugin> {
    const { manager } = this.#options;
    const updated = await manager.update(this.#parse(wanted), { keep: () => this.#keep(name, wanted) });
    // A plugin that is off has no share to give.
    if (wanted['enabled'] === false && this.#trials.candidateOf(name) !== undefined) await manager.abortCandidate(name);
    if (wanted['enabled'] === false) this.#trials.forget(name);
    return updated;
  }

  /** The version before serves again: what is shown, changed and started next time is that one. */
  async #keepRolledBack(entry: PluginEntry): Promise<void> {
    const { name } = entry;
    const [current, earlier] = [this.#keeper.fileOf(name), this.#keeper.earlierFileOf(name)];
    const isIt = (file: JsonObject): boolean => isSameLoad(this.#parse(file), entry);
    // Loaded anew with the same entry: it is the file on disk that has failed.
    if (current === undefined || earlier === undefined || isIt(current) || !isIt(earlier)) return;
    await this.#keep(name, earlier).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      this.#options.log.error(
        `plugin ${name} is rolled back, and a restart would bring the failed version back: ${why}`,
      );
    });
  }

  async #patched(name: string, before: JsonObject, patch: JsonObject): Promise<JsonObject> {
    const given = patch['config'];
    if (!isJsonObject(given)) return mergeEntry(before, patch);
    const stored = isJsonObject(before['config']) ? before['config'] : {};
    const { config, missing } = await this.#options.views.restored(name, given, stored);
    if (missing.length > 0) {
      throw invalid(
        `${missing.join(' and ')}: this is the mask that a secret is shown as, and there is none to put back; give the value`,
      );
    }
    return mergeEntry(before, { ...patch, config });
  }

  #parse(file: JsonObject): PluginEntry {
    const parsed = this.#options.parseEntry(file);
    if ('entry' in parsed) return parsed.entry;
    throw invalid(
      parsed.problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; '),
    );
  }

  #fileOf(name: string): JsonObject {
    const file = this.#keeper.fileOf(name);
    if (file !== undefined) return file;
    throw pluginNotFound(
      name,
      this.#options.manager.entries.map((entry) => entry.name),
    );
  }

  #keep(name: string, file: JsonObject | undefined): Promise<void> {
    return this.#keeper.keep(new Map([[name, file]]));
  }

  /**
   * Refuses changes from now on, as another process takes over that reads the store by itself; resolves when the last one has been made. For a
   * process that goes on after all: `isHeld` false.
   */
  hold(isHeld: boolean): Promise<void> {
    this.#isHeld = isHeld;
    return this.#work;
  }

  /** One that somebody asks for. */
  #change<Result>(change: () => Promise<Result>): Promise<Result> {
    if (!this.#isHeld) return this.#enqueue(change);
    const message = 'another process is taking over from this one: make the change again in a moment, it answers then';
    return Promise.reject(new GatewayError(message, { code: 'BF_ADMIN_HANDING_OVER', statusCode: 503 }));
  }

  /** One change after the other: each begins on what the one before has left. */
  #enqueue<Result>(change: () => Promise<Result>): Promise<Result> {
    const running = this.#work.then(change);
    this.#work = running.then(
      () => undefined,
      () => undefined,
    );
    return running;
  }
}
