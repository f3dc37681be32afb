import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GatewayError, isJsonObject } from '@bifrost/sdk';
import type { Json } from '@bifrost/sdk';
import type { PluginStore, StoredPlugin } from './plugin-store.ts';

const formatVersion = 1;

/** A store in one JSON file, for its owner alone. A write goes to a second file that takes the first one's place. */
export class FilePluginStore implements PluginStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Rejects with `BF_PLUGIN_STORE_UNREADABLE`: to go on without would lose what is in it with the next write. */
  async read(): Promise<readonly StoredPlugin[]> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw this.#unreadable('it cannot be read', error);
    }
    return this.#parse(text);
  }

  async write(plugins: readonly StoredPlugin[]): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const draft = `${this.#path}.${process.pid}.tmp`;
    try {
      const file = await open(draft, 'w', 0o600);
      try {
        await file.writeFile(`${JSON.stringify({ version: formatVersion, plugins }, null, 2)}\n`);
        // Before the rename: after a power failure there is the old file or the new one, never an empty one.
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, this.#path);
    } catch (error) {
      await rm(draft, { force: true });
      throw new GatewayError(
        `${this.#path} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
        {
          code: 'BF_PLUGIN_STORE_UNWRITABLE',
          statusCode: 500,
          cause: error,
        },
      );
    }
  }

  #parse(text: string): readonly StoredPlugin[] {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw this.#unreadable('it is not JSON', error);
    }
    const isOurs = isJsonObject(value) && value['version'] === formatVersion && Array.isArray(value['plugins']);
    if (!isOurs) throw this.#unreadable(`it is not a list of plugins of version ${formatVersion}`);
    return (Object(value).plugins as readonly Json[]).map((plugin) => this.#parsePlugin(plugin));
  }

  #parsePlugin(plugin: Json): StoredPlugin {
    if (!isJsonObject(plugin)) throw this.#unreadable('it has a plugin that is no object');
    const { name, file, replaces } = plugin;
    if (typeof name !== 'string') throw this.#unreadable('it has a plugin without a name');
    return {
      name,
      ...(isJsonObject(file) ? { file } : {}),
      ...(typeof replaces === 'string' ? { replaces } : {}),
    };
  }

  #unreadable(why: string, cause?: unknown): GatewayError {
    return new GatewayError(
      `the plugins changed at run time are kept in ${this.#path}, and ${why}; repair it, or move it away to start with the configuration file alone`,
      { code: 'BF_PLUGIN_STORE_UNREADABLE', statusCode: 500, cause },
    );
  }
}
