/** The loaders of artefacts that are no modules, each imported when a plugin of its kind is first loaded into this realm. */
import type { ArtefactKind } from '@bifrost/sdk';
import type { ArtefactLoader } from './artefact-loader.ts';

/** Undefined: the kind cannot be loaded into a realm. */
export function loadersOfRealm(_kind: ArtefactKind): Promise<ArtefactLoader> | undefined {
  return undefined;
}
