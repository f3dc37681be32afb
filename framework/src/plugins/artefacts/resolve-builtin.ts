import { fileURLToPath } from 'node:url';
import { PluginError } from '@bifrost/sdk';
import type { PluginManifest } from '@bifrost/sdk';
import { entryUrl } from '../../realms/index.ts';
import type { RealmEntry } from '../../realms/index.ts';
import { claimedByManifest, describeFailure } from '../failed-description.ts';
import type { PluginEntry } from '../plugin-entry.ts';
import type { ResolvedArtefact } from '../plugin-plan.ts';
import { didYouMean } from '../../config/suggestion.ts';
import { checkedConfig } from './resolve-artefact.ts';

/** A plugin that is a part of the program. */
export interface BuiltinPlugin {
  readonly module: RealmEntry;
  readonly manifest: PluginManifest;
}

/**
 * The artefact of an entry without a path: checked as any other, and loaded in any isolation. Throws PluginError; `names` are those
 * of all built-in plugins.
 */
export function resolveBuiltin(
  entry: PluginEntry,
  builtin: BuiltinPlugin | undefined,
  names: readonly string[],
): ResolvedArtefact {
  if (builtin === undefined) {
    const known = didYouMean(entry.name, names) || `; it has ${names.join(', ')}`;
    const message = `it has no \`path\`, and the gateway has no built-in plugin of that name${known}`;
    throw new PluginError(entry.name, message, { code: 'BF_PLUGIN_UNKNOWN' });
  }
  const { module, manifest } = builtin;
  try {
    const config = checkedConfig(entry, manifest.configSchema);
    const url = entryUrl(module);
    // Inside the executable it has no file of its own.
    const file = url.startsWith('file:') ? fileURLToPath(url) : process.execPath;
    return { kind: 'module', file, moduleUrl: url, manifest, ...(config === undefined ? {} : { config }) };
  } catch (error) {
    throw describeFailure(error, claimedByManifest(manifest));
  }
}
