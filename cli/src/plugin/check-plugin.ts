/** What the gateway checks of a plugin before it serves, in the gateway's own words. */
import { LogLines } from './log-lines.ts';
import { resolveArtefact } from '@bifrost/framework/artefacts';
import { examinePlugin, isNativeCodeAllowed, loadersOfRealm } from '@bifrost/framework/workbench';
import type { CheckedArtefact, ResolveOptions } from '@bifrost/framework/artefacts';
import type { ExaminedPlugin, LoadOptions, PluginEntry } from '@bifrost/framework/workbench';

/** Finds and checks the artefact; none of its code runs. Rejects with PluginError. */
export function resolveEntry(
  entry: PluginEntry,
  directory: string,
  options: Pick<ResolveOptions, 'trust'> = {},
): Promise<CheckedArtefact> {
  return resolveArtefact(entry, {
    baseDirectory: directory,
    workingDirectory: directory,
    isNativeAllowed: isNativeCodeAllowed(),
    ...options,
  });
}

/** How the plugins of the command line are loaded into this process. */
export function loadOptionsFor(artefact: CheckedArtefact, lines: LogLines, directory: string): LoadOptions {
  return {
    logger: lines.log,
    artefact,
    baseDirectory: directory,
    workingDirectory: directory,
    initTimeoutMs: 10_000,
    cleanupTimeoutMs: 5000,
    importModule: (specifier) => import(specifier),
    builtins: new Map(),
    loaders: loadersOfRealm,
  };
}

let lastLoad = 0;

/** Unique in the process, as the realm's modules are known by it. */
export function nextLoad(): number {
  lastLoad += 1;
  return lastLoad;
}

export interface CheckedPluginFile {
  readonly artefact: CheckedArtefact;
  readonly plugin: ExaminedPlugin;
}

/** Checks all that can be checked without `init`. Rejects with PluginError. */
export async function checkPlugin(
  entry: PluginEntry,
  directory: string,
  options: Pick<ResolveOptions, 'trust'> = {},
): Promise<CheckedPluginFile> {
  const artefact = await resolveEntry(entry, directory, options);
  // A gRPC plugin says what it is when it runs.
  if (artefact.kind === 'grpc') return { artefact, plugin: { isGuard: artefact.manifest?.guard === true, hooks: [] } };
  const plugin = await examinePlugin(entry, String(nextLoad()), loadOptionsFor(artefact, new LogLines(), directory));
  return { artefact, plugin };
}
