import { fileURLToPath } from 'node:url';
import { PluginError } from '@bifrost/sdk';
import type { PluginManifest } from '@bifrost/sdk';
import { entryUrl } from '../../realms/index.ts';
import type { RealmEntry } from '../../realms/index.ts';
import { claimedByManifest, describeFailure } from '../failed-description.ts';
import type { PluginEntry } from '../plugin-entry.ts';
import type { ResolvedArtefact } from '../plugin-plan.ts';
import { checkedConfig } from './resolve-artefact.ts';

/** A plugin that is a part of the program. */
export interface BuiltinPlugin {
  readonly module: RealmEntry;
  readonly manifest: PluginManifest;
}

/** The artefact of an entry without a path: checked as any other, and loaded in any isolation. Throws PluginError. */
export function resolveBuiltin(entry: PluginEntry, builtin: BuiltinPlugin | undefined): ResolvedArtefact {
  if (builtin === undefined) {
    throw new PluginError(entry.name, 'it has no `path`, and the gateway has no built-in plugin of that name', {
      code: 'BF_PLUGIN_UNKNOWN',
    });
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
