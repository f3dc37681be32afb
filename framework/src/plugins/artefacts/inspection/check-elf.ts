/** Whether the system's loader of a machine would take an ELF file as a plugin, and if not, why: the first cause alone. */
import {
  goPlugin,
  missingLibrary,
  notALibrary,
  oldLibc,
  oldLibrary,
  wrongArchitecture,
  wrongLibc,
  wrongSystem,
} from './artefact-problems.ts';
import type { ArtefactProblem } from './artefact-problems.ts';
import type { Origin } from './build-advice.ts';
import type { ElfFile } from './elf/read-elf.ts';
import { LibrarySearch } from './library-search.ts';
import type { Requirer } from './library-search.ts';
import type { Machine } from './machine.ts';

/** Libraries of libraries that are looked at. */
const maxLibraries = 256;

/** The language that an ELF file was written in, as far as it shows. */
function originOf(elf: ElfFile): Origin {
  if (elf.go !== undefined) return 'go';
  return elf.rust === undefined ? 'c' : 'rust';
}

const muslNames: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i386', arm: 'armhf' };
const glibcLoaders: Readonly<Record<string, string>> = {
  x64: '/lib64/ld-linux-x86-64.so.2',
  arm64: '/lib/ld-linux-aarch64.so.1',
  ia32: '/lib/ld-linux.so.2',
  arm: '/lib/ld-linux-armhf.so.3',
};

interface LibcTrace {
  readonly kind: 'glibc' | 'musl';
  readonly needs: string;
  readonly loader: string;
}

/** The C library that a file is linked with: by what it needs, or by the program that starts it. */
function libcOf(elf: ElfFile): LibcTrace | undefined {
  const muslName = muslNames[elf.architecture] ?? elf.architecture;
  // Alpine names its library after the architecture, musl's own build (as in Debian) calls it libc.so.
  const musl = elf.needed.find((name) => name === 'libc.so' || name.startsWith('libc.musl-'));
  if (musl !== undefined || elf.interpreter?.includes('/ld-musl-') === true) {
    return { kind: 'musl', needs: musl ?? 'libc.so', loader: elf.interpreter ?? `/lib/ld-musl-${muslName}.so.1` };
  }
  const glibc = elf.needed.find((name) => /^libc\.so\.\d/.test(name));
  if (glibc === undefined) return undefined;
  return { kind: 'glibc', needs: glibc, loader: elf.interpreter ?? glibcLoaders[elf.architecture] ?? 'ld-linux' };
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The highest `GLIBC_` version above the machine's. */
function newerGlibc(versions: readonly string[], have: string): string | undefined {
  const numbers = versions.flatMap((version) => /^GLIBC_(\d+(?:\.\d+)+)$/.exec(version)?.[1] ?? []);
  const newest = numbers.toSorted(compareVersions).at(-1);
  return newest !== undefined && compareVersions(newest, have) > 0 ? `GLIBC_${newest}` : undefined;
}

interface Place {
  readonly file: string;
  readonly requirer: Requirer;
  readonly machine: Machine;
}

/** A version that a library that was found does not have. */
function versionProblem(
  { file, requirer, machine }: Place,
  library: string,
  found: Requirer,
): ArtefactProblem | undefined {
  const needer = requirer.file === file ? {} : { needer: requirer.file };
  const versions = requirer.elf.versionNeeds.find((need) => need.library === library)?.versions ?? [];
  const have = machine.libc?.kind === 'glibc' ? machine.libc.version : undefined;
  const newer = have === undefined ? undefined : newerGlibc(versions, have);
  if (newer !== undefined) return oldLibc(file, { version: newer, library, ...needer }, machine);
  // The C library is judged by its version number: what stands on the disk may be another than the one that runs.
  const others = versions.filter((version) => !version.startsWith('GLIBC_'));
  if (found.elf.versionDefinitions.length === 0) return undefined;
  const missing = others.find((version) => !found.elf.versionDefinitions.includes(version));
  return missing === undefined
    ? undefined
    : oldLibrary(file, { version: missing, library, path: found.file, ...needer });
}

/** Looks for every library that `elf` needs, and for theirs: breadth first, as the loader does. */
function libraryProblem(file: string, elf: ElfFile, machine: Machine): ArtefactProblem | undefined {
  const search = new LibrarySearch(machine);
  const queue: Requirer[] = [{ file, elf }];
  const seen = new Set<string>();
  for (const requirer of queue) {
    for (const library of requirer.elf.needed) {
      const found = search.find(library, requirer);
      const needer = requirer.file === file ? {} : { needer: requirer.file };
      if (found === undefined) {
        const rest = { places: search.placesFor(requirer), others: search.otherVersions(library) };
        return missingLibrary(file, { library, ...needer, ...rest });
      }
      const problem = versionProblem({ file, requirer, machine }, library, found);
      if (problem !== undefined) return problem;
      if (seen.has(found.file) || seen.size > maxLibraries) continue;
      seen.add(found.file);
      queue.push({ ...found, parent: requirer });
    }
  }
  return undefined;
}

export interface ElfCheck {
  readonly file: string;
  readonly machine: Machine;
  /** `program`: something that is started, not loaded. */
  readonly use: 'library' | 'program';
}

/** Made by `go build -buildmode=plugin`. */
export function isGoPlugin(elf: ElfFile): boolean {
  return elf.go?.buildMode === 'plugin';
}

/** The first thing that keeps `elf` from being loaded (or started) on the machine. */
export function checkElf(elf: ElfFile, { file, machine, use }: ElfCheck): ArtefactProblem | undefined {
  // Before all that another build of it would set right: no build of it would be taken.
  if (isGoPlugin(elf)) return goPlugin(file);
  const origin = originOf(elf);
  if (machine.os !== 'linux') return wrongSystem(file, { format: 'elf', architecture: elf.architecture }, machine);
  if (elf.architecture !== machine.architecture) {
    return wrongArchitecture(file, { architecture: elf.architecture, origin }, machine);
  }
  if (use === 'library' && elf.type !== 'shared') return notALibrary(file, elf.type, origin);
  // A program brings its own loader along, which says what it misses when it is started.
  if (use === 'program') return undefined;
  const libc = libcOf(elf);
  if (libc !== undefined && machine.libc !== undefined && libc.kind !== machine.libc.kind) {
    return wrongLibc(file, libc, machine);
  }
  return libraryProblem(file, elf, machine);
}
