import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { getAssetKeys } from 'node:sea';
import { fileURLToPath } from 'node:url';
import { readAsset } from './asset.ts';
import { packaging } from './packaging.ts';

/** Below it bundle and executable keep the files that are no code, under their paths in the repository. */
const prefix = 'files/';

function root(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return packaging === 'source' ? join(here, '../../..') : join(here, prefix);
}

/** A file that the program brings along, such as a template; `path` is that in the repository, with forward slashes. */
export function readCarriedFile(path: string): Buffer {
  return packaging === 'executable' ? readAsset(`${prefix}${path}`) : readFileSync(join(root(), path));
}

/** Paths of all carried files below a folder, in the order of their names. */
export function carriedFiles(folder: string): readonly string[] {
  if (packaging === 'executable') {
    const names = getAssetKeys().filter((name) => name.startsWith(`${prefix}${folder}/`));
    return names.map((name) => name.slice(prefix.length)).toSorted();
  }
  return readdirSync(join(root(), folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root(), join(entry.parentPath, entry.name)).split(sep).join('/'))
    .toSorted();
}
