/**
 * `watch: true`: a plugin is loaded anew when its file, or one that it imports, has changed, as by a call of `reload`: beside the one
 * that serves, and a version that cannot be loaded changes nothing.
 *
 * Folders are watched rather than files: editors write a new file in the place of the old one. A change counts when a file's
 * content differs, once nothing has changed for a moment: a save of several files is one reload. Every two seconds the files are
 * looked at all the same: no event tells of a folder that was removed and made anew, of another target of a link on the way to it,
 * or of what another machine wrote to a mounted disk.
 */
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { GatewayError } from '@bifrost/sdk';
import type { PluginLog } from '@bifrost/sdk';
import type { ManagedPlugin } from './managed-plugin.ts';
import { gone, isChangedSince, see, stampOf, unseen } from './seen-file.ts';
import type { SeenFile } from './seen-file.ts';
import { watchedFiles } from './watched-files.ts';

/** What the watch needs of the manager. */
export interface WatchedPlugins {
  /** Where relative paths start. */
  readonly directory: string;
  list(): readonly ManagedPlugin[];
  reload(name: string): Promise<unknown>;
  /** Returns how to stop it. */
  onChange(listener: () => void): () => void;
}

/** Nothing has changed for so long: whoever writes is done. */
const quietMs = 100;
/** For what happens beside the files, which may be much: the folder may be somebody else's too. */
const besideMs = 500;

interface Watched {
  /** What its files were gathered from. */
  readonly of: string;
  readonly files: Map<string, SeenFile>;
}

interface WatchedFolder {
  readonly watcher: FSWatcher;
  /** Of the folder itself: one that was made anew is another. */
  readonly stamp: string;
}

export class PluginWatch {
  readonly #plugins: WatchedPlugins;
  readonly #log: PluginLog;
  readonly #stop: () => void;
  readonly #folders = new Map<string, WatchedFolder>();
  readonly #watched = new Map<string, Watched>();
  /** Folders of which was said that they cannot be watched. */
  readonly #unwatchable = new Set<string>();
  /** Plugins that are being loaded anew, and whether they are to be once more. */
  readonly #loading = new Map<string, { isDueAgain: boolean }>();
  /** Plugins that could not be loaded as too many replaced instances were held, and how many. */
  readonly #waiting = new Map<string, number>();
  readonly #look: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;

  /** `lookEveryMs`: how often files are looked at of which no event tells. */
  constructor(plugins: WatchedPlugins, log: PluginLog, { lookEveryMs = 2000 }: { readonly lookEveryMs?: number } = {}) {
    this.#plugins = plugins;
    this.#log = log;
    this.#stop = plugins.onChange(() => this.#follow());
    this.#look = setInterval(() => this.#lookAgain(), lookEveryMs).unref();
    this.#follow();
  }

  close(): void {
    this.#stop();
    clearTimeout(this.#timer);
    clearInterval(this.#look);
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  /** Watches what is to be watched by now. */
  #follow(): void {
    const names = new Set<string>();
    for (const plugin of this.#plugins.list()) {
      if (plugin.entry.watch !== true || !plugin.entry.enabled) continue;
      names.add(plugin.name);
      const of = [plugin.file, plugin.path, ...(plugin.files ?? [])].join('\n');
      if (this.#watched.get(plugin.name)?.of !== of) this.#gather(plugin, of);
    }
    for (const name of this.#watched.keys()) if (!names.has(name)) this.#watched.delete(name);
    this.#followFolders();
  }

  /** What is known of files stays known: a change of one that was not noticed yet still counts. */
  #gather(plugin: ManagedPlugin, of: string): void {
    const before = this.#watched.get(plugin.name)?.files;
    const files = new Map<string, SeenFile>();
    for (const file of watchedFiles(plugin, this.#plugins.directory)) {
      // What was written while the plugin was being loaded, before anybody watched it, may be newer than what was loaded.
      const isUnseen = before?.has(file) !== true && isChangedSince(file, plugin.loadedAt);
      files.set(file, before?.get(file) ?? (isUnseen ? unseen : see(file)));
      if (isUnseen) this.#changed(true);
    }
    this.#watched.set(plugin.name, { of, files });
  }

  #followFolders(): void {
    const files = [...this.#watched.values()].flatMap((watched) => [...watched.files.keys()]);
    const wanted = new Set(files.map((file) => dirname(file)));
    for (const [folder, { watcher, stamp }] of this.#folders) {
      if (wanted.has(folder) && stampOf(folder) === stamp) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const folder of wanted) if (!this.#folders.has(folder)) this.#watchFolder(folder);
  }

  #watchFolder(folder: string): void {
    const stamp = stampOf(folder);
    // Not there at this moment: whether it is back is looked at again.
    if (stamp === gone) return;
    try {
      const watcher = watch(folder, { persistent: false }, (_event, file) => {
        this.#changed(file === null || this.#isOurs(join(folder, basename(file))));
      });
      watcher.on('error', (error) => this.#giveUp(folder, error));
      this.#folders.set(folder, { watcher, stamp });
      this.#unwatchable.delete(folder);
    } catch (error) {
      this.#giveUp(folder, error);
    }
  }

  #isOurs(path: string): boolean {
    return [...this.#watched.values()].some(({ files }) => files.has(path));
  }

  #giveUp(folder: string, error: unknown): void {
    this.#folders.get(folder)?.watcher.close();
    this.#folders.delete(folder);
    if (this.#unwatchable.has(folder)) return;
    this.#unwatchable.add(folder);
    const why = error instanceof Error ? error.message : String(error);
    this.#log.warn(`changes in ${folder} are not seen at once, but within seconds: ${why}`);
  }

  /** A link beside our file may have changed where it leads, so that any event counts; only those of our files are waited out. */
  #changed(isOurs: boolean): void {
    if (this.#timer !== undefined && !isOurs) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#reloadChanged(), isOurs ? quietMs : besideMs);
  }

  #lookAgain(): void {
    // Whoever writes at this moment is waited for.
    if (this.#watched.size === 0 || this.#timer !== undefined) return;
    this.#followFolders();
    this.#loadWaiting();
    const isChanged = [...this.#watched.values()].some(({ files }) =>
      [...files].some(([file, { stamp }]) => stampOf(file) !== stamp),
    );
    if (isChanged) this.#changed(false);
  }

  #reloadChanged(): void {
    this.#timer = undefined;
    for (const plugin of this.#plugins.list()) {
      const { name } = plugin;
      const watched = this.#watched.get(name);
      if (watched === undefined) continue;
      const changed = this.#changesOf(plugin, watched);
      if (changed.length === 0) continue;
      this.#log.info(`plugin ${name}: ${changed.join(', ')} changed, loading it anew`, { plugin: name });
      this.#reload(name);
    }
    this.#followFolders();
  }

  /** Saves that come while it is being loaded are one more load together: changes of others are not to wait for one after the other. */
  #reload(name: string): void {
    const loading = this.#loading.get(name);
    if (loading !== undefined) {
      loading.isDueAgain = true;
      return;
    }
    const own = { isDueAgain: false };
    this.#loading.set(name, own);
    this.#waiting.delete(name);
    const ended = (): void => {
      this.#loading.delete(name);
      if (own.isDueAgain) this.#reload(name);
    };
    // The manager logs what keeps it from being loaded, and keeps it as the status.
    this.#plugins.reload(name).then(ended, (error: unknown) => {
      if (GatewayError.isInstance(error) && error.code === 'BF_PLUGIN_DRAINING') this.#waiting.set(name, this.#held());
      ended();
    });
  }

  /** Replaced instances that requests hold. */
  #held(): number {
    return this.#plugins.list().reduce((sum, { instances }) => sum + instances.draining, 0);
  }

  /** Whoever waits for requests to end has a place once some have. */
  #loadWaiting(): void {
    const held = this.#waiting.size === 0 ? 0 : this.#held();
    for (const [name, before] of this.#waiting) if (held < before) this.#reload(name);
  }

  /** Names of files that are not as they were, or that its code imports only now. Notes how they are. */
  #changesOf(plugin: ManagedPlugin, { of, files }: Watched): readonly string[] {
    const current = watchedFiles(plugin, this.#plugins.directory);
    const now = new Map<string, SeenFile>();
    for (const file of new Set([...current, ...files.keys()])) {
      const before = files.get(file);
      const seen = before !== undefined && before.stamp === stampOf(file) ? before : see(file);
      // What is gone may come back, also where nothing can be found to import it.
      if (current.has(file) || seen.digest === gone) now.set(file, seen);
    }
    this.#watched.set(plugin.name, { of, files: now });
    return [...now].filter(([file, { digest }]) => files.get(file)?.digest !== digest).map(([file]) => basename(file));
  }
}
