import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { BuildStamp } from '../../framework/src/realms/build-stamp.ts';
import { assembleExecutable } from './assemble-executable.ts';
import type { BuildHost, BuildTarget } from './build-target.ts';
import { bundleBoot, bundleProgram } from './bundle-program.ts';
import { collectLibraries } from './carried-libraries.ts';
import type { CarriedLibraries } from './carried-libraries.ts';
import { makePortable } from './elf/make-portable.ts';
import { symbolNames, trimSymbols } from './elf/trim-symbols.ts';
import { repository } from './repository.ts';
import { findRuntime } from './runtime-binary.ts';
import { writeSbom } from './sbom.ts';
import type { SourceFacts } from './source-facts.ts';

export interface BuildOptions {
  readonly target: BuildTarget;
  readonly host: BuildHost;
  /** As given by `VERSION=`, without a leading `v`. @default the package's */
  readonly version?: string;
  readonly source: SourceFacts;
  /** Path of the executable; bill of materials and checksums go beside it. */
  readonly output: string;
}

/** What was made. */
export interface BuildResult {
  readonly output: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly version: string;
}

const loaderNames: Readonly<Record<BuildTarget['architecture'], string>> = { x64: 'x86_64', arm64: 'aarch64' };

function packageVersion(): string {
  const text = readFileSync(join(repository, 'transports/http/package.json'), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}

function writeAtomically(path: string, data: Buffer | string, mode: number): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, data);
  chmodSync(temporary, mode);
  // A running executable cannot be written to, but it can be replaced.
  renameSync(temporary, path);
}

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');

/** Builds the executable, its bill of materials (`.cdx.json`) and `SHA256SUMS`. */
export async function buildExecutable({
  target,
  host,
  source,
  output,
  ...options
}: BuildOptions): Promise<BuildResult> {
  const runtime = findRuntime(target, host);
  const carried: CarriedLibraries | undefined =
    target.kind === 'portable' ? collectLibraries(readFileSync(runtime.file), target.architecture) : undefined;
  const stamp: BuildStamp = {
    kind: target.kind,
    ...(options.version === undefined ? {} : { version: options.version }),
    ...source,
    ...(carried === undefined ? {} : { carriedLibc: `glibc ${carried.glibcVersion}` }),
  };
  const [program, boot] = await Promise.all([bundleProgram(stamp), bundleBoot()]);
  let bytes = assembleExecutable({ runtime: runtime.file, boot, assets: program.files });
  if (carried !== undefined) {
    const loader = readFileSync(join(import.meta.dirname, `loader/loader-${loaderNames[target.architecture]}.bin`));
    const asked = new Set([carried.linker, ...carried.libraries].flatMap((library) => symbolNames(library.bytes)));
    bytes = makePortable(trimSymbols(bytes, asked), { loader, linker: carried.linker, libraries: carried.libraries });
  }
  const version = options.version ?? packageVersion();
  const { modules } = program;
  const { buildTime } = source;
  const sbom = writeSbom({
    version,
    modules,
    runtime,
    ...(buildTime === undefined ? {} : { buildTime }),
    ...(carried === undefined ? {} : { carried }),
  });
  mkdirSync(dirname(output), { recursive: true });
  const digest = sha256(bytes);
  const sbomPath = `${output}.cdx.json`;
  writeAtomically(output, bytes, 0o755);
  writeAtomically(sbomPath, sbom, 0o644);
  const sums = `${digest}  ${basename(output)}\n${sha256(sbom)}  ${basename(sbomPath)}\n`;
  writeAtomically(join(dirname(output), 'SHA256SUMS'), sums, 0o644);
  return { output, bytes: bytes.length, sha256: digest, version };
}
