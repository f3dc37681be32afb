/**
 * `watch: true`: a plugin is loaded anew when its file, or one that it imports, has changed, as by a call of `reload`: beside the one
 * that serves, and a version that cannot be loaded changes nothing.
 *
 * Folders are watched rather than files: editors write a new file in the place of the old one. A change counts when a file's
 * content differs, once nothing has changed for a moment: a save of several files is one reload.
 */
import { createHash } from 'node:crypto';
import { readFileSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { PluginLog } from '@bifrost/sdk';
import { manifestFileName } from '@bifrost/sdk';
import type { ManagedPlugin } from './managed-plugin.ts';

/** What the watch needs of the manager. */
export interface WatchedPlugins {
  list(): readonly ManagedPlugin[];
  reload(name: string): Promise<unknown>;
  /** Returns how to stop it. */
  onChange(listener: () => void): () => void;
}

/** Nothing has changed for so long: whoever writes is done. */
const quietMs = 100;

/** A file as it was when its plugin was last loaded, or tried to be. */
type Digests = Map<string, string>;

function digestOf(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    // Not there, or not there at this moment: that is a content too.
    return 'none';
  }
}

/** The files of a plugin: as far as its realm has told, and what says what it is. */
function filesOf({ file, files, entry }: ManagedPlugin): readonly string[] {
  if (entry.watch !== true || !entry.enabled || file === undefined) return [];
  return [...new Set([file, ...(files ?? []), join(dirname(file), manifestFileName)])];
}

export class PluginWatch {
  readonly #plugins: WatchedPlugins;
  readonly #log: PluginLog;
  readonly #stop: () => void;
  readonly #folders = new Map<string, FSWatcher>();
  readonly #known = new Map<string, Digests>();
  #timer: NodeJS.Timeout | undefined;

  constructor(plugins: WatchedPlugins, log: PluginLog) {
    this.#plugins = plugins;
    this.#log = log;
    this.#stop = plugins.onChange(() => this.#follow());
    this.#follow();
  }

  close(): void {
    this.#stop();
    clearTimeout(this.#timer);
    for (const watcher of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  /** Watches what is to be watched by now. */
  #follow(): void {
    const wanted = new Set<string>();
    const names = new Set<string>();
    for (const plugin of this.#plugins.list()) {
      const files = filesOf(plugin);
      if (files.length === 0) continue;
      names.add(plugin.name);
      const known: Digests = this.#known.get(plugin.name) ?? new Map<string, string>();
      this.#known.set(plugin.name, known);
      for (const file of files) {
        wanted.add(dirname(file));
        if (!known.has(file)) known.set(file, digestOf(file));
      }
    }
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    for (const [folder, watcher] of this.#folders) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const folder of wanted) if (!this.#folders.has(folder)) this.#watchFolder(folder);
  }

  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, file) => {
        if (file === null || this.#isOurs(folder, file)) this.#changed();
      });
      watcher.on('error', (error) => this.#giveUp(folder, error));
      this.#folders.set(folder, watcher);
    } catch (error) {
      this.#giveUp(folder, error);
    }
  }

  #isOurs(folder: string, file: string): boolean {
    const path = join(folder, basename(file));
    return [...this.#known.values()].some((digests) => digests.has(path));
  }

  #giveUp(folder: string, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.#log.warn(`changes in ${folder} are not seen any more: ${why}; reload its plugins by hand`);
    this.#folders.get(folder)?.close();
    this.#folders.delete(folder);
  }

  #changed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#reloadChanged(), quietMs);
  }

  #reloadChanged(): void {
    for (const [name, digests] of this.#known) {
      const changed = [...digests].filter(([file, digest]) => digestOf(file) !== digest).map(([file]) => file);
      if (changed.length === 0) continue;
      for (const file of changed) digests.set(file, digestOf(file));
      this.#log.info(`plugin ${name}: ${changed.map((file) => basename(file)).join(', ')} changed, loading it anew`, {
        plugin: name,
      });
      // The manager logs what keeps it from being loaded, and keeps it as the status.
      this.#plugins.reload(name).catch(() => undefined);
    }
  }
}
