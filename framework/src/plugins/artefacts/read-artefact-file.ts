/** Reads files of a plugin, and says what is in the way when that cannot be done. */
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { PluginError } from '@bifrost/sdk';

/** Larger than any plugin; what is larger is a mistake. */
export const maxArtefactBytes = 256 * 1024 * 1024;

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Who this process is, as messages say it. */
function whoRuns(): string {
  try {
    const { username, uid } = userInfo();
    return `${username} (uid ${uid})`;
  } catch {
    // A user id without an entry in the password file, as containers have it.
    const uid = process.getuid?.();
    return uid === undefined ? 'another user' : `uid ${uid}`;
  }
}

function ownerOf(path: string): string {
  try {
    const { uid, gid, mode } = statSync(path);
    return ` (it belongs to uid ${uid}, gid ${gid}, mode ${(mode & 0o777).toString(8).padStart(4, '0')})`;
  } catch {
    // Not even that may be known: a folder above it is closed.
    return '';
  }
}

/** The error for a file or folder that the system does not let this process read. */
function unreadable(plugin: string, path: string, cause: unknown): PluginError {
  const code = codeOf(cause);
  const isDenied = code === 'EACCES' || code === 'EPERM';
  const message = isDenied
    ? `${path} cannot be read by the user that the gateway runs as, ${whoRuns()}${ownerOf(path)}: ` +
      'give that user the right to read it and to enter the folders above it (chmod, chown)'
    : `${path} cannot be read: ${cause instanceof Error ? cause.message : 'unknown error'}`;
  return new PluginError(plugin, message, { code: 'BF_PLUGIN_FILE_UNREADABLE', cause });
}

/** What stands at a path. Throws PluginError where that cannot be found out. */
export function statPath(plugin: string, path: string): 'file' | 'folder' | 'other' | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    if (stats.isDirectory()) return 'folder';
    return stats.isFile() ? 'file' : 'other';
  } catch (error) {
    // A part of the path is a file: then there is nothing there.
    if (codeOf(error) === 'ENOTDIR') return undefined;
    throw unreadable(plugin, path, error);
  }
}

/** The bytes of a regular file. Rejects with PluginError. */
export async function readArtefactFile(plugin: string, file: string): Promise<Buffer> {
  let handle;
  try {
    handle = await open(file, 'r');
    const stats = await handle.stat();
    if (!stats.isFile()) {
      throw new PluginError(plugin, `${file} is neither a file nor a folder: point \`path\` at one`, {
        code: 'BF_PLUGIN_FILE_UNREADABLE',
      });
    }
    if (stats.size > maxArtefactBytes) {
      throw new PluginError(plugin, `${file} has ${stats.size} bytes; a plugin has at most ${maxArtefactBytes}`, {
        code: 'BF_PLUGIN_ARTEFACT_TOO_LARGE',
      });
    }
    return await handle.readFile();
  } catch (error) {
    if (error instanceof PluginError) throw error;
    throw unreadable(plugin, file, error);
  } finally {
    await handle?.close();
  }
}
