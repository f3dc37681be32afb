/** Plugins that are found in a folder in the place of being named one by one. Only names are looked at: no code of theirs runs here. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { isJsonObject, manifestFileName } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import { kindByName } from '../plugins/artefacts/inspection/kind-by-name.ts';
import { pluginNamePattern } from '../plugins/plugin-entry.ts';
import { parseJsonText } from './json-text.ts';
import type { ConfigNote } from './loaded-config.ts';
import type { ConfigProblem } from './problem.ts';

/** One plugin of the folder, as an entry of `plugins` would name it. */
interface FoundPlugin {
  readonly name: string;
  readonly path: string;
  /** Only where nothing else can run it. */
  readonly isolation?: 'grpc';
}

export interface PluginsDirectoryOptions {
  readonly directory: string;
  /** Where it was named, for what is wrong with it: a key of the file, a flag. */
  readonly origin: string;
  /** Names that have a meaning of their own: plugins that come with the gateway, and Bifrost's. */
  readonly reservedNames: ReadonlySet<string>;
  readonly entries: readonly JsonObject[];
  /** Where relative paths of the entries start. */
  readonly baseDirectory: string;
}

export interface PluginsDirectoryResult {
  /** The entries, each without a `path` that the folder has a plugin for with its path; then those that no entry names. */
  readonly entries: readonly JsonObject[];
  readonly notes: readonly ConfigNote[];
  readonly problems: readonly ConfigProblem[];
}

const indexFiles = ['index.ts', 'index.mts', 'index.js', 'index.mjs'];
/** Beside plugins lie their types and tests. */
const notPlugins = /\.d\.[cm]?ts$|\.(?:test|spec)\.[cm]?[jt]s$/;
const writableByAll = 0o002;

function readObject(file: string): JsonObject {
  try {
    const parsed = parseJsonText(readFileSync(file, 'utf8'));
    return 'value' in parsed && isJsonObject(parsed.value) ? parsed.value : {};
  } catch {
    return {}; // what is wrong with it is said when it is loaded
  }
}

/** What the manifest of a folder says, wherever it stands; undefined where the folder is none of a plugin. */
function manifestOf(folder: string): JsonObject | undefined {
  const own = join(folder, manifestFileName);
  if (existsSync(own)) return readObject(own);
  const stated = readObject(join(folder, 'package.json'));
  const member: Json | undefined = stated['bifrost'];
  if (isJsonObject(member)) return member;
  const hasEntry = stated['exports'] !== undefined || stated['main'] !== undefined;
  return hasEntry || indexFiles.some((name) => existsSync(join(folder, name))) ? {} : undefined;
}

function findPlugin(path: string, stats: Stats): FoundPlugin | undefined {
  const file = basename(path);
  if (stats.isFile()) {
    const isPlugin = kindByName(path) !== undefined && !notPlugins.test(file);
    return isPlugin ? { name: file.slice(0, -extname(file).length), path } : undefined;
  }
  const manifest = stats.isDirectory() ? manifestOf(path) : undefined;
  if (manifest === undefined) return undefined;
  const { name, kind } = manifest;
  return {
    name: typeof name === 'string' ? name : file,
    path,
    ...(kind === 'grpc' ? { isolation: 'grpc' } : {}),
  };
}

function listFolder(directory: string): readonly FoundPlugin[] {
  return readdirSync(directory)
    .filter((name) => !name.startsWith('.') && name !== 'node_modules')
    .toSorted()
    .flatMap((name) => {
      const path = join(directory, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      const found = stats === undefined ? undefined : findPlugin(path, stats);
      return found === undefined ? [] : [found];
    });
}

/** Why nothing is taken from the folder. */
function explainFolder(directory: string): string | undefined {
  const stats = statSync(directory, { throwIfNoEntry: false });
  if (stats === undefined) return `there is no folder ${directory}`;
  if (!stats.isDirectory()) return `${directory} is no folder`;
  if (existsSync(join(directory, manifestFileName))) {
    return `${directory} is a plugin itself (it has ${manifestFileName}): give the folder above it, or its path in an entry`;
  }
  if (process.platform === 'win32' || (stats.mode & writableByAll) === 0) return undefined;
  return `every user of this machine may write to ${directory}, and what lies there is run: \`chmod o-w ${directory}\``;
}

const hasOwnSource = (entry: JsonObject): boolean =>
  ['path', 'address', 'command'].some((key) => entry[key] !== undefined);

/** Why a plugin of the folder is left out although no entry speaks of it. */
function explainLeftOut({ name, path }: FoundPlugin, reservedNames: ReadonlySet<string>): string | undefined {
  if (!pluginNamePattern.test(name))
    return `${path}: "${name}" is no name for a plugin (letters, digits, ".", "_", "-")`;
  if (!reservedNames.has(name)) return undefined;
  return `${path}: "${name}" is the name of a plugin of the gateway; give it another one, or name its path in an entry`;
}

/** The entries of the configuration with what lies in the folder: an entry of the same name says how it is run, or that it is not. */
export function addPluginsOf(options: PluginsDirectoryOptions): PluginsDirectoryResult {
  const { origin, reservedNames, baseDirectory } = options;
  const directory = resolve(options.directory);
  const problem = explainFolder(directory);
  if (problem !== undefined)
    return { entries: options.entries, notes: [], problems: [{ path: origin, message: problem }] };
  const paths = new Set(
    options.entries.flatMap(({ path }) => (typeof path === 'string' ? [resolve(baseDirectory, path)] : [])),
  );
  const unnamed = listFolder(directory).filter(({ path }) => !paths.has(path));
  const elsewhere = new Map(
    options.entries.flatMap((entry) =>
      typeof entry['name'] === 'string' && hasOwnSource(entry) ? [[entry['name'], 'an entry with another path']] : [],
    ),
  );
  const notes: ConfigNote[] = [];
  const found = new Map<string, FoundPlugin>();
  for (const plugin of unnamed) {
    const other = found.get(plugin.name)?.path ?? elsewhere.get(plugin.name);
    const reason =
      explainLeftOut(plugin, reservedNames) ??
      (other === undefined ? undefined : `${plugin.path}: "${plugin.name}" is the name of ${other} too`);
    if (reason === undefined) found.set(plugin.name, plugin);
    else notes.push({ level: 'warn', message: `left out of the plugins: ${reason}` });
  }
  const named = new Set<string>();
  const entries = options.entries.map((entry) => {
    const { name } = entry;
    if (typeof name !== 'string') return entry;
    named.add(name);
    const plugin = hasOwnSource(entry) ? undefined : found.get(name);
    return plugin === undefined ? entry : { ...plugin, ...entry };
  });
  const added = [...found.values()].filter(({ name }) => !named.has(name));
  const names = [...found.keys()];
  notes.unshift({
    level: 'info',
    message: `plugins in ${directory}: ${names.length === 0 ? 'none' : names.join(', ')}`,
  });
  return { entries: [...entries, ...added.map((plugin) => ({ ...plugin }))], notes, problems: [] };
}
