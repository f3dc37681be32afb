/**
 * What a plugin in a process of its own may read without being granted it: its own code. A folder that is clearly the plugin's (it
 * has a manifest) is readable as a whole. A bare file may lie beside anything, a configuration with keys say: then only code that
 * it imports by relative path, from its folder or below, is readable. Packages that it imports are: `node_modules` from its folder
 * upwards, with the `package.json` files that say how to read a module.
 */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { manifestFileName, PluginError } from '@bifrost/sdk';
import { importedFiles, isFile, isInside } from '../../artefacts/imported-files.ts';
import { linkLeadingOut } from './leading-out.ts';

function ancestorsOf(folder: string): readonly string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestorsOf(parent)];
}

/** True where the folder's `package.json` names the file as what it is about. */
function isPackageOf(folder: string, file: string): boolean {
  const manifest = join(folder, 'package.json');
  if (!isFile(manifest)) return false;
  return dirname(file) === folder || readFileSync(manifest, 'utf8').includes(relative(folder, file));
}

/** The folder that belongs to the plugin alone; undefined for a bare file. */
function ownFolder(file: string, shared: readonly string[]): string | undefined {
  const folder = ancestorsOf(dirname(file)).find(
    (candidate) => isFile(join(candidate, manifestFileName)) || isPackageOf(candidate, file),
  );
  if (folder === undefined || folder === dirname(folder)) return undefined;
  return shared.some((other) => isInside(realOf(other), folder)) ? undefined : folder;
}

function realOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : resolve(path);
}

/** A folder that is readable as a whole is so with all that its links lead to. */
function assertClosed(plugin: string, folder: string): void {
  const link = linkLeadingOut(folder);
  if (link === undefined) return;
  throw new PluginError(
    plugin,
    `its folder holds what leads out of it (${link}): a plugin in a process may read its own folder, not what lies elsewhere. ` +
      'Take it away, and grant what is meant (plugins[].capabilities.fs.read)',
    { code: 'BF_PLUGIN_REFUSED' },
  );
}

/**
 * Paths for `--allow-fs-read`; folders end in a separator. `file` is a real path; `shared` are folders that hold what is not the
 * plugin's, such as the configuration's. Throws PluginError for a folder with a link that leads out of it.
 */
export function readableFiles(plugin: string, file: string, shared: readonly string[]): readonly string[] {
  const folder = ownFolder(file, shared);
  if (folder !== undefined) assertClosed(plugin, folder);
  const paths = new Set<string>(folder === undefined ? importedFiles(file) : [folder + sep, file]);
  for (const ancestor of ancestorsOf(dirname(file))) {
    const manifest = join(ancestor, 'package.json');
    if (isFile(manifest)) paths.add(manifest);
    const modules = join(ancestor, 'node_modules');
    if (existsSync(modules)) paths.add(realpathSync(modules) + sep);
  }
  return [...paths];
}
