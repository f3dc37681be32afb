import type { PluginSupply } from '@bifrost/framework/config';
import type { PluginEntry, ResolvedArtefact } from '@bifrost/framework/plugins';
import { isNativeCodeAllowed } from '@bifrost/framework/realms';
import { builtinEntries } from './builtin-plugins.ts';

export interface FindArtefactOptions {
  /** Where relative paths start. */
  readonly baseDirectory: string;
  /** Where downloaded and uploaded plugins are kept. */
  readonly pluginDirectory: string | undefined;
  readonly trust: PluginSupply | undefined;
}

/** The artefact of an entry, checked before any of its code runs; programs at an address have none. Rejects with PluginError. */
export async function findArtefact(
  entry: PluginEntry,
  { baseDirectory, pluginDirectory, trust }: FindArtefactOptions,
): Promise<ResolvedArtefact | undefined> {
  // Only a gateway with plugins needs what reads and checks them.
  const { resolveArtefact, resolveBuiltin, toDownloadOptions } = await import('@bifrost/framework/artefacts');
  if (entry.path === undefined || entry.path === '') {
    if (entry.grpc !== undefined) return undefined;
    const { builtinManifest } = await import('./builtin-manifests.ts');
    const [module, manifest] = [builtinEntries.get(entry.name), builtinManifest(entry.name)];
    const builtin = module === undefined || manifest === undefined ? undefined : { module, manifest };
    return resolveBuiltin(entry, builtin, [...builtinEntries.keys()]);
  }
  return resolveArtefact(entry, {
    baseDirectory,
    workingDirectory: process.cwd(),
    isNativeAllowed: isNativeCodeAllowed(),
    ...(pluginDirectory === undefined ? {} : { pluginDirectory }),
    ...(trust === undefined ? {} : { trust, download: toDownloadOptions(trust) }),
  });
}
