/** What stands in the chains for a guard that cannot be called: every request that it would have seen is refused. */
import type { LogLevel, PluginHooks, PluginInstance } from '@bifrost/core';
import { LocalSharedState } from '@bifrost/core';
import { PluginError } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import type { PluginEntry } from './plugin-entry.ts';
import type { PluginDescription } from './remote/remote-plugin.ts';

/** `reason` goes to the log with each refusal; the client is told no more than for any guard that fails. */
export function createRefusingInstance(
  entry: PluginEntry,
  { hooks }: PluginDescription,
  { reason, log }: { reason: string; log: (level: LogLevel, message: string, fields: JsonObject) => void },
): PluginInstance {
  const handler = (): never => {
    throw new PluginError(entry.name, reason, { code: 'BF_PLUGIN_NOT_SERVING' });
  };
  const declared = Object.entries(hooks)
    .filter(([hook]) => hook !== 'inject')
    .map(([hook, options]) => [hook, { ...options, handler, onError: 'deny' }]);
  return {
    name: entry.name,
    config: {},
    // Options as the plugin itself declared them, with a handler.
    hooks: Object.fromEntries(declared) as PluginHooks,
    self: {},
    isGuard: true,
    placement: entry.placement ?? 'post_builtin',
    order: entry.order ?? 0,
    log,
    shared: new LocalSharedState(entry.name),
  };
}
