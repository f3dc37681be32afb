/** What the supervisor needs for changes at run time; serving threads load none of it. */
export { adminToken, inferenceKey, openStoredCredential } from './stored-credential.ts';
export type { CredentialKind, OpenCredentialOptions, StoredCredential } from './stored-credential.ts';
export { parseJsonText } from '../config/json-text.ts';
export { FilePluginStore } from '../plugins/store/file-plugin-store.ts';
export { MemoryPluginStore } from '../plugins/store/plugin-store.ts';
export type { PluginStore, StoredPlugin } from '../plugins/store/plugin-store.ts';
export { hashEntry, reconcilePlugins } from '../plugins/store/reconcile.ts';
export type { Reconciled } from '../plugins/store/reconcile.ts';
export { maskSecrets, restoreSecrets, secretMask } from '../plugins/artefacts/manifest/secrets.ts';
