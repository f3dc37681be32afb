import type { PluginEntry } from './plugin-entry.ts';
import type { ResolvedArtefact } from './plugin-plan.ts';
import { isNativeCodeAllowed } from '../realms/build-stamp.ts';

/** Where relative paths start, and where else they are tried. */
export interface ArtefactDirectories {
  readonly baseDirectory: string;
  readonly workingDirectory: string;
}

/**
 * Finds and checks the artefact of an entry that no manager has found before: by the same rules, but without downloads. Undefined
 * for an entry without a path. Rejects with PluginError.
 */
export async function findArtefact(
  entry: PluginEntry,
  { baseDirectory, workingDirectory }: ArtefactDirectories,
): Promise<ResolvedArtefact | undefined> {
  if (entry.path === undefined || entry.path === '') return undefined;
  // Serving threads get artefacts that are found, and need none of what reads and checks them.
  const { resolveArtefact } = await import('./artefacts/resolve-artefact.ts');
  return resolveArtefact(entry, { baseDirectory, workingDirectory, isNativeAllowed: isNativeCodeAllowed() });
}

/** The entry with the defaults that its manifest's schema has for its config. */
export function withCheckedConfig(entry: PluginEntry, artefact: ResolvedArtefact | undefined): PluginEntry {
  return artefact?.config === undefined ? entry : { ...entry, config: artefact.config };
}
