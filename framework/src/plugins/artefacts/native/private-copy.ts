/**
 * Native code is loaded from a copy that nobody else knows of, and that is removed again at once. Two reasons: the system's loader
 * gives the old mapping for a path that it has open, whatever the file has become, so that a reload needs a path of its own; and a
 * file that is overwritten while it is mapped crashes whoever runs its code.
 */
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { extname, join } from 'node:path';
import { PluginError } from '@bifrost/sdk';

export interface CopyOptions {
  readonly plugin: string;
  readonly bytes: Uint8Array;
  /** Ends the copy's name; the same key gives the same path, and so the same mapping, in all threads of the process. */
  readonly key: string;
  /** As the original's: Windows tells libraries by it. */
  readonly extension: string;
  /** @default a folder of this user's in the system's folder for temporary files */
  readonly directory?: string;
}

/** Copies that a process which is gone has left behind are removed at this age. */
const staleAfterMs = 3_600_000;

function refuse(plugin: string, message: string, cause?: unknown): PluginError {
  return new PluginError(plugin, message, {
    code: 'BF_PLUGIN_NATIVE_LOAD_FAILED',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The folder for copies: of this user, closed to all others. */
function runtimeDirectory(plugin: string): string {
  const { uid, username } = userInfo();
  const directory = join(tmpdir(), `bifrost-native-${uid === -1 ? username : uid}`);
  try {
    mkdirSync(directory, { mode: 0o700, recursive: true });
    const facts = lstatSync(directory);
    const isOurs = facts.isDirectory() && (uid === -1 || facts.uid === uid);
    if (!isOurs) {
      throw refuse(
        plugin,
        `${directory} belongs to somebody else, and libraries are copied there: remove it, or set TMPDIR to another folder`,
      );
    }
    if ((facts.mode & 0o777) !== 0o700) chmodSync(directory, 0o700);
  } catch (cause) {
    if (PluginError.isInstance(cause)) throw cause;
    throw refuse(
      plugin,
      `the folder ${directory}, into which libraries are copied, cannot be made: ${messageOf(cause)}`,
      cause,
    );
  }
  return directory;
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function removeStaleCopies(directory: string): void {
  for (const name of readdirSync(directory)) {
    const file = join(directory, name);
    const facts = statSync(file, { throwIfNoEntry: false });
    if (facts !== undefined && Date.now() - facts.mtimeMs > staleAfterMs) rmSync(file, { force: true });
  }
}

function writeCopy({ plugin, bytes }: CopyOptions, directory: string, file: string): void {
  // Made whole under another name: another thread may be opening the same path.
  const partial = join(directory, `${randomUUID()}.part`);
  try {
    writeFileSync(partial, bytes, { mode: 0o700, flag: 'wx' });
    renameSync(partial, file);
  } catch (cause) {
    rmSync(partial, { force: true });
    throw refuse(plugin, `it cannot be copied to ${directory}: ${messageOf(cause)}`, cause);
  }
}

/** How often another thread may take the copy away before it was opened. */
const maxAttempts = 5;

/**
 * Runs `load` with the path of a copy, which is removed afterwards (Windows keeps it while it is loaded). Throws what `load` throws,
 * and PluginError where there can be no copy.
 */
export function withPrivateCopy<Result>(options: CopyOptions, load: (file: string) => Result): Result {
  const { plugin, key, extension } = options;
  const directory = options.directory ?? runtimeDirectory(plugin);
  const file = join(directory, `${plugin}-${process.pid}-${key}${extension}`);
  removeStaleCopies(directory);
  for (let attempt = 1; ; attempt++) {
    writeCopy(options, directory, file);
    try {
      return load(file);
    } catch (thrown) {
      if (attempt === maxAttempts || existsSync(file)) throw thrown;
    } finally {
      removeCopy(file);
    }
  }
}

function removeCopy(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Windows does not remove what is loaded; the copy goes when it is stale.
  }
}

/** The extension of a library's file, which its copies get. */
export function libraryExtension(file: string): string {
  return extname(file).toLowerCase();
}
