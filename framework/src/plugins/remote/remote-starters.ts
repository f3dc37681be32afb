/** `worker` and `process` isolation as the manager of the plugins starts them. */
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { PluginError } from '@bifrost/sdk';
import type { ModelInfo } from '@bifrost/sdk';
import { processEnvironment } from '../../config/process-environment.ts';
import type { PluginEntry } from '../plugin-entry.ts';
import type { ResolvedArtefact } from '../plugin-plan.ts';
import { resolvePluginPath } from '../resolve-plugin-path.ts';
import type { RemoteStart, StartRemote } from '../supervisor/remote-load.ts';
import type { RemotePluginOptions } from './supervisor/remote-options.ts';
import { startProcessPlugin } from './supervisor/start-process-plugin.ts';
import { startWorkerPlugin } from './supervisor/start-worker-plugin.ts';

export interface RemoteStartersOptions {
  /** The gateway's environment, of which plugins see what they are granted. @default that of this process */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The gateway's catalogue of models, asked at each start. */
  readonly models?: () => readonly ModelInfo[];
  /** Told of work that a plugin left running and that failed. */
  readonly onEscape?: (plugin: string, message: string) => void;
  /** Freeze hook inputs: for development and tests. @default false */
  readonly areInputsFrozen?: boolean;
}

/** The file of a plugin that nobody has resolved: modules and npm packages. Throws PluginError. */
function resolveModule({ name, path }: PluginEntry, directory: string): ResolvedArtefact {
  if (path === undefined || path === '') {
    throw new PluginError(name, 'it has no `path`: built-in plugins run in the serving threads (isolation "inline")', {
      code: 'BF_PLUGIN_ISOLATION_UNAVAILABLE',
    });
  }
  const directories = { baseDirectory: directory, workingDirectory: process.cwd() };
  const location = resolvePluginPath(name, path, directories);
  if (location.kind === 'file') return { file: location.file, kind: 'module' };
  for (const start of location.directories) {
    const manifest = findPackageJSON(location.name, join(start, 'config.json'));
    if (manifest === undefined) continue;
    const folder = resolvePluginPath(name, dirname(manifest), directories);
    if (folder.kind === 'file') return { file: folder.file, kind: 'module' };
  }
  throw new PluginError(name, `there is no npm package "${location.name}" in ${location.directories.join(' or ')}`, {
    code: 'BF_PLUGIN_FILE_MISSING',
  });
}

/** For `PluginManagerOptions.startRemote`. */
export function remoteStarters(options: RemoteStartersOptions = {}): {
  readonly worker: StartRemote;
  readonly process: StartRemote;
} {
  const { environment = processEnvironment(), models, onEscape, areInputsFrozen } = options;
  const optionsOf = ({ entry, artefact, load, log, shared, directory }: RemoteStart): RemotePluginOptions => ({
    entry,
    artefact: artefact ?? resolveModule(entry, directory),
    generation: String(load),
    logger: log,
    shared,
    environment,
    ...(models === undefined ? {} : { models: models() }),
    ...(areInputsFrozen === undefined ? {} : { areInputsFrozen }),
    onEscape: (message) => {
      log.error(`plugin ${entry.name}: work that it left running failed: ${message}`, { plugin: entry.name });
      onEscape?.(entry.name, message);
    },
  });
  return {
    worker: async (start) => startWorkerPlugin(optionsOf(start)),
    process: async (start) =>
      startProcessPlugin({ ...optionsOf(start), sharedDirectories: [start.directory, process.cwd()] }),
  };
}
