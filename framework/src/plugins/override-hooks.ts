import type { PluginHooks } from '@bifrost/core';
import type { PluginEntry } from './plugin-entry.ts';

/**
 * The hooks with the entry's `inject_timeout`, which is for one hook alone; what an entry says of all hooks is a member of the
 * instance. `self` is `this` of bare functions.
 */
export function overrideHooks(hooks: PluginHooks, self: object, { injectTimeoutMs }: PluginEntry): PluginHooks {
  const { inject } = hooks;
  if (injectTimeoutMs === undefined || inject === undefined) return hooks;
  if (typeof inject === 'function')
    return { ...hooks, inject: { handler: inject.bind(self), timeoutMs: injectTimeoutMs } };
  return { ...hooks, inject: { ...inject, handler: inject.handler.bind(inject), timeoutMs: injectTimeoutMs } };
}
