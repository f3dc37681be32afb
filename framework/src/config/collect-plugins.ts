import { resolve } from 'node:path';
import type { JsonObject } from '@bifrost/sdk';
import type { ConfigFile } from './file-schema.ts';
import { laterPlugins } from './known-names.ts';
import type { LoadConfigOptions } from './load-config.ts';
import { addPluginsOf } from './plugins-directory.ts';
import type { PluginsDirectoryResult } from './plugins-directory.ts';
import type { PluginFile } from './plugin-schema.ts';

export interface CollectedPlugins extends Pick<PluginsDirectoryResult, 'notes' | 'problems'> {
  /** Checked, with references resolved. */
  readonly entries: readonly PluginFile[];
  /** The same as they stand in the file. */
  readonly files: readonly JsonObject[];
}

/** A configuration's plugins, as it was read from `directory`. */
export interface StatedPlugins {
  readonly file: ConfigFile;
  readonly pluginFiles: readonly JsonObject[];
  readonly directory: string;
}

/** The entries of the file, with the plugins of the folder where one is given. */
export function collectPlugins(stated: StatedPlugins, options: LoadConfigOptions): CollectedPlugins {
  const { file, pluginFiles, directory } = stated;
  const entries = file.plugins ?? [];
  const { pluginsDirectory: given, builtinPlugins = [] } = options;
  const folder = given ?? (file.plugins_dir === undefined ? undefined : resolve(directory, file.plugins_dir));
  if (folder === undefined) return { entries, files: pluginFiles, notes: [], problems: [] };
  const { entries: all, ...rest } = addPluginsOf({
    directory: folder,
    origin: given === undefined ? 'plugins_dir' : '-plugins-dir',
    reservedNames: new Set([...builtinPlugins, ...laterPlugins]),
    // They are JSON, and have been checked.
    entries: entries as readonly JsonObject[],
    baseDirectory: directory,
  });
  const files = all.map((entry, index) => ({ ...entry, ...pluginFiles[index] }));
  return { entries: all as readonly PluginFile[], files, ...rest };
}
