/** What an entry says of all hooks of its plugin, in the place of what the hooks declare. */
import type { PluginHooks } from '@bifrost/core';
import { hookNames } from '@bifrost/sdk';
import type { HookName } from '@bifrost/sdk';
import type { PluginEntry } from './plugin-entry.ts';

interface Overrides {
  readonly timeoutMs?: number;
  readonly onError?: unknown;
}

function overridesOf({ timeoutMs, onError, injectTimeoutMs }: PluginEntry, hook: HookName): Overrides {
  const isInject = hook === 'inject';
  const deadlineMs = isInject ? (injectTimeoutMs ?? timeoutMs) : timeoutMs;
  // An observer cannot deny.
  const isPolicyFit = onError !== undefined && !(isInject && onError === 'deny');
  return {
    ...(deadlineMs === undefined ? {} : { timeoutMs: deadlineMs }),
    ...(isPolicyFit ? { onError } : {}),
  };
}

/** The hooks with the entry's `timeout_ms`, `inject_timeout` and `on_error`; `self` is `this` of bare functions. */
export function overrideHooks(hooks: PluginHooks, self: object, entry: PluginEntry): PluginHooks {
  const { timeoutMs, onError, injectTimeoutMs } = entry;
  if (timeoutMs === undefined && onError === undefined && injectTimeoutMs === undefined) return hooks;
  const overridden: Record<string, unknown> = {};
  for (const hook of hookNames) {
    const declared: unknown = hooks[hook];
    if (declared === undefined) continue;
    const overrides = overridesOf(entry, hook);
    if (typeof declared === 'function') overridden[hook] = { handler: declared.bind(self), ...overrides };
    else {
      // The loader has checked it: an object with a handler.
      const options = declared as { readonly handler: (...input: unknown[]) => unknown };
      overridden[hook] = { ...options, handler: options.handler.bind(options), ...overrides };
    }
  }
  return overridden as PluginHooks;
}
