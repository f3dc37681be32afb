import { hookNames } from '@bifrost/sdk';
import { readPluginModule } from '../../read-plugin-module.ts';
import type { PluginDescription } from '../remote-plugin.ts';

/** A description comes out of the plugin's own realm: it is checked like a plugin's own declarations. */
export function assertDescription(name: string, { hooks, actualName, version, isGuard }: PluginDescription): void {
  const plugin: Record<string, unknown> = { name: actualName, version, guard: isGuard, init: () => undefined };
  for (const hook of hookNames) {
    if (hooks[hook] !== undefined) plugin[hook] = { ...hooks[hook], handler: () => undefined };
  }
  readPluginModule(name, { default: plugin });
}
