/** What this machine and this process can run: read once, given to the checks, replaced in tests. */
import { readFileSync } from 'node:fs';
import { arch, platform, report, versions } from 'node:process';

/** A C library and its version, `2.36`. */
export interface Libc {
  readonly kind: 'glibc' | 'musl';
  readonly version?: string;
}

export interface Machine {
  /** `process.platform`. */
  readonly os: string;
  /** `process.arch`. */
  readonly architecture: string;
  /** On Linux. */
  readonly libc?: Libc;
  /** Shared libraries of the process: paths. A plugin that needs one of them gets it, wherever it lies. */
  readonly loadedLibraries: readonly string[];
  /** `LD_LIBRARY_PATH` as it was when the process started, which is when the system's loader read it. */
  readonly libraryPath: readonly string[];
  /** Folders below which files are looked up, for tests. @default '/' */
  readonly root?: string;
  /** `process.versions.modules`: the number that add-ons without Node-API are bound to. */
  readonly nodeModuleVersion: string;
}

interface ProcessFacts {
  readonly glibcVersion?: string;
  readonly libraries: readonly string[];
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

/** Node's report knows the C library that it runs with. Its slow parts (interfaces) are left out. */
function readReport(): ProcessFacts {
  // Known to Node since 22, and not yet to its types.
  const settings = report as typeof report & { excludeNetwork?: boolean };
  const before = settings.excludeNetwork === true;
  settings.excludeNetwork = true;
  try {
    // Typed as `object`; the members are checked below.
    const { header, sharedObjects } = report.getReport() as {
      header?: { glibcVersionRuntime?: unknown };
      sharedObjects?: unknown;
    };
    const version = header?.glibcVersionRuntime;
    const libraries = Array.isArray(sharedObjects) ? sharedObjects.filter(isText) : [];
    return { ...(isText(version) ? { glibcVersion: version } : {}), libraries };
  } finally {
    settings.excludeNetwork = before;
  }
}

/** The environment with which the process was started: changes since then do not reach the system's loader. */
function startingLibraryPath(): readonly string[] {
  try {
    const variables = readFileSync('/proc/self/environ', 'utf8').split('\0');
    const value = variables.find((each) => each.startsWith('LD_LIBRARY_PATH='))?.slice('LD_LIBRARY_PATH='.length) ?? '';
    return value.split(/[:;]/).filter((folder) => folder !== '');
  } catch {
    // No /proc: nothing is known, and messages then name the other places.
    return [];
  }
}

function readLibc({ glibcVersion, libraries }: ProcessFacts): Libc | undefined {
  if (glibcVersion !== undefined) return { kind: 'glibc', version: glibcVersion };
  if (libraries.some((library) => /\/(?:ld-musl-|libc\.musl-)/.test(library))) return { kind: 'musl' };
  return undefined;
}

let known: Machine | undefined;

/** The facts of this process; read once. */
export function thisMachine(): Machine {
  if (known !== undefined) return known;
  const facts: ProcessFacts = platform === 'linux' ? readReport() : { libraries: [] };
  const libc = platform === 'linux' ? readLibc(facts) : undefined;
  known = {
    os: platform,
    architecture: arch,
    ...(libc === undefined ? {} : { libc }),
    loadedLibraries: facts.libraries,
    libraryPath: platform === 'linux' ? startingLibraryPath() : [],
    nodeModuleVersion: versions.modules,
  };
  return known;
}

const osNames: Readonly<Record<string, string>> = { linux: 'Linux', darwin: 'macOS', win32: 'Windows' };

/** An operating system as a sentence names it. */
export function osName(os: string): string {
  return osNames[os] ?? os;
}

/** `glibc 2.36`. */
export function libcName(libc: Libc): string {
  return libc.version === undefined ? libc.kind : `${libc.kind} ${libc.version}`;
}

/** `linux-x64-glibc`, as manifests name platforms. */
export function platformOf(machine: Machine): string {
  const libc = machine.libc === undefined ? '' : `-${machine.libc.kind}`;
  return `${machine.os}-${machine.architecture}${libc}`;
}

/** Whether `pattern` (`os-arch` or `os-arch-libc`, each a name or `*`) is this machine; undefined when it cannot be read. */
export function matchesPlatform(pattern: string, machine: Machine): boolean | undefined {
  const parts = pattern.split('-');
  if (parts.length < 2 || parts.length > 3 || parts.some((part) => part === '')) return undefined;
  const [os = '*', architecture = '*', libc = '*'] = parts;
  const matches = (part: string, have: string | undefined): boolean => part === '*' || part === have;
  return matches(os, machine.os) && matches(architecture, machine.architecture) && matches(libc, machine.libc?.kind);
}
