/** Brings the code of a plugin into this realm, whatever kind of artefact it is; nothing of it is called. */
import { settleWithin } from '@bifrost/core/plugins';
import { PluginError } from '@bifrost/sdk';
import type { PluginManifest } from '@bifrost/sdk';
import { explainLoadError } from './explain-load-error.ts';
import type { LoadOptions } from './load-plugin.ts';
import { beginPluginImport } from './module-hooks.ts';
import type { PluginImport } from './module-hooks.ts';
import type { PluginEntry } from './plugin-entry.ts';
import type { ResolvedArtefact } from './plugin-plan.ts';
import { pluginLog } from './plugin-log.ts';
import { runInPluginScope } from './plugin-scope.ts';
import type { PluginIdentity } from './plugin-scope.ts';

/** A plugin whose code is in the realm; nothing of it was called yet. */
export interface ImportedPlugin {
  /** A module namespace, or `{ default: plugin }`. */
  readonly module: unknown;
  readonly file?: string;
  /** Its own modules, the entry first; grows with late imports. */
  readonly files?: readonly string[];
  /** Gives back what the realm holds for it. Called once: after `cleanup`, or when the load fails later on. */
  readonly unload?: () => void | Promise<void>;
  /** Its manifest says that it is a guard, for artefacts that cannot say so themselves. */
  readonly isGuard?: boolean;
  /** Its manifest's version, for a plugin that states none in its code. */
  readonly version?: string;
}

/** Brings the code of `entry` into the realm. Rejects with PluginError. */
export async function importPlugin(
  entry: PluginEntry,
  identity: PluginIdentity,
  options: LoadOptions,
): Promise<ImportedPlugin> {
  const { name } = entry;
  const { artefact } = options;
  if (artefact !== undefined && artefact.kind !== 'module') return loadArtefact(entry, artefact, identity, options);
  if (artefact !== undefined) {
    const { file, moduleUrl } = artefact;
    const imported = await importPluginModule(name, { file, moduleUrl }, identity, options);
    return { ...imported, ...manifestFacts(artefact.manifest) };
  }
  const builtin = options.builtins.get(name);
  // Who registers a function gives the module when it is asked for.
  if (typeof builtin === 'function') return { module: await (builtin as () => Promise<unknown>)() };
  if (builtin !== undefined) return { module: builtin };
  throw new PluginError(name, 'it has no `path`, and the gateway has no built-in plugin of that name', {
    code: 'BF_PLUGIN_UNKNOWN',
  });
}

async function loadArtefact(
  { name, capabilities, memoryLimitBytes }: PluginEntry,
  { kind, file, manifest }: ResolvedArtefact,
  { generation }: PluginIdentity,
  { loaders, logger }: LoadOptions,
): Promise<ImportedPlugin> {
  const loader = await loaders?.(kind);
  if (loader === undefined) {
    const fix = kind === 'grpc' ? ': set `"isolation": "grpc"` in its entry' : '';
    throw new PluginError(name, `${file} is of the kind "${kind}", which cannot be loaded here${fix}`, {
      code: 'BF_PLUGIN_ARTEFACT_UNSUPPORTED',
    });
  }
  const artefact = await loader.load({
    name,
    file,
    generation,
    grants: capabilities ?? {},
    log: pluginLog(logger, name),
    ...(manifest === undefined ? {} : { manifest }),
    ...(memoryLimitBytes === undefined ? {} : { maxMemoryBytes: memoryLimitBytes }),
  });
  const unload = (): void | Promise<void> => artefact.unload?.();
  return { module: artefact.module, file, unload, ...manifestFacts(manifest) };
}

function manifestFacts(manifest: PluginManifest | undefined): Pick<ImportedPlugin, 'isGuard' | 'version'> {
  if (manifest === undefined) return {};
  return { isGuard: manifest.guard === true, version: manifest.version };
}

/** Imports the module `file`, or the one of the program at `moduleUrl`. Rejects with PluginError. */
async function importPluginModule(
  name: string,
  { file, moduleUrl }: { readonly file: string; readonly moduleUrl?: string | undefined },
  identity: PluginIdentity,
  options: Pick<LoadOptions, 'initTimeoutMs' | 'importModule'>,
): Promise<ImportedPlugin> {
  const begun = beginPluginImport(name, identity.generation, file);
  // The program's own modules are never replaced: all loads share them.
  const { specifier, plugin } = moduleUrl === undefined ? begun : { ...begun, specifier: moduleUrl };
  const settled = await settleWithin(
    runInPluginScope(identity, () => options.importModule(specifier)),
    options.initTimeoutMs,
  );
  if (settled.kind === 'value') return { module: settled.value, files: plugin.files, ...entryFile(plugin) };
  if (settled.kind === 'threw') {
    throw explainLoadError(name, settled.thrown, plugin.files);
  }
  throw new PluginError(
    name,
    `its module was not loaded within ${options.initTimeoutMs} ms (a top-level await that does not end?)`,
    {
      code: 'BF_PLUGIN_INIT_TIMEOUT',
    },
  );
}

function entryFile(plugin: PluginImport): { readonly file?: string } {
  const [file] = plugin.files;
  return file === undefined ? {} : { file };
}
