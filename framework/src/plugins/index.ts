export { createPluginHost } from './create-plugin-host.ts';
export type { PluginHost, PluginHostOptions } from './create-plugin-host.ts';
export type { PluginEntry, PluginState, PluginStatus } from './plugin-entry.ts';
export type { PluginGeneration, RetireOptions } from './plugin-generation.ts';
export { containPluginFailures } from './plugin-scope.ts';
