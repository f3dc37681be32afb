import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { BuildTarget } from './build-target.ts';
import { isElf, machines, neededLibraries, readElf } from './elf/elf-file.ts';
import type { CarriedFile } from './elf/make-portable.ts';
import { stripExecutable } from './elf/strip-executable.ts';

/** The files that a portable executable carries, and where they come from. */
export interface CarriedLibraries {
  readonly linker: CarriedFile;
  readonly libraries: readonly CarriedFile[];
  /** Real path by name. */
  readonly origins: ReadonlyMap<string, string>;
  /** Version of the GNU C library, e.g. `2.36`. */
  readonly glibcVersion: string;
}

const folders: Readonly<Record<BuildTarget['architecture'], readonly string[]>> = {
  x64: ['/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib64', '/usr/lib64', '/usr/x86_64-linux-gnu/lib'],
  arm64: ['/lib/aarch64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/lib64', '/usr/lib64', '/usr/aarch64-linux-gnu/lib'],
};

/** What to install on Debian, by architecture, when it is not the machine's own. */
const packages: Readonly<Record<BuildTarget['architecture'], string>> = {
  x64: 'libc6-amd64-cross libstdc++6-amd64-cross libatomic1-amd64-cross',
  arm64: 'libc6-arm64-cross libstdc++6-arm64-cross libatomic1-arm64-cross',
};

/** The library's file for this architecture; undefined where no folder has one. */
function findLibrary(name: string, architecture: BuildTarget['architecture']): string | undefined {
  return folders[architecture]
    .map((folder) => join(folder, name))
    .find((path) => {
      if (!existsSync(path)) return false;
      const bytes = readFileSync(path);
      return isElf(bytes) && readElf(bytes).machine === machines[architecture];
    });
}

/** A missing library, with what to do about it. */
export class MissingLibraryError extends Error {}

/** Collects what `executable` needs, and what that needs. Throws MissingLibraryError. */
export function collectLibraries(executable: Buffer, architecture: BuildTarget['architecture']): CarriedLibraries {
  const origins = new Map<string, string>();
  const files: CarriedFile[] = [];
  const wanted = [...neededLibraries(executable)];
  for (const name of wanted) {
    if (origins.has(name)) continue;
    const path = findLibrary(name, architecture);
    if (path === undefined) {
      throw new MissingLibraryError(
        `the portable executable carries ${name} for ${architecture}, which is in none of ${folders[architecture].join(', ')}; ` +
          `on Debian: apt-get install libatomic1 (this machine's architecture), or ${packages[architecture]} (another one's)`,
      );
    }
    const bytes = readFileSync(path);
    origins.set(name, realpathSync(path));
    files.push({ name, bytes: stripExecutable(bytes) });
    wanted.push(...neededLibraries(bytes));
  }
  const linker = files.find(({ name }) => basename(name).startsWith('ld-linux'));
  const libc = files.find(({ name }) => name === 'libc.so.6');
  const glibcVersion = /GNU C Library [^\n]*version (\d+\.\d+)/.exec(libc?.bytes.toString('latin1') ?? '')?.[1];
  if (linker === undefined || glibcVersion === undefined) {
    throw new MissingLibraryError(
      'the runtime is not linked to the GNU C library: only such a one can be made portable',
    );
  }
  return { linker, libraries: files.filter((file) => file !== linker), origins, glibcVersion };
}
