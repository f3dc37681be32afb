/** From the `path` of an entry to a file on this machine and its manifest. No code runs, nothing is downloaded. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isJsonObject, manifestFileName, PluginError } from '@bifrost/sdk';
import type { JsonObject, PluginManifest } from '@bifrost/sdk';
import { parseJsonText } from '../../config/json-text.ts';
import { nearestWord } from '../../config/suggestion.ts';
import { acceptManifest, parseManifest } from './manifest/parse-manifest.ts';
import { kindByName } from './inspection/kind-by-name.ts';
import { packageEntry } from './package-entry.ts';
import { readArtefactFile, statPath } from './read-artefact-file.ts';

export interface LocateOptions {
  /** The folder of the config file: where relative paths start. */
  readonly baseDirectory: string;
  readonly workingDirectory: string;
}

/** An artefact that was found. */
export interface LocatedArtefact {
  readonly file: string;
  /** The plugin's folder: the manifest's, else the file's. */
  readonly directory: string;
  readonly manifest?: PluginManifest;
  /** The npm package, where `path` named one. */
  readonly packageName?: string;
}

const indexFiles = ['index.ts', 'index.mts', 'index.js', 'index.mjs'];

function missing(plugin: string, message: string): PluginError {
  return new PluginError(plugin, message, { code: 'BF_PLUGIN_FILE_MISSING' });
}

async function readJson(plugin: string, file: string): Promise<JsonObject> {
  const parsed = parseJsonText((await readArtefactFile(plugin, file)).toString('utf8'));
  const refuse = (message: string): never => {
    throw new PluginError(plugin, message, { code: 'BF_PLUGIN_MANIFEST_INVALID' });
  };
  if ('error' in parsed)
    return refuse(`${file}:${parsed.position.line}:${parsed.position.column} is not JSON: ${parsed.error}`);
  return isJsonObject(parsed.value) ? parsed.value : refuse(`${file} has no JSON object in it`);
}

interface FolderFacts {
  readonly manifest?: PluginManifest;
  readonly manifestFile?: string;
  readonly package?: JsonObject;
}

/** The manifest of a folder: a file of its own, or a member of package.json. */
async function readFolder(plugin: string, folder: string): Promise<FolderFacts> {
  const [own, packageFile] = [join(folder, manifestFileName), join(folder, 'package.json')];
  const stated = statPath(plugin, packageFile) === 'file' ? await readJson(plugin, packageFile) : undefined;
  const rest = stated === undefined ? {} : { package: stated };
  if (statPath(plugin, own) === 'file') {
    const text = (await readArtefactFile(plugin, own)).toString('utf8');
    return { manifest: parseManifest(plugin, own, text), manifestFile: own, ...rest };
  }
  const member = stated?.['bifrost'];
  if (member === undefined) return rest;
  const at = `${packageFile} (bifrost)`;
  return { manifest: acceptManifest(plugin, at, member), manifestFile: at, ...rest };
}

/** True for what a compiler makes of the sources in its folder. */
function isMade(path: string): boolean {
  const isCompiled = ['wasm', 'native', 'node-addon'].includes(kindByName(path) ?? '');
  return isCompiled && ['Makefile', 'build.sh'].some((name) => existsSync(join(dirname(path), name)));
}

/** `./dist/plugn.so` -> `; did you mean /p/dist/plugin.so?`: the first part of the path that is not there, and what is there. */
function suggestPath(plugin: string, path: string): string {
  if (isMade(path)) return `; it has to be built first: \`bifrost plugin build ${dirname(path)}\``;
  let [folder, wanted] = [dirname(path), basename(path)];
  while (folder !== dirname(folder) && statPath(plugin, folder) === undefined) {
    [folder, wanted] = [dirname(folder), basename(folder)];
  }
  let names: readonly string[] = [];
  try {
    names = readdirSync(folder);
  } catch {
    // A folder that may not be listed has no suggestions.
  }
  const near =
    nearestWord(wanted, names) ?? names.find((name) => name.replace(/\.[^.]+$/, '') === wanted.replace(/\.[^.]+$/, ''));
  return near === undefined ? '' : `; did you mean ${join(folder, near)}?`;
}

function fileOf(plugin: string, folder: string, stated: { readonly entry: string; readonly by: string }): string {
  const file = resolve(folder, stated.entry);
  if (statPath(plugin, file) === 'file') return file;
  const hint = suggestPath(plugin, file);
  throw missing(plugin, `${stated.by} names "${stated.entry}" as the entry, but there is no file ${file}${hint}`);
}

async function locateInFolder(plugin: string, folder: string): Promise<LocatedArtefact> {
  const facts = await readFolder(plugin, folder);
  const { manifest, manifestFile = '' } = facts;
  if (manifest !== undefined) {
    const file = fileOf(plugin, folder, { entry: manifest.main, by: manifestFile });
    return { file, directory: folder, manifest };
  }
  const entry = facts.package === undefined ? undefined : packageEntry(facts.package, '.');
  if (entry !== undefined) {
    return { file: fileOf(plugin, folder, { entry, by: join(folder, 'package.json') }), directory: folder };
  }
  const found = indexFiles.map((name) => join(folder, name)).find((file) => statPath(plugin, file) === 'file');
  if (found !== undefined) return { file: found, directory: folder };
  throw missing(
    plugin,
    `the folder ${folder} has no plugin in it: expected ${manifestFileName}, ` +
      `a package.json with "exports" or "main", or one of ${indexFiles.join(', ')}${suggestCompiled(folder)}`,
  );
}

/** The one compiled plugin that a folder without a manifest holds. */
function suggestCompiled(folder: string): string {
  const compiled = readdirSync(folder).filter((name) => /\.(?:wasm|so|dylib|dll|node)$/.test(name));
  const [name] = compiled;
  if (name === undefined || compiled.length > 1) return '';
  return `; it holds ${name}: did you mean ${join(folder, name)}?`;
}

/** A manifest beside a file counts for that file only if it names it: a folder may have many plugins. */
async function locateFile(plugin: string, file: string): Promise<LocatedArtefact> {
  const directory = dirname(file);
  if (basename(file) === manifestFileName) return locateInFolder(plugin, directory);
  const { manifest } = await readFolder(plugin, directory);
  const isItsOwn = manifest !== undefined && resolve(directory, manifest.main) === file;
  return { file, directory, ...(isItsOwn ? { manifest } : {}) };
}

const packagePattern = /^(?<name>(?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*)(?<subpath>\/.+)?$/i;

/** True for text that can only be a path: it begins like one, or ends like an artefact. */
function isPathLike(path: string): boolean {
  const hasExtension = kindByName(path) !== undefined || ['.cjs', '.cts', '.json'].includes(extname(path));
  return path.startsWith('.') || isAbsolute(path) || path.includes('\\') || hasExtension;
}

/** The folder of an installed package, looked for as Node does: `node_modules` of each folder upwards. */
function packageFolder(plugin: string, name: string, directories: readonly string[]): string | undefined {
  for (const start of directories) {
    let directory = resolve(start);
    for (;;) {
      const folder = join(directory, 'node_modules', name);
      if (statPath(plugin, folder) === 'folder') return folder;
      if (directory === dirname(directory)) break;
      directory = dirname(directory);
    }
  }
  return undefined;
}

async function locatePackage(
  plugin: string,
  path: string,
  directories: readonly string[],
): Promise<LocatedArtefact | undefined> {
  const { name = '', subpath } = packagePattern.exec(path)?.groups ?? {};
  const folder = packageFolder(plugin, name, directories);
  if (folder === undefined) return undefined;
  if (subpath === undefined) return { ...(await locateInFolder(plugin, folder)), packageName: name };
  const facts = await readFolder(plugin, folder);
  const entry = packageEntry(facts.package ?? {}, `.${subpath}`);
  const by = join(folder, 'package.json');
  if (entry === undefined) throw missing(plugin, `${by} does not export ".${subpath}"`);
  const file = fileOf(plugin, folder, { entry, by });
  const isManifests = facts.manifest !== undefined && resolve(folder, facts.manifest.main) === file;
  return { file, directory: folder, packageName: name, ...(isManifests ? { manifest: facts.manifest } : {}) };
}

/**
 * Finds what the `path` of an entry names: a file, a folder, or an installed npm package. Rejects with PluginError that says where
 * was looked, and what may have been meant.
 */
export async function locateArtefact(plugin: string, path: string, options: LocateOptions): Promise<LocatedArtefact> {
  const plain = path.startsWith('file://') ? fileURLToPath(path) : path;
  const directories = [...new Set([options.baseDirectory, options.workingDirectory])];
  const candidates = [...new Set(directories.map((directory) => resolve(directory, plain)))];
  for (const candidate of candidates) {
    const kind = statPath(plugin, candidate);
    if (kind === 'folder') return locateInFolder(plugin, candidate);
    if (kind !== undefined) return locateFile(plugin, candidate);
  }
  const isPackage = !isPathLike(plain) && packagePattern.test(plain);
  const found = isPackage ? await locatePackage(plugin, plain, directories) : undefined;
  if (found !== undefined) return found;
  const hint = candidates.map((candidate) => suggestPath(plugin, candidate)).find((text) => text !== '') ?? '';
  const where = `looked for ${candidates.join(' and ')} (config folder ${options.baseDirectory}, working directory ${options.workingDirectory})`;
  if (!isPackage) throw missing(plugin, `there is no file or folder "${path}"${hint}; ${where}`);
  throw missing(
    plugin,
    `there is no file, folder or npm package "${path}"${hint}; ${where}, and in node_modules from there upwards ` +
      `(\`npm install ${path}\` there, or begin the path with "./" for a file)`,
  );
}
