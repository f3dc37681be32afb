/** The entries of plugins in force, as they are written, and what the store keeps of those that were changed at run time. */
import { isDeepStrictEqual } from 'node:util';
import { isJsonObject } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import { hashEntry } from '@bifrost/framework/admin';
import type { PluginStore, StoredPlugin } from '@bifrost/framework/admin';

export interface EntryKeeperOptions {
  readonly store: PluginStore;
  /** The entries of the configuration file, by name. */
  readonly fileEntries: ReadonlyMap<string, JsonObject>;
  /** The entries in force, by name. */
  readonly entries: ReadonlyMap<string, JsonObject>;
  /** What the store holds. */
  readonly stored: readonly StoredPlugin[];
  /** What is stored of a config. Rejects where that cannot be said: nothing is stored then. */
  readonly toStored: (name: string, config: JsonObject) => Promise<JsonObject>;
}

export class EntryKeeper {
  readonly #options: EntryKeeperOptions;
  readonly #fileHashes: ReadonlyMap<string, string>;
  #files: ReadonlyMap<string, JsonObject>;
  #stored: ReadonlyMap<string, StoredPlugin>;
  readonly #earlier = new Map<string, JsonObject>();

  constructor(options: EntryKeeperOptions) {
    this.#options = options;
    this.#fileHashes = new Map([...options.fileEntries].map(([name, file]) => [name, hashEntry(file)]));
    this.#files = options.entries;
    this.#stored = new Map(options.stored.map((plugin) => [plugin.name, plugin]));
  }

  /** The entry as it is written; undefined where there is none of that name. */
  fileOf(name: string): JsonObject | undefined {
    return this.#files.get(name);
  }

  /** The entry before the last change to it. */
  earlierFileOf(name: string): JsonObject | undefined {
    return this.#earlier.get(name);
  }

  /** Stores changed entries (undefined: deleted). Rejects with nothing kept. */
  async keep(changes: ReadonlyMap<string, JsonObject | undefined>): Promise<void> {
    const files = new Map(this.#files);
    const stored = new Map(this.#stored);
    for (const [name, file] of changes) {
      const replaces = this.#fileHashes.get(name);
      const own = replaces === undefined ? {} : { replaces };
      if (file === undefined) files.delete(name);
      else files.set(name, file);
      if (file !== undefined) stored.set(name, { name, file: await this.#storedForm(name, file), ...own });
      else if (replaces === undefined) stored.delete(name);
      else stored.set(name, { name, replaces });
    }
    await this.#options.store.write([...stored.values()]);
    for (const [name, file] of changes) {
      const before = this.#files.get(name);
      if (before === undefined || file === undefined) this.#earlier.delete(name);
      else this.#earlier.set(name, before);
    }
    this.#files = files;
    this.#stored = stored;
  }

  /** A config that has not changed is stored as it was: a plugin that is switched off cannot be asked. */
  async #storedForm(name: string, file: JsonObject): Promise<JsonObject> {
    const { config } = file;
    if (!isJsonObject(config)) return file;
    const before = this.#stored.get(name)?.file?.['config'];
    const isSame = isJsonObject(before) && isDeepStrictEqual(this.#files.get(name)?.['config'], config);
    return { ...file, config: isSame ? before : await this.#options.toStored(name, config) };
  }
}
