/**
 * What tools for plugins need of the host beside `artefacts`: to examine one plugin, and to load it alone in a chosen isolation.
 */
export { processEnvironment } from '../config/process-environment.ts';
export { pluginSchema } from '../config/plugin-schema.ts';
export { toPluginEntry } from '../config/to-plugin-entry.ts';
export { isNativeCodeAllowed } from '../realms/build-stamp.ts';
export { loadersOfRealm } from './artefacts/loaders-of-realm.ts';
export { assertTrusted } from './artefacts/signature/check-trust.ts';
export { parsePublicKey } from './artefacts/signature/sign-manifest.ts';
export { examinePlugin } from './examine-plugin.ts';
export type { ExaminedPlugin } from './examine-plugin.ts';
export { withCheckedConfig } from './find-artefact.ts';
export { loadPlugin } from './load-plugin.ts';
export type { LoadedPlugin, LoadOptions } from './load-plugin.ts';
export { pluginNamePattern } from './plugin-entry.ts';
export type { PluginEntry, PluginIsolation } from './plugin-entry.ts';
export { connectRemote } from './remote/connect-remote.ts';
export { remoteStarters } from './remote/remote-starters.ts';
export { createSharedStateBuffer } from './shared-state/layout.ts';
