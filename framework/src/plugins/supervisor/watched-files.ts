/** The files that a watched plugin is made of. */
import { readdirSync } from 'node:fs';
import { dirname, extname, join, resolve } from 'node:path';
import { manifestFileName } from '@bifrost/sdk';
import { importedFiles, isFile } from '../artefacts/imported-files.ts';
import type { ManagedPlugin } from './managed-plugin.ts';

const moduleExtensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];

/**
 * Where the plugin's code begins: what it was found at, and where it was not found, what its path says. A link is not followed: where
 * it leads is what may change.
 */
function mainFileOf({ foundAt, file, entry }: ManagedPlugin, directory: string): string | undefined {
  // What is built in changes with the gateway, what was downloaded never.
  const { path, enabled, watch } = entry;
  if (watch !== true || !enabled || path === undefined || path.startsWith('https:')) return undefined;
  return foundAt ?? file ?? resolve(directory, path);
}

/** Beside a program in a language whose imports nobody here reads: the files with the ending of its main file. */
function siblingsOf(file: string): readonly string[] {
  try {
    return readdirSync(dirname(file))
      .filter((name) => extname(name) === extname(file))
      .map((name) => join(dirname(file), name));
  } catch {
    // The folder is not there at this moment.
    return [];
  }
}

function importsOf(file: string): Iterable<string> {
  try {
    return isFile(file) ? importedFiles(file, { isAnywhere: true }) : [];
  } catch {
    // One of them went away while it was read: the change that this is shows by what is known of it.
    return [];
  }
}

function codeOf(file: string, isProgram: boolean): Iterable<string> {
  if (moduleExtensions.includes(extname(file))) return importsOf(file);
  return isProgram && extname(file) !== '' ? siblingsOf(file) : [];
}

/**
 * What a reload of the plugin would read, as far as that is known: what it imports by what its code says now, so that a version
 * that cannot be loaded counts too, what the one that serves has imported, and its manifest. Empty where it is not watched.
 */
export function watchedFiles(plugin: ManagedPlugin, directory: string): ReadonlySet<string> {
  const file = mainFileOf(plugin, directory);
  if (file === undefined) return new Set();
  const code = codeOf(file, plugin.isolation === 'grpc');
  return new Set([file, ...code, ...(plugin.files ?? []), join(dirname(file), manifestFileName)]);
}
