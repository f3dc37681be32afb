export { createPluginHost } from './create-plugin-host.ts';
export type { PluginHost, PluginHostOptions } from './create-plugin-host.ts';
export type { ArtefactLoaders, InstanceEvents, LoadedPlugin, LoadOptions } from './load-plugin.ts';
export { checkEntry } from './check-entry.ts';
export type { ConnectRemote, RemoteConnection } from './member-loader.ts';
export type { PluginEntry, PluginIsolation, PluginState, PluginStatus } from './plugin-entry.ts';
export type * from './plugin-plan.ts';
export type { PluginGeneration, RetireOptions } from './plugin-generation.ts';
export { containPluginFailures } from './plugin-scope.ts';
