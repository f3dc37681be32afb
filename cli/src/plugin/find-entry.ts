/** From a path on the command line to an entry as `config.json` would have it: the plugin's own one beside it, if there is one. */
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { isJsonObject, manifestFileName, PluginError } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';
import { locateArtefact } from '@bifrost/framework/artefacts';
import { pluginNamePattern, pluginSchema, toPluginEntry } from '@bifrost/framework/workbench';
import type { PluginEntry } from '@bifrost/framework/workbench';
import { UsageError, unreadable } from '../usage-error.ts';

export interface FindEntryOptions {
  readonly directory: string;
  /** JSON of the plugin's `config`, or a file with it; in the place of what `config.json` says. */
  readonly config?: string;
}

/** The entry, with what stood beside the plugin. */
export interface FoundEntry {
  readonly entry: PluginEntry;
  /** The folder of the plugin. */
  readonly directory: string;
  /** The `config.json` that the entry is from. */
  readonly configFile?: string;
}

function nameFor(path: string): string {
  const name = basename(path)
    .replace(/\.(?:[cm]?[jt]s|wasm|so|dylib|dll|node)$/, '')
    .replaceAll(/[^A-Za-z0-9._-]/g, '-');
  return pluginNamePattern.test(name) ? name : 'plugin';
}

function readJson(file: string, what: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${what} ${unreadable(file, error)}`);
  }
}

function givenConfig(config: string, directory: string): JsonObject {
  let value: unknown;
  if (config.trimStart().startsWith('{')) {
    try {
      value = JSON.parse(config);
    } catch (error) {
      throw new UsageError(`--config is not JSON: ${error instanceof Error ? error.message : 'unreadable'}`);
    }
  } else value = readJson(resolve(directory, config), 'the file of --config');
  if (isJsonObject(value)) return value;
  throw new UsageError(
    '--config takes the JSON object of the plugin\'s own `config`: \'{"greeting": "Hi"}\', or a file with it',
  );
}

/** The entry of `config.json` in `folder` that loads one of `places`. */
function entryBeside(folder: string, places: readonly string[]): { entry: PluginEntry; file: string } | undefined {
  const file = join(folder, 'config.json');
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
  const config = readJson(file, 'the configuration');
  const plugins: unknown = isJsonObject(config) ? config['plugins'] : undefined;
  if (!Array.isArray(plugins)) return undefined;
  for (const stated of plugins) {
    if (!isJsonObject(stated) || typeof stated['path'] !== 'string') continue;
    if (!places.includes(resolve(folder, stated['path']))) continue;
    const parsed = pluginSchema.safeParse(stated);
    if (parsed.success) return { entry: toPluginEntry(parsed.data), file };
    const [issue] = parsed.error.issues;
    throw new UsageError(
      `${file}: the entry that loads ${stated['path']}: ${issue?.path.join('.')}: ${issue?.message}`,
    );
  }
  return undefined;
}

/** Rejects with PluginError where there is nothing at `path`. */
export async function findEntry(path: string, options: FindEntryOptions): Promise<FoundEntry> {
  const { directory, config } = options;
  const absolute = resolve(directory, path.replace(new RegExp(`${manifestFileName}$`), ''));
  const isPath = statSync(absolute, { throwIfNoEntry: false }) !== undefined;
  const located = await locateArtefact(nameFor(absolute), isPath ? absolute : path, {
    baseDirectory: directory,
    workingDirectory: directory,
  });
  const folder = located.directory;
  const beside = entryBeside(folder, [located.file, folder, join(folder, manifestFileName)]);
  const entry: PluginEntry = {
    ...(beside?.entry ?? { name: located.manifest?.name ?? nameFor(absolute) }),
    enabled: true,
    path: located.file,
    ...(config === undefined ? {} : { config: givenConfig(config, directory) }),
  };
  const configFile = beside === undefined || config !== undefined ? {} : { configFile: beside.file };
  return { entry, directory: folder, ...configFile };
}

/** Says where a config comes from, to a failure that is one of a config that nobody gave. */
export function withConfigHint(error: unknown, found: FoundEntry, given: string | undefined): unknown {
  const isMissing = given === undefined && found.configFile === undefined;
  if (!isMissing || !PluginError.isInstance(error) || error.code !== 'BF_PLUGIN_CONFIG_INVALID') return error;
  const { name } = found.entry;
  const message = `${error.message.replace(`plugin ${name}: `, '')}; nothing was given as its config: use --config, or a config.json beside it`;
  return new PluginError(name, message, { code: error.code, cause: error });
}

/** The folder that `path` is in, or is. */
export function folderOf(path: string, directory: string): string {
  const absolute = resolve(directory, path);
  return statSync(absolute, { throwIfNoEntry: false })?.isDirectory() === true ? absolute : dirname(absolute);
}
