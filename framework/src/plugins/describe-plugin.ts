/** A loaded plugin's hooks as plain data, which can be posted to another thread or process. */
import { hookNames } from '@bifrost/sdk';
import type { HookName, HookOptionsData } from '@bifrost/sdk';
import type { LoadedPlugin } from './load-plugin.ts';
import type { PluginDescription } from './remote/remote-plugin.ts';

const dataOptions = ['reads', 'order', 'filter', 'timeoutMs', 'onError', 'chunks', 'holdBack'] as const;

function optionsOf(declared: object): HookOptionsData {
  const stated = Object.entries(declared).filter(([name]) => dataOptions.some((option) => option === name));
  // They were checked when the plugin was loaded.
  return structuredClone(Object.fromEntries(stated)) as HookOptionsData;
}

/** What the plugin says of itself and of its hooks. */
export function describePlugin({ instance, actualName, version }: LoadedPlugin): PluginDescription {
  const hooks: { [Name in HookName]?: HookOptionsData } = {};
  for (const name of hookNames) {
    const declared: unknown = instance.hooks[name];
    if (declared === undefined) continue;
    hooks[name] = typeof declared === 'object' && declared !== null ? optionsOf(declared) : {};
  }
  return {
    isGuard: instance.isGuard,
    hooks,
    ...(actualName === undefined ? {} : { actualName }),
    ...(version === undefined ? {} : { version }),
  };
}
