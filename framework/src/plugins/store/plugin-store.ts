/**
 * Where plugin entries that were made or changed at run time are kept. An entry is stored as it is written in `config.json`, with its
 * `env.NAME` references, so that no secret lands in the store that was not in it.
 */
import type { JsonObject } from '@bifrost/sdk';

/** One plugin whose entry did not come from the file as it stands there now. */
export interface StoredPlugin {
  readonly name: string;
  /** The entry; absent where the plugin was deleted. */
  readonly file?: JsonObject;
  /**
   * Hash of the file's entry that this one replaced: as long as the file says the same, the store wins. Absent for a plugin that
   * the file does not have.
   */
  readonly replaces?: string;
}

/** Reads and writes the whole list; a write is all or nothing. */
export interface PluginStore {
  read(): Promise<readonly StoredPlugin[]>;
  write(plugins: readonly StoredPlugin[]): Promise<void>;
}

/** A store for as long as the process runs. */
export class MemoryPluginStore implements PluginStore {
  #plugins: readonly StoredPlugin[] = [];

  read(): Promise<readonly StoredPlugin[]> {
    return Promise.resolve(this.#plugins);
  }

  write(plugins: readonly StoredPlugin[]): Promise<void> {
    this.#plugins = structuredClone(plugins);
    return Promise.resolve();
  }
}
