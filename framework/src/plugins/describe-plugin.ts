/** A loaded plugin's hooks as plain data, which can be posted to another thread or process. */
import type { PluginHooks } from '@bifrost/core';
import { hookNames } from '@bifrost/sdk';
import type { HookName, HookOptionsData } from '@bifrost/sdk';
import { configViewsOf } from './config-view.ts';
import type { ConfigViewName } from './config-view.ts';
import type { LoadedPlugin } from './load-plugin.ts';
import type { CheckedPlugin } from './read-plugin-module.ts';
import type { PluginDescription } from './remote/remote-plugin.ts';

const dataOptions = ['reads', 'order', 'filter', 'timeoutMs', 'onError', 'chunks', 'holdBack'] as const;

function optionsOf(declared: object): HookOptionsData {
  const stated = Object.entries(declared).filter(([name]) => dataOptions.some((option) => option === name));
  // They were checked when the plugin was loaded.
  return structuredClone(Object.fromEntries(stated)) as HookOptionsData;
}

/** The hooks' options, without their handlers. */
function describeHooks(declaredHooks: PluginHooks): PluginDescription['hooks'] {
  const hooks: { [Name in HookName]?: HookOptionsData } = {};
  for (const name of hookNames) {
    const declared: unknown = declaredHooks[name];
    if (declared === undefined) continue;
    hooks[name] = typeof declared === 'object' && declared !== null ? optionsOf(declared) : {};
  }
  return hooks;
}

function namesOf({ actualName, version }: { readonly actualName?: string; readonly version?: string }): {
  readonly actualName?: string;
  readonly version?: string;
} {
  return { ...(actualName === undefined ? {} : { actualName }), ...(version === undefined ? {} : { version }) };
}

function viewsOf(configViews: readonly ConfigViewName[]): { readonly configViews?: readonly ConfigViewName[] } {
  return configViews.length === 0 ? {} : { configViews };
}

/** What the plugin says of itself and of its hooks. */
export function describePlugin(plugin: LoadedPlugin): PluginDescription {
  const { instance, configViews = [] } = plugin;
  return {
    isGuard: instance.isGuard,
    hooks: describeHooks(instance.hooks),
    ...namesOf(plugin),
    ...viewsOf(configViews),
  };
}

/** The same of a plugin whose shape was checked and that runs elsewhere. */
export function describeChecked(plugin: CheckedPlugin): PluginDescription {
  return {
    isGuard: plugin.isGuard,
    hooks: describeHooks(plugin.hooks),
    ...namesOf(plugin),
    ...viewsOf(configViewsOf(plugin)),
  };
}
