import { readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { isInside } from '../../artefacts/imported-files.ts';

/** More than any plugin has; a folder with more is not looked through, and not readable as a whole. */
const maxEntries = 100_000;

function targetOf(link: string): string {
  try {
    return realpathSync(link);
  } catch {
    // Nothing is there now; something may be later.
    return resolve(dirname(link), readlinkSync(link));
  }
}

/**
 * A symbolic link in `folder` (a real path) that leads out of it, for a message: `data -> /etc`; undefined where there is none. The
 * permission model of Node follows links wherever they lead, so a folder that may be read may have none of these.
 */
export function linkLeadingOut(folder: string): string | undefined {
  const waiting = [folder];
  let seen = 0;
  for (const directory of waiting) {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      seen += 1;
      if (seen > maxEntries) return `more than ${maxEntries} files`;
      const path = join(directory, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      if (!entry.isSymbolicLink()) continue;
      const target = targetOf(path);
      if (!isInside(target, folder)) return `${relative(folder, path)} -> ${target}`;
    }
  }
  return undefined;
}
