/** The flags of Node that hold a plugin's process to what is granted. */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { PluginError } from '@bifrost/sdk';
import type { PluginEntry } from '../../plugin-entry.ts';
import type { ResolvedArtefact } from '../../plugin-plan.ts';
import { readableFiles } from './readable-files.ts';

export interface ProcessFlagsOptions {
  readonly entry: PluginEntry;
  readonly artefact: ResolvedArtefact;
  /** Folders of the program itself; the child gives the right to them up once it has loaded what it needs. */
  readonly codeDirectories: readonly string[];
  /** Folders that hold what is not the plugin's, such as the configuration's. */
  readonly sharedDirectories: readonly string[];
  readonly memoryLimitBytes: number;
  /** The child takes descriptors over, for which it needs calls of the C library at its start. */
  readonly hasPosixCalls: boolean;
}

function grantedPath(plugin: string, folder: string, path: string): string {
  if (path.includes('*')) {
    throw new PluginError(
      plugin,
      `capabilities.fs: "${path}" has a "*"; name a file, or a folder with "/" at its end`,
      {
        code: 'BF_PLUGIN_ENTRY_INVALID',
      },
    );
  }
  const absolute = resolve(folder, path);
  const real = existsSync(absolute) ? realpathSync(absolute) : absolute;
  return path.endsWith('/') && !real.endsWith(sep) ? real + sep : real;
}

/** Flags for the child of `entry`. Throws PluginError where a granted path cannot be said. */
export function processFlags(options: ProcessFlagsOptions): readonly string[] {
  const { entry, artefact, codeDirectories, memoryLimitBytes } = options;
  const { fs = {}, childProcess, workerThreads, native, sqlite } = entry.capabilities ?? {};
  const folder = dirname(artefact.file);
  const readable = [
    ...codeDirectories.map((directory) => directory + sep),
    // A module inside the executable is no file.
    ...(artefact.moduleUrl?.startsWith('file:') === false
      ? []
      : readableFiles(entry.name, artefact.file, options.sharedDirectories)),
    ...(fs.read ?? []).map((path) => grantedPath(entry.name, folder, path)),
  ];
  const writable = (fs.write ?? []).map((path) => grantedPath(entry.name, folder, path));
  const isNative = native === true;
  return [
    '--permission',
    '--disable-warning=SecurityWarning',
    '--disable-sigusr1',
    // The young generation else takes up to 100 MB before it is first collected.
    '--max-semi-space-size=8',
    // Where the engine's own limit is met the process ends by itself; the watch on its memory is meant to be first.
    `--max-old-space-size=${Math.ceil((memoryLimitBytes * 2) / 1_048_576)}`,
    ...[...new Set(readable)].map((path) => `--allow-fs-read=${path}`),
    ...[...new Set(writable)].map((path) => `--allow-fs-write=${path}`),
    ...(sqlite === true ? [] : ['--no-experimental-sqlite']),
    ...(childProcess === true ? ['--allow-child-process'] : []),
    ...(workerThreads === true ? ['--allow-worker'] : []),
    ...(isNative ? ['--allow-addons'] : []),
    ...(isNative || options.hasPosixCalls ? ['--allow-ffi'] : []),
  ];
}
