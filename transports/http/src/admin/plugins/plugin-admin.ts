/**
 * Changes to plugins at run time. Each is made in all serving threads first and kept in the store then: what fails in the threads is
 * not stored, and what cannot be stored is taken back, so a failed change changes nothing.
 */
import { GatewayError, isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import type { ParsedPluginEntry } from '@bifrost/framework/config';
import { hashEntry } from '@bifrost/framework/admin';
import { pluginNotFound } from '@bifrost/framework/plugin-manager';
import type { PluginStore, StoredPlugin } from '@bifrost/framework/admin';
import type { ManagedPlugin, PluginManager, PluginPlace, PluginTotals } from '@bifrost/framework/plugin-manager';
import type { PluginEntry } from '@bifrost/framework/plugins';
import { restoredConfig } from './mask-config.ts';

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
  /** The schema of the plugin's config, where its manifest has one. */
  readonly schemaOf?: (name: string) => JsonObject | undefined;
}

function invalid(message: string): GatewayError {
  return new GatewayError(message, { code: 'BF_ADMIN_INVALID', statusCode: 400 });
}

/** The name by which an entry goes. Throws GatewayError where it has none. */
function nameOf(file: JsonObject): string {
  const { name } = file;
  if (typeof name === 'string' && name !== '') return name;
  throw invalid('`name` is missing: give the plugin a name (letters, digits, ".", "_", "-")');
}

/** `patch` over `base`: null removes a member, and of `config` single members may be given. */
function merge(base: JsonObject, patch: JsonObject): JsonObject {
  const merged: Record<string, Json | undefined> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    const before = merged[key];
    if (value === null) delete merged[key];
    else
      merged[key] = key === 'config' && isJsonObject(before) && isJsonObject(value) ? { ...before, ...value } : value;
  }
  return merged;
}

export class PluginAdmin {
  readonly #options: PluginAdminOptions;
  readonly #fileHashes: ReadonlyMap<string, string>;
  /** Entries in force, as they are written. */
  #files: ReadonlyMap<string, JsonObject>;
  #stored: ReadonlyMap<string, StoredPlugin>;
  #work: Promise<void> = Promise.resolve();

  constructor(options: PluginAdminOptions) {
    this.#options = options;
    this.#fileHashes = new Map(options.fileEntries.map((file) => [nameOf(file), hashEntry(file)]));
    this.#files = new Map(options.entries.map((file) => [nameOf(file), file]));
    this.#stored = new Map(options.stored.map((plugin) => [plugin.name, plugin]));
  }

  /** The entry as it is written; undefined where there is none of that name. */
  fileOf(name: string): JsonObject | undefined {
    return this.#files.get(name);
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
    const plugin = (await this.list()).find((one) => one.name === name);
    if (plugin !== undefined) return plugin;
    throw pluginNotFound(name);
  }

  /** Rejects with 409 where there is one of that name, 400 where the entry is wrong, 422 where it cannot be loaded. */
  create(file: JsonObject): Promise<ManagedPlugin> {
    return this.#enqueue(async () => {
      const name = nameOf(file);
      const entry = this.#parse(file);
      const { manager } = this.#options;
      const added = await manager.add(entry);
      await this.#keep(name, file, () => manager.remove(name));
      return added;
    });
  }

  /** Members that are left out stay as they were; null takes one away. */
  update(name: string, patch: JsonObject): Promise<ManagedPlugin> {
    return this.#enqueue(async () => {
      const before = this.#fileOf(name);
      const wanted = { ...this.#patched(name, before, patch), name };
      return this.#replace(name, { before, wanted });
    });
  }

  remove(name: string): Promise<void> {
    return this.#enqueue(async () => {
      const before = this.#fileOf(name);
      await this.#options.manager.remove(name);
      await this.#keep(name, undefined, () => this.#options.manager.add(this.#parse(before)));
    });
  }

  reload(name: string): Promise<ManagedPlugin> {
    return this.#enqueue(() => this.#options.manager.reload(name));
  }

  /** Moves plugins to other places; those that are not named stay. */
  setSequence(places: readonly PluginPlace[]): Promise<readonly ManagedPlugin[]> {
    return this.#enqueue(async () => {
      const { manager } = this.#options;
      const before = new Map(manager.entries.map(({ name, placement, order }) => [name, { name, placement, order }]));
      const moved = await manager.setSequence(places);
      const files = places.map(({ name, ...place }) => [name, { ...this.#fileOf(name), ...place }] as const);
      await this.#keepAll(new Map(files), () =>
        manager.setSequence(
          places.map(({ name }) => ({ placement: 'post_builtin', order: 0, ...stated(before.get(name)), name })),
        ),
      );
      return moved;
    });
  }

  async #replace(
    name: string,
    { before, wanted }: { readonly before: JsonObject; readonly wanted: JsonObject },
  ): Promise<ManagedPlugin> {
    const { manager } = this.#options;
    const updated = await manager.update(this.#parse(wanted));
    await this.#keep(name, wanted, () => manager.update(this.#parse(before)));
    return updated;
  }

  #patched(name: string, before: JsonObject, patch: JsonObject): JsonObject {
    const given = patch['config'];
    if (!isJsonObject(given)) return merge(before, patch);
    const stored = isJsonObject(before['config']) ? before['config'] : {};
    const { config, missing } = restoredConfig(given, stored, this.#options.schemaOf?.(name));
    if (missing.length > 0) {
      throw invalid(
        `${missing.join(' and ')}: this is the mask that a secret is shown as, and there is none to put back; give the value`,
      );
    }
    return merge(before, { ...patch, config });
  }

  #parse(file: JsonObject): PluginEntry {
    const parsed = this.#options.parseEntry(file);
    if ('entry' in parsed) return parsed.entry;
    throw invalid(
      parsed.problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; '),
    );
  }

  #fileOf(name: string): JsonObject {
    const file = this.#files.get(name);
    if (file !== undefined) return file;
    throw pluginNotFound(name);
  }

  #keep(name: string, file: JsonObject | undefined, undo: () => Promise<unknown>): Promise<void> {
    return this.#keepAll(new Map([[name, file]]), undo);
  }

  /** Stores changed entries (undefined: deleted); where that fails, the change is undone. */
  async #keepAll(changes: ReadonlyMap<string, JsonObject | undefined>, undo: () => Promise<unknown>): Promise<void> {
    const files = new Map(this.#files);
    const stored = new Map(this.#stored);
    for (const [name, file] of changes) {
      const replaces = this.#fileHashes.get(name);
      const own = replaces === undefined ? {} : { replaces };
      if (file === undefined) files.delete(name);
      else files.set(name, file);
      if (file !== undefined) stored.set(name, { name, file, ...own });
      else if (replaces === undefined) stored.delete(name);
      else stored.set(name, { name, replaces });
    }
    try {
      await this.#options.store.write([...stored.values()]);
    } catch (error) {
      await undo();
      throw error;
    }
    this.#files = files;
    this.#stored = stored;
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

/** The members that have a value. */
function stated<Members extends object>(members: Members | undefined): Partial<Members> {
  const entries = Object.entries(members ?? {}).filter(([, value]) => value !== undefined);
  // Filtering by value leaves each member's type.
  return Object.fromEntries(entries) as Partial<Members>;
}
