/** What the main thread needs of the plugins; serving threads import `@bifrost/framework/plugins`. */
export { PluginManager } from './plugin-manager.ts';
export { gatewayIsClosing } from './change-queue.ts';
export { isSameLoad } from './is-same-load.ts';
export { candidateName } from './plugin-manager-options.ts';
export { pluginNotFound } from './slot-changes.ts';
export type { CandidateTrial, LoadSettings, PluginManagerOptions, PluginPlace } from './plugin-manager-options.ts';
export type { ManagedPlugin } from './managed-plugin.ts';
export type { PluginTotals } from './manager-view.ts';
export type { RemoteStart, StartRemote } from './remote-load.ts';
export type * from './thread-group.ts';
export { configViewFailed } from '../config-view.ts';
export type { ConfigViewName } from '../config-view.ts';
export { FilePluginMemory } from '../store/plugin-memory.ts';
export type { PluginMemory } from '../store/plugin-memory.ts';
export { PluginWatch } from './plugin-watch.ts';
