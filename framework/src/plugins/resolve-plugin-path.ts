/** From the `path` of an entry to a file or a package, before any code runs. */
import { readFileSync, statSync } from 'node:fs';
import { extname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isJsonObject, PluginError } from '@bifrost/sdk';
import type { Json } from '@bifrost/sdk';

/** Where a plugin's module is. */
export type PluginLocation =
  | { readonly kind: 'file'; readonly file: string }
  /** An npm package; `directories` are where the search in `node_modules` begins, the first that has it wins. */
  | { readonly kind: 'package'; readonly name: string; readonly directories: readonly string[] };

export interface PathOptions {
  /** The folder of the config file. */
  readonly baseDirectory: string;
  readonly workingDirectory: string;
}

const moduleExtensions = ['.ts', '.mts', '.js', '.mjs'];
const indexFiles = moduleExtensions.map((extension) => `index${extension}`);

const otherArtefacts: Readonly<Record<string, string>> = {
  '.so': 'a native library',
  '.dylib': 'a native library',
  '.dll': 'a native library',
  '.node': 'a Node-API add-on',
  '.wasm': 'a WebAssembly module',
};

function kindOf(path: string): 'file' | 'folder' | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  return stats.isDirectory() ? 'folder' : 'file';
}

function unsupported(name: string, message: string): PluginError {
  return new PluginError(name, message, { code: 'BF_PLUGIN_ARTEFACT_UNSUPPORTED' });
}

const supported = 'this version loads modules (.ts, .mts, .js, .mjs), folders with an index file, and npm packages';

function assertModuleFile(name: string, file: string): void {
  const extension = extname(file).toLowerCase();
  const other = otherArtefacts[extension];
  if (other !== undefined)
    throw unsupported(name, `${file} is ${other}, which is not yet loaded in this version: ${supported}`);
  if (moduleExtensions.includes(extension)) return;
  const hint =
    extension === '.cjs' || extension === '.cts'
      ? 'rewrite it as an ES module (`export default`) with one of these extensions'
      : supported;
  throw unsupported(name, `${file} ends in "${extension}", expected ${moduleExtensions.join(', ')}: ${hint}`);
}

/** The entry file that a folder's `package.json` names: `exports` (its `.`, condition `import` or `default`), then `main`. */
function statedEntry(manifest: Json): string | undefined {
  if (!isJsonObject(manifest)) return undefined;
  const { exports, main } = manifest;
  let entry: Json | undefined = isJsonObject(exports) && exports['.'] !== undefined ? exports['.'] : exports;
  if (isJsonObject(entry)) entry = entry['import'] ?? entry['default'];
  if (isJsonObject(entry)) entry = entry['default'];
  if (typeof entry === 'string') return entry;
  return typeof main === 'string' ? main : undefined;
}

function readManifest(name: string, file: string): Json | undefined {
  if (kindOf(file) !== 'file') return undefined;
  try {
    // JSON.parse yields JSON.
    return JSON.parse(readFileSync(file, 'utf8')) as Json;
  } catch (cause) {
    throw new PluginError(name, `${file} is not JSON: ${cause instanceof Error ? cause.message : 'unreadable'}`, {
      code: 'BF_PLUGIN_MANIFEST_INVALID',
      cause,
    });
  }
}

function entryOfFolder(name: string, folder: string): string {
  const manifestFile = join(folder, 'package.json');
  const stated = statedEntry(readManifest(name, manifestFile) ?? null);
  if (stated !== undefined) {
    const file = resolve(folder, stated);
    if (kindOf(file) === 'file') return file;
    throw new PluginError(name, `${manifestFile} names "${stated}" as the entry, but there is no file ${file}`, {
      code: 'BF_PLUGIN_FILE_MISSING',
    });
  }
  const found = indexFiles.map((file) => join(folder, file)).find((file) => kindOf(file) === 'file');
  if (found !== undefined) return found;
  throw new PluginError(
    name,
    `the folder ${folder} has no plugin in it: expected a package.json with "exports" or "main", or one of ${indexFiles.join(', ')}`,
    { code: 'BF_PLUGIN_FILE_MISSING' },
  );
}

const packageName = /^(@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*(\/.+)?$/i;

/** True for text that can only be a path: it begins like one or ends like a module. */
function isPathLike(path: string): boolean {
  return (
    path.startsWith('.') ||
    isAbsolute(path) ||
    path.includes('\\') ||
    extname(path) in otherArtefacts ||
    moduleExtensions.includes(extname(path))
  );
}

/** Resolves the `path` of the entry `name`. Throws PluginError that says what was tried. */
export function resolvePluginPath(name: string, path: string, options: PathOptions): PluginLocation {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path) && !path.startsWith('file://')) {
    throw unsupported(name, `"${path}" is a URL; plugins are not yet downloaded in this version: ${supported}`);
  }
  const plain = path.startsWith('file://') ? fileURLToPath(path) : path;
  const directories = [...new Set([options.baseDirectory, options.workingDirectory])];
  const candidates = [...new Set(directories.map((directory) => resolve(directory, plain)))];
  for (const candidate of candidates) {
    const kind = kindOf(candidate);
    const file = kind === 'folder' ? entryOfFolder(name, candidate) : candidate;
    if (kind === undefined) continue;
    assertModuleFile(name, file);
    return { kind: 'file', file };
  }
  if (!isPathLike(plain) && packageName.test(plain)) return { kind: 'package', name: plain, directories };
  throw new PluginError(
    name,
    `there is no file or folder "${path}"; looked for ${candidates.join(' and ')} ` +
      `(config folder ${options.baseDirectory}, working directory ${options.workingDirectory})`,
    { code: 'BF_PLUGIN_FILE_MISSING' },
  );
}
