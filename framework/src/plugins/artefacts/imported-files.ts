import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, extname, relative, resolve, sep } from 'node:path';

const codeExtensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.wasm'];
const endings = ['', '.js', '.cjs', '.ts', `${sep}index.js`, `${sep}index.ts`];
const maxFiles = 2000;
const relativeImport = /['"`](\.{1,2}\/[^'"`\n]{1,500})['"`]/g;

/** Whether `path` is the folder or lies below it. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (!way.startsWith('..') && resolve(folder, way) === path);
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isCode(extension: string, isJsonToo: boolean): boolean {
  return codeExtensions.includes(extension) || (isJsonToo && extension === '.json');
}

/** The code that `entry` imports by relative paths, directly or not: at or below its folder, or anywhere, JSON then too. */
export function importedFiles(
  entry: string,
  { isAnywhere = false }: { readonly isAnywhere?: boolean } = {},
): ReadonlySet<string> {
  const root = dirname(entry);
  const found = new Set([entry]);
  for (const file of found) {
    if (['.wasm', '.json'].includes(extname(file))) continue;
    for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(relativeImport)) {
      const target = endings.map((ending) => resolve(dirname(file), path) + ending).find((name) => isFile(name));
      if (target === undefined || !isCode(extname(target), isAnywhere)) continue;
      const real = realpathSync(target);
      if ((isAnywhere || isInside(real, root)) && found.size < maxFiles) found.add(real);
    }
  }
  return found;
}
