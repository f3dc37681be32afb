/** The loaders of artefacts that are no modules, each imported when a plugin of its kind is first loaded into this realm. */
import type { ArtefactKind } from '@bifrost/sdk';
import type { ArtefactLoader } from './artefact-loader.ts';

/** Undefined: the kind cannot be loaded into a realm. */
export function loadersOfRealm(kind: ArtefactKind): Promise<ArtefactLoader> | undefined {
  switch (kind) {
    case 'wasm':
      return import('./wasm/index.ts').then(({ wasmLoader }) => wasmLoader);
    case 'native':
      return import('./native/native-loader.ts').then(({ nativeLoader }) => nativeLoader);
    case 'node-addon':
      return import('./node-addon/node-addon-loader.ts').then(({ nodeAddonLoader }) => nodeAddonLoader);
    default:
      return undefined;
  }
}
