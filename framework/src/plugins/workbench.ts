/**
 * What tools for plugins need of the host: to find, check, examine and load one plugin alone. The gateway itself goes through
 * `plugin-manager`.
 */
export { processEnvironment } from '../config/process-environment.ts';
export { pluginSchema } from '../config/plugin-schema.ts';
export { toPluginEntry } from '../config/to-plugin-entry.ts';
export { isNativeCodeAllowed } from '../realms/build-stamp.ts';
export { fromIntegrity, sha256Of, toIntegrity } from './artefacts/download/integrity.ts';
export { locateArtefact } from './artefacts/locate-artefact.ts';
export type { LocatedArtefact } from './artefacts/locate-artefact.ts';
export { parseManifest } from './artefacts/manifest/parse-manifest.ts';
export { resolveArtefact } from './artefacts/resolve-artefact.ts';
export type { CheckedArtefact, ResolveOptions } from './artefacts/resolve-artefact.ts';
export {
  generateSigningKeys,
  parsePublicKey,
  signManifest,
  verifySignature,
} from './artefacts/signature/sign-manifest.ts';
export { assertTrusted } from './artefacts/signature/check-trust.ts';
export type { SigningKeys } from './artefacts/signature/sign-manifest.ts';
export { examinePlugin } from './examine-plugin.ts';
export type { ExaminedPlugin } from './examine-plugin.ts';
export { loadersOfRealm } from './artefacts/loaders-of-realm.ts';
export { loadPlugin } from './load-plugin.ts';
export type { LoadedPlugin, LoadOptions } from './load-plugin.ts';
export { pluginNamePattern } from './plugin-entry.ts';
export type { PluginEntry, PluginIsolation } from './plugin-entry.ts';
