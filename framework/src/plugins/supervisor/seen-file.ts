/** Files as they were when they were last looked at. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

/** A file as it was when its plugin was last loaded, or tried to be. */
export interface SeenFile {
  /** Of its state on disk: while it is the same, so is the content. */
  readonly stamp: string;
  readonly digest: string;
}

/** What is not there, or not at this moment: that is a state too. */
export const gone = 'none';

/** A file that counts as changed, whatever is in it. */
export const unseen: SeenFile = { stamp: 'unseen', digest: 'unseen' };

/** What tells one state of a file or folder from another without reading it. */
export function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? gone : `${stat.dev}:${stat.ino}${stat.isFile() ? `:${stat.size}:${stat.mtimeNs}` : ''}`;
}

/** Reads it. */
export function see(file: string): SeenFile {
  const stamp = stampOf(file);
  try {
    return { stamp, digest: createHash('sha256').update(readFileSync(file)).digest('hex') };
  } catch {
    return { stamp, digest: gone };
  }
}

/** `time` in milliseconds since 1970. By the time of the inode, which no copy or archive brings along. */
export function isChangedSince(file: string, time: number | undefined): boolean {
  const changedMs = statSync(file, { throwIfNoEntry: false })?.ctimeMs;
  return time !== undefined && changedMs !== undefined && changedMs > time;
}
