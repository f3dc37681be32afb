/** `worker`, `process` and `grpc` isolation as the manager of the plugins starts them. */
import { PluginError } from '@bifrost/sdk';
import type { ModelInfo } from '@bifrost/sdk';
import { processEnvironment } from '../../config/process-environment.ts';
import type { ResolvedArtefact } from '../plugin-plan.ts';
import { findArtefact, withCheckedConfig } from '../find-artefact.ts';
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

/** What to start: as the manager has found it, or found here. Rejects with PluginError. */
async function artefactOf({ entry, artefact, directory }: RemoteStart): Promise<ResolvedArtefact> {
  const found = artefact ?? (await findArtefact(entry, { baseDirectory: directory, workingDirectory: process.cwd() }));
  if (found !== undefined) return found;
  const message = 'it has no `path`, and was not found among the plugins of the gateway';
  throw new PluginError(entry.name, message, { code: 'BF_PLUGIN_ISOLATION_UNAVAILABLE' });
}

/** For `PluginManagerOptions.startRemote`. */
export function remoteStarters(options: RemoteStartersOptions = {}): {
  readonly worker: StartRemote;
  readonly process: StartRemote;
  readonly grpc: StartRemote;
} {
  const { environment = processEnvironment(), models, onEscape, areInputsFrozen } = options;
  const optionsOf = ({ entry, load, log, shared }: RemoteStart, artefact: ResolvedArtefact): RemotePluginOptions => ({
    entry: withCheckedConfig(entry, artefact),
    artefact,
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
    worker: async (start) => startWorkerPlugin(optionsOf(start, await artefactOf(start))),
    process: async (start) =>
      startProcessPlugin({
        ...optionsOf(start, await artefactOf(start)),
        sharedDirectories: [start.directory, process.cwd()],
      }),
    // The client's library is large, and few gateways have such a plugin.
    grpc: async (start) => (await import('./grpc/start-entry.ts')).startGrpcEntry(start, { environment }),
  };
}
