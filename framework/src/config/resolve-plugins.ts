import type { JsonObject } from '@bifrost/sdk';
import type { PluginEntry } from '../plugins/plugin-entry.ts';
import { laterPlugins } from './known-names.ts';
import type { PluginFile } from './plugin-schema.ts';
import type { ConfigProblem } from './problem.ts';

export interface PluginsResult {
  /** In the order of the file; those that are not built in yet are left out. */
  readonly entries: readonly PluginEntry[];
  /** Names of Bifrost's own plugins that have no counterpart here yet. */
  readonly unused: readonly string[];
  readonly problems: readonly ConfigProblem[];
}

function toEntry(file: PluginFile): PluginEntry {
  const { name, path, config, placement, order, required } = file;
  return {
    name,
    enabled: file.enabled ?? true,
    ...(path === undefined ? {} : { path }),
    ...(config === undefined ? {} : { config: config as JsonObject }),
    ...(placement === undefined ? {} : { placement }),
    ...(order === undefined ? {} : { order }),
    ...(required === undefined ? {} : { required }),
  };
}

/** `plugins` with its defaults. Whether a plugin can be loaded is found out by the host, not here. */
export function resolvePlugins(files: readonly PluginFile[]): PluginsResult {
  const problems: ConfigProblem[] = [];
  const isLater = ({ name, path }: PluginFile): boolean => path === undefined && laterPlugins.has(name);
  files.forEach(({ name, isolation = 'inline' }, index) => {
    const first = files.findIndex((other) => other.name === name);
    if (first < index) {
      problems.push({
        path: `plugins[${index}].name`,
        message: `is the name of plugins[${first}] too; names must differ`,
      });
    }
    if (isolation !== 'inline') {
      const message = `isolation "${isolation}" is not supported yet, and running it less isolated would be wrong; expected "inline"`;
      problems.push({ path: `plugins[${index}].isolation`, message });
    }
  });
  return {
    entries: files.filter((file) => !isLater(file)).map(toEntry),
    unused: files.filter(isLater).map(({ name }) => name),
    problems,
  };
}
