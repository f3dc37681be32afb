/**
 * What a digest binds. A plugin may load every file of its folder, so a pin or a signature that spoke of `main` alone would say nothing of
 * the code that runs: the manifest's `files` has the digests of all others, and no file may be there that it does not name.
 */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { manifestFileName, PluginError } from '@bifrost/sdk';
import type { PluginManifest } from '@bifrost/sdk';
import { sha256Of, toIntegrity } from './download/integrity.ts';
import { importedFiles } from './imported-files.ts';
import type { LocatedArtefact } from './locate-artefact.ts';
import { readArtefactFile, statPath } from './read-artefact-file.ts';

const maxFiles = 5000;
const shownFiles = 3;

/** The digests of all files below a folder, by their path in it with `/`; the manifest and `main` are left out. */
export async function filesBeside(
  plugin: string,
  folder: string,
  main: string,
): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths: string[] = [];
  for (const entry of entries) {
    const path = relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/');
    if (entry.isDirectory() || path === manifestFileName || path === main) continue;
    if (!entry.isFile()) {
      throw new PluginError(plugin, `${join(folder, path)} is no regular file: a digest can bind none but these`, {
        code: 'BF_PLUGIN_DIGEST_MISMATCH',
      });
    }
    paths.push(path);
  }
  if (paths.length > maxFiles) {
    throw new PluginError(plugin, `${folder} has ${paths.length} files; at most ${maxFiles} are bound by digests`, {
      code: 'BF_PLUGIN_DIGEST_MISMATCH',
    });
  }
  const digests: [string, string][] = [];
  for (const path of paths.toSorted()) {
    digests.push([path, toIntegrity(sha256Of(await readArtefactFile(plugin, join(folder, path))))]);
  }
  return Object.fromEntries(digests);
}

function list(paths: readonly string[]): string {
  const more = paths.length - shownFiles;
  return `${paths.slice(0, shownFiles).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Throws PluginError unless the folder has the files that its manifest names, as they were, and no others. */
export async function assertFiles(plugin: string, folder: string, manifest: PluginManifest): Promise<void> {
  const { files, main } = manifest;
  if (files === undefined) return;
  const found = await filesBeside(plugin, folder, main);
  const differing = Object.keys(found).filter((path) => Object.hasOwn(files, path) && files[path] !== found[path]);
  const problems = [
    ['was changed', differing],
    ['is not named in it', Object.keys(found).filter((path) => !Object.hasOwn(files, path))],
    ['is missing', Object.keys(files).filter((path) => !Object.hasOwn(found, path))],
  ] as const;
  const said = problems.filter(([, paths]) => paths.length > 0).map(([what, paths]) => `${list(paths)} ${what}`);
  if (said.length === 0) return;
  throw new PluginError(
    plugin,
    `${folder} is not what its manifest (\`files\`) binds: ${said.join('; ')}. ` +
      'Get the plugin anew from its maker, or sign it anew where the change is meant',
    { code: 'BF_PLUGIN_DIGEST_MISMATCH' },
  );
}

/** Files that the plugin may load, beside the one that its digest is of. */
async function unbound(plugin: string, { file, directory, manifest }: LocatedArtefact): Promise<readonly string[]> {
  if (manifest !== undefined) return Object.keys(await filesBeside(plugin, directory, manifest.main));
  if (!/\.[cm]?[jt]s$/.test(file)) return [];
  return [...importedFiles(file)].filter((path) => path !== file).map((path) => relative(dirname(file), path));
}

/**
 * The digest that an entry's `sha256` or `integrity` is compared with: of the file, or of the manifest where that binds more files.
 * Throws PluginError where a digest would leave code out.
 */
export async function pinnedDigest(plugin: string, found: LocatedArtefact, digest: string): Promise<string> {
  const { directory, manifest } = found;
  const others = manifest?.files === undefined ? await unbound(plugin, found) : Object.keys(manifest.files);
  if (others.length === 0) return digest;
  const file = join(directory, manifestFileName);
  const isAllNamed = manifest?.files !== undefined && manifest.integrity !== undefined;
  if (isAllNamed && statPath(plugin, file) === 'file') return sha256Of(await readArtefactFile(plugin, file));
  throw new PluginError(
    plugin,
    `its entry states a digest, which would bind ${basename(found.file)} alone, but there ${others.length === 1 ? 'is' : 'are'} also ` +
      `${list(others)}: make one file of it (\`bifrost plugin build\`), or have its manifest name all files (\`bifrost plugin sign\`)`,
    { code: 'BF_PLUGIN_DIGEST_PARTIAL' },
  );
}

/** Throws PluginError where a signature says nothing of files that the plugin may load. */
export async function assertSignatureBindsAll(plugin: string, found: LocatedArtefact): Promise<void> {
  const { manifest } = found;
  if (manifest?.signature === undefined || manifest.files !== undefined) return;
  const others = await unbound(plugin, found);
  if (others.length === 0) return;
  throw new PluginError(
    plugin,
    `its signature binds ${manifest.main} alone, but there ${others.length === 1 ? 'is' : 'are'} also ${list(others)}: ` +
      'sign it anew with `bifrost plugin sign`, which names all files of the folder',
    { code: 'BF_PLUGIN_SIGNATURE_INVALID' },
  );
}
