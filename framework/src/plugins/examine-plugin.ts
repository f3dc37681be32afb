/** What there is to know of a plugin without making an instance of it: its code is imported, `init` is not run. */
import type { HookName } from '@bifrost/sdk';
import { hookNames } from '@bifrost/sdk';
import { importPlugin } from './import-plugin.ts';
import { identityOf } from './load-plugin.ts';
import type { LoadOptions } from './load-plugin.ts';
import type { PluginEntry } from './plugin-entry.ts';
import { runInPluginScope } from './plugin-scope.ts';
import { readPluginModule } from './read-plugin-module.ts';
import { validatePluginConfig } from './validate-plugin-config.ts';

/** A plugin whose shape and config were checked. */
export interface ExaminedPlugin {
  /** What it calls itself, and the version that its code states. */
  readonly actualName?: string;
  readonly version?: string;
  readonly isGuard: boolean;
  readonly hooks: readonly HookName[];
}

const events = { onDisabled: (): void => undefined, onEscape: (): void => undefined };

/** Imports and checks the plugin of `entry`, and gives back what that took. Rejects with PluginError, in the loader's words. */
export async function examinePlugin(entry: PluginEntry, load: string, options: LoadOptions): Promise<ExaminedPlugin> {
  const identity = identityOf(entry, load, events);
  const imported = await importPlugin(entry, identity, options);
  try {
    const plugin = readPluginModule(entry.name, imported.module);
    const given = { config: options.artefact?.config ?? entry.config, timeoutMs: options.initTimeoutMs };
    await runInPluginScope(identity, () => validatePluginConfig(entry.name, plugin.configSchema, given));
    const { actualName, version, isGuard } = plugin;
    return {
      isGuard: isGuard || imported.isGuard === true,
      hooks: hookNames.filter((hook) => plugin.hooks[hook] !== undefined),
      ...(actualName === undefined ? {} : { actualName }),
      ...(version === undefined ? {} : { version }),
    };
  } finally {
    await imported.unload?.();
  }
}
