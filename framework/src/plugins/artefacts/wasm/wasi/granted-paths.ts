/** Which files a guest may touch: what the operator granted, seen through the directories that WASI hands to it. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { PluginCapabilities } from '@bifrost/sdk';

/** A directory that the guest finds open when it starts. */
export interface Preopen {
  /** As the guest sees it: the path as it was granted. */
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
}

interface Grant {
  /** Absolute; a folder ends in a separator. */
  readonly path: string;
  readonly isWritable: boolean;
}

/** The real path of `path`; where it does not exist, that of the folder it would be in. Undefined where that is missing too. */
function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    try {
      return join(realpathSync(dirname(path)), basename(path));
    } catch {
      return undefined;
    }
  }
}

function covers(grant: string, path: string): boolean {
  return grant.endsWith(sep) ? path.startsWith(grant) || path + sep === grant : path === grant;
}

export class GrantedPaths {
  readonly preopens: readonly Preopen[];
  readonly #grants: readonly Grant[];

  /** `folder` is the plugin's own: relative grants start there. */
  constructor(grants: PluginCapabilities['fs'], folder: string) {
    const all = [
      ...(grants?.read ?? []).map((path) => ({ path, isWritable: false })),
      ...(grants?.write ?? []).map((path) => ({ path, isWritable: true })),
    ].map(({ path, isWritable }) => {
      const absolute = resolve(folder, path);
      return { name: path, isWritable, path: /[/\\]$/.test(path) ? absolute + sep : absolute };
    });
    this.#grants = all.flatMap(({ path, isWritable }) => {
      // Also by its real path: a grant may go through a link.
      const real = realPath(path);
      const ending = path.endsWith(sep) ? sep : '';
      return [{ path, isWritable }, ...(real === undefined ? [] : [{ path: real + ending, isWritable }])];
    });
    const directories = new Map<string, Preopen>();
    for (const { name, path } of all) {
      const isFolder = path.endsWith(sep);
      const directory = isFolder ? path.slice(0, -1) : dirname(path);
      const shown = isFolder ? name.replace(/[/\\]+$/, '') || '/' : dirname(name);
      if (!directories.has(directory)) directories.set(directory, { name: shown, directory });
    }
    this.preopens = [...directories.values()];
  }

  /**
   * The absolute path of `path` below `directory` if it is granted, by its real place: a link that leads out of the grants is refused.
   * Undefined where it is not.
   */
  locate(directory: string, path: string, isWriting: boolean): string | undefined {
    if (path.includes('\0')) return undefined;
    const real = realPath(resolve(directory, path));
    if (real === undefined) return undefined;
    const isGranted = this.#grants.some((grant) => (grant.isWritable || !isWriting) && covers(grant.path, real));
    return isGranted ? real : undefined;
  }
}
