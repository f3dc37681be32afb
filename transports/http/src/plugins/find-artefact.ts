import type { PluginSupply } from '@bifrost/framework/config';
import type { PluginEntry, ResolvedArtefact } from '@bifrost/framework/plugins';
import { isNativeCodeAllowed } from '@bifrost/framework/realms';

export interface FindArtefactOptions {
  /** Where relative paths start. */
  readonly baseDirectory: string;
  /** Where downloaded and uploaded plugins are kept. */
  readonly pluginDirectory: string | undefined;
  readonly trust: PluginSupply | undefined;
}

/**
 * The artefact of an entry, checked before any of its code runs; built-in plugins (whose config is checked here) and programs at an
 * address have none. Rejects with PluginError.
 */
export async function findArtefact(
  entry: PluginEntry,
  { baseDirectory, pluginDirectory, trust }: FindArtefactOptions,
): Promise<ResolvedArtefact | undefined> {
  // Only a gateway with plugins needs what reads and checks them.
  const { resolveArtefact, toDownloadOptions } = await import('@bifrost/framework/artefacts');
  if (entry.path === undefined || entry.path === '') {
    await checkBuiltinConfig(entry);
    return undefined;
  }
  return resolveArtefact(entry, {
    baseDirectory,
    workingDirectory: process.cwd(),
    isNativeAllowed: isNativeCodeAllowed(),
    ...(pluginDirectory === undefined ? {} : { pluginDirectory }),
    ...(trust === undefined ? {} : { trust, download: toDownloadOptions(trust) }),
  });
}

async function checkBuiltinConfig(entry: PluginEntry): Promise<void> {
  const [{ builtinConfigSchema }, { checkedConfig }] = await Promise.all([
    import('./builtin-config-schema.ts'),
    import('@bifrost/framework/artefacts'),
  ]);
  checkedConfig(entry, builtinConfigSchema(entry.name));
}
