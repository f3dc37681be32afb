import { PluginError } from '@bifrost/sdk';
import { pluginNamePattern } from './plugin-entry.ts';
import type { PluginEntry } from './plugin-entry.ts';

/** What is wrong with the entry itself, before anything is looked up; `earlier` are the names of the entries before it. */
export function checkEntry(entry: PluginEntry, earlier: ReadonlySet<string>): PluginError | undefined {
  const { name, path, placement } = entry;
  const fault = (message: string): PluginError => new PluginError(name, message, { code: 'BF_PLUGIN_ENTRY_INVALID' });
  if (!pluginNamePattern.test(name))
    return fault('a name has letters, digits, ".", "_" and "-", and begins with a letter or digit');
  if (earlier.has(name)) return fault('there is an earlier entry of that name: each needs its own');
  if (placement === 'builtin' && path !== undefined)
    return fault('placement "builtin" is kept for built-in plugins: use "pre_builtin" or "post_builtin"');
  return undefined;
}

/** Throws PluginError where something is wrong with the entry itself. */
export function assertEntry(entry: PluginEntry): void {
  const fault = checkEntry(entry, new Set());
  if (fault !== undefined) throw fault;
}
