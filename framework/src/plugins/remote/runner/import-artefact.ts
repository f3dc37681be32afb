/** Brings an artefact into the runner's realm with the loader that a serving thread would use. */
import { PluginError } from '@bifrost/sdk';
import type { PluginCapabilities, PluginLog } from '@bifrost/sdk';
import { importPluginModule } from '../../load-plugin.ts';
import type { ImportedPlugin } from '../../load-plugin.ts';
import type { PluginEntry } from '../../plugin-entry.ts';
import type { PluginIdentity } from '../../plugin-scope.ts';
import type { RemoteArtefact } from '../control.ts';

export interface ImportArtefactOptions {
  readonly entry: PluginEntry;
  readonly identity: PluginIdentity;
  readonly grants: PluginCapabilities;
  readonly logger: PluginLog;
  readonly importModule: (specifier: string) => Promise<unknown>;
  readonly initTimeoutMs: number;
  readonly maxMemoryBytes?: number;
}

/** Rejects with PluginError, in the words that an inline load has. */
export async function importArtefact(
  artefact: RemoteArtefact,
  options: ImportArtefactOptions,
): Promise<ImportedPlugin> {
  const { entry, identity } = options;
  if (artefact.kind === 'module') {
    return importPluginModule(entry.name, { kind: 'file', file: artefact.file }, identity, options);
  }
  throw new PluginError(entry.name, `${artefact.file} is of a kind that cannot be run outside of the serving threads`, {
    code: 'BF_PLUGIN_ARTEFACT_UNSUPPORTED',
  });
}
