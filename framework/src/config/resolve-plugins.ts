import type { PluginEntry } from '../plugins/plugin-entry.ts';
import { laterPlugins } from './known-names.ts';
import type { PluginFile } from './plugin-schema.ts';
import type { ConfigProblem } from './problem.ts';
import { toPluginEntry } from './to-plugin-entry.ts';

const grpcKeys = ['address', 'command', 'args', 'env', 'tls'] as const;

export interface PluginsResult {
  /** In the order of the file; those that are not built in yet are left out. */
  readonly entries: readonly PluginEntry[];
  /** Names of Bifrost's own plugins that have no counterpart here yet. */
  readonly unused: readonly string[];
  readonly problems: readonly ConfigProblem[];
}

/** `plugins` with its defaults. Whether a plugin can be loaded is found out by the host, not here. */
export function resolvePlugins(files: readonly PluginFile[]): PluginsResult {
  const problems: ConfigProblem[] = [];
  const isLater = ({ name, path }: PluginFile): boolean => path === undefined && laterPlugins.has(name);
  files.forEach((file, index) => {
    const { name, isolation } = file;
    const first = files.findIndex((other) => other.name === name);
    if (first < index) {
      problems.push({
        path: `plugins[${index}].name`,
        message: `is the name of plugins[${first}] too; names must differ`,
      });
    }
    const grpcKey = grpcKeys.find((key) => file[key] !== undefined);
    if (grpcKey !== undefined && isolation !== 'grpc') {
      const message = `is for \`isolation: "grpc"\` only; set that too, or leave ${grpcKey} out`;
      problems.push({ path: `plugins[${index}].${grpcKey}`, message });
    }
    if (file.tls !== undefined && !/^(?:https:\/\/)?[^:/]+:\d+\/?$|^https:/.test(file.address ?? '')) {
      const message = 'is for an `address` on another machine (host:port or https://host:port)';
      problems.push({ path: `plugins[${index}].tls`, message });
    }
    if (file.cpu_limit !== undefined && (isolation ?? 'inline') === 'inline') {
      const message =
        'is for a plugin with a thread or process of its own; set `isolation` to "worker", "process" or "grpc"';
      problems.push({ path: `plugins[${index}].cpu_limit`, message });
    }
    if (file.sha256 !== undefined && file.integrity !== undefined) {
      const message = 'says the same as `sha256`; give one of them';
      problems.push({ path: `plugins[${index}].integrity`, message });
    }
  });
  return {
    entries: files.filter((file) => !isLater(file)).map(toPluginEntry),
    unused: files.filter(isLater).map(({ name }) => name),
    problems,
  };
}
