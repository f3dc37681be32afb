/** Where the system's loader would find a shared library (ld.so(8); musl's ldso/dynlink.c), without loading any. */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BinaryFault } from './byte-view.ts';
import { readElf } from './elf/read-elf.ts';
import type { ElfFile } from './elf/read-elf.ts';
import { readLdCache } from './ld-cache.ts';
import type { Machine } from './machine.ts';

/** A library that was found. */
export interface FoundLibrary {
  readonly file: string;
  readonly elf: ElfFile;
}

/** What asks for a library: its own file and headers, and what has asked for it in turn. */
export interface Requirer extends FoundLibrary {
  readonly parent?: Requirer;
}

/** Debian's names of architectures in its library folders. */
const triples: Readonly<Record<string, string>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  ia32: 'i386-linux-gnu',
  arm: 'arm-linux-gnueabihf',
  riscv64: 'riscv64-linux-gnu',
  s390x: 's390x-linux-gnu',
};

/** Searches for one machine; keeps what it has read. */
export class LibrarySearch {
  readonly #machine: Machine;
  readonly #cache: ReadonlyMap<string, readonly string[]>;
  readonly #read = new Map<string, ElfFile | undefined>();

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#cache =
      machine.libc?.kind === 'musl' ? new Map() : readLdCache(this.#bytes('/etc/ld.so.cache') ?? new Uint8Array());
  }

  /** The library that `requirer` would get for `name`. */
  find(name: string, requirer: Requirer): FoundLibrary | undefined {
    if (name.includes('/')) return this.#open(name, requirer);
    const loaded = this.#machine.loadedLibraries.find((path) => basename(path) === name);
    const candidates = [
      ...(loaded === undefined ? [] : [loaded]),
      ...this.#ownFolders(requirer).map((folder) => join(folder, name)),
      ...(this.#cache.get(name) ?? []),
      ...this.defaultFolders().map((folder) => join(folder, name)),
    ];
    for (const candidate of candidates) {
      const found = this.#open(candidate, requirer);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Places that were looked at for `requirer`, in words. */
  placesFor(requirer: Requirer): string {
    const own = this.#ownFolders(requirer);
    const cache = this.#cache.size > 0 ? ['/etc/ld.so.cache'] : [];
    return [...new Set([...own, ...cache, ...this.defaultFolders()])].join(', ');
  }

  /** Other versions of the library `name` that the machine has: `libssl.so.3` for `libssl.so.1.1`. */
  otherVersions(name: string): readonly string[] {
    const stem = /^(.+\.so)(?:\.|$)/.exec(name)?.[1];
    if (stem === undefined) return [];
    return [...this.#cache.keys()].filter((each) => each === stem || each.startsWith(`${stem}.`));
  }

  defaultFolders(): readonly string[] {
    if (this.#machine.libc?.kind === 'musl') return ['/lib', '/usr/local/lib', '/usr/lib'];
    const triple = triples[this.#machine.architecture];
    const multiarch = triple === undefined ? [] : [`/lib/${triple}`, `/usr/lib/${triple}`];
    return [...multiarch, '/lib64', '/usr/lib64', '/lib', '/usr/lib'];
  }

  /** RPATH (also of those that asked for the requirer) counts only beside no RUNPATH, and before LD_LIBRARY_PATH; RUNPATH after. */
  #ownFolders(requirer: Requirer): readonly string[] {
    const rpath: string[] = [];
    if (requirer.elf.runpath.length === 0) {
      for (let each: Requirer | undefined = requirer; each !== undefined; each = each.parent) {
        if (each.elf.runpath.length === 0) rpath.push(...this.#expand(each.elf.rpath, each.file));
      }
    }
    return [...rpath, ...this.#machine.libraryPath, ...this.#expand(requirer.elf.runpath, requirer.file)];
  }

  #expand(folders: readonly string[], file: string): readonly string[] {
    const library = this.#machine.architecture === 'x64' ? 'lib64' : 'lib';
    return folders.map((folder) =>
      folder.replaceAll(/\$(?:ORIGIN|\{ORIGIN\})/g, dirname(file)).replaceAll(/\$(?:LIB|\{LIB\})/g, library),
    );
  }

  #bytes(path: string): Uint8Array | undefined {
    try {
      return readFileSync(this.#machine.root === undefined ? path : join(this.#machine.root, path));
    } catch {
      // Absent or not readable: as for the system's loader, the next place is tried.
      return undefined;
    }
  }

  /** As the loader does, passes over files of another architecture and those that are no libraries. */
  #open(path: string, requirer: Requirer): FoundLibrary | undefined {
    if (!this.#read.has(path)) this.#read.set(path, this.#parse(path));
    const elf = this.#read.get(path);
    const isFitting =
      elf !== undefined && elf.is64Bit === requirer.elf.is64Bit && elf.architecture === requirer.elf.architecture;
    return isFitting ? { file: path, elf } : undefined;
  }

  #parse(path: string): ElfFile | undefined {
    const bytes = this.#bytes(path);
    if (bytes === undefined) return undefined;
    try {
      return readElf(bytes);
    } catch (error) {
      if (error instanceof BinaryFault) return undefined;
      throw error;
    }
  }
}
