/** Reading and writing of a plugin's manifest file. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifestFileName } from '@bifrost/sdk';
import type { PluginManifest } from '@bifrost/sdk';
import { parseManifest } from '@bifrost/framework/artefacts';
import { CommandFailure } from '../command-failure.ts';
import { folderOf } from './find-entry.ts';

export interface ManifestFile {
  readonly file: string;
  readonly folder: string;
  readonly manifest: PluginManifest;
}

/** The manifest of the plugin at `path`: its folder, its artefact or the manifest itself. Throws CommandFailure or PluginError. */
export function readManifestFile(path: string, directory: string): ManifestFile {
  const folder = folderOf(path, directory);
  const file = join(folder, manifestFileName);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new CommandFailure(`there is no ${file}: \`bifrost plugin build\` writes it`);
  }
  return { file, folder, manifest: parseManifest('manifest', file, readFileSync(file, 'utf8')) };
}

export function writeManifestFile(file: string, manifest: PluginManifest): void {
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
}
