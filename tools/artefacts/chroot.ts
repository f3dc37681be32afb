import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { repository } from '../build/repository.ts';

/** A directory that is a process's whole file system. */
export interface Root extends Disposable {
  readonly path: string;
  /** Puts a file or folder of this system into the root. */
  add(from: string, to: string): void;
  /** The command that runs `command` in the root, with `/proc` of its own mount namespace. */
  command(command: readonly string[]): readonly string[];
}

/** Why roots cannot be used here; undefined where they can. */
export function explainNoChroot(): string | undefined {
  if (process.getuid?.() !== 0) return 'a chroot needs the root user';
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'mount namespaces are not allowed here';
  }
}

/** An empty root with nothing but `/proc`, `/tmp` and a writable `/data`. */
export function createRoot(): Root {
  mkdirSync(join(repository, 'tmp'), { recursive: true });
  // On the repository's file system, so that large files can be linked.
  const path = mkdtempSync(join(existsSync(join(repository, 'tmp')) ? join(repository, 'tmp') : tmpdir(), 'root-'));
  for (const folder of ['proc', 'data', 'tmp']) mkdirSync(join(path, folder));
  return {
    path,
    add(from, to) {
      const target = join(path, to);
      mkdirSync(dirname(target), { recursive: true });
      try {
        linkSync(from, target);
      } catch {
        copyFileSync(from, target);
      }
    },
    command: (command) => {
      const script = 'mount -t proc proc "$1/proc" && root="$1" && shift && exec chroot "$root" "$@"';
      return ['unshare', '--mount', 'sh', '-c', script, 'sh', path, ...command];
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
