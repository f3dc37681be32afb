/**
 * What an artefact is and whether this machine can run it, told from its bytes before any of its code runs. The system's own
 * loaders say little when they refuse a file, and sometimes the wrong thing (a foreign architecture reads "No such file").
 */
import type { ArtefactKind } from '@bifrost/sdk';
import {
  damaged,
  goPlugin,
  moduleAsProgram,
  nativeDisabled,
  notAProgram,
  wrongArchitecture,
  wrongFormat,
  wrongSystem,
} from './artefact-problems.ts';
import type { ArtefactProblem } from './artefact-problems.ts';
import { BinaryFault } from './byte-view.ts';
import { checkElf, isGoPlugin } from './check-elf.ts';
import { checkNodeAddon, checkSymbols } from './check-symbols.ts';
import type { SymbolContract } from './check-symbols.ts';
import { detectFormat, formatNames } from './detect-format.ts';
import type { FileFormat } from './detect-format.ts';
import { readElf } from './elf/read-elf.ts';
import type { ElfFile } from './elf/read-elf.ts';
import { kindByName } from './kind-by-name.ts';
import type { Machine } from './machine.ts';
import { readMachO } from './read-mach-o.ts';
import type { MachOFile } from './read-mach-o.ts';
import { readPe } from './read-pe.ts';
import type { PeFile } from './read-pe.ts';

/** A file's headers, as far as they were read. */
export type BinaryFile = ElfFile | MachOFile | PeFile;

export interface InspectOptions {
  readonly machine: Machine;
  /** What the manifest says it is. @default by name and content */
  readonly kind?: ArtefactKind;
  /** A script under `grpc` was written as a program: its manifest says so. @default false */
  readonly isScriptProgram?: boolean;
  /** False in the portable build. @default true */
  readonly isNativeAllowed?: boolean;
  /** The names that native plugins have to export. @default not checked */
  readonly nativeSymbols?: SymbolContract;
}

export interface Inspection {
  /** Undefined where it can be none. */
  readonly kind?: ArtefactKind;
  readonly format: FileFormat;
  readonly binary?: BinaryFile;
  /** Empty: it can be loaded. The first is the one to report; the others may follow from it. */
  readonly problems: readonly ArtefactProblem[];
}

const kindNames: { readonly [Kind in ArtefactKind]: string } = {
  module: 'a module (TypeScript or JavaScript)',
  wasm: 'a WebAssembly module',
  native: 'a native library',
  'node-addon': 'a Node-API add-on',
  grpc: 'a program that speaks gRPC',
};

const executableFormats: readonly FileFormat[] = ['elf', 'mach-o', 'pe'];

/** Exports that only an add-on of Node has. */
const addonExport = /^(?:napi_register_module_v1|node_register_module_v\d+)$/;

function kindByContent(format: FileFormat, binary: BinaryFile | undefined): ArtefactKind | undefined {
  if (format === 'wasm') return 'wasm';
  if (format === 'script') return 'grpc';
  if (binary === undefined) return undefined;
  if (binary.type === 'executable') return 'grpc';
  return binary.exports.some((name) => addonExport.test(name)) ? 'node-addon' : 'native';
}

function readBinary(bytes: Uint8Array, format: FileFormat, machine: Machine): BinaryFile | undefined {
  if (format === 'elf') return readElf(bytes);
  if (format === 'mach-o') return readMachO(bytes, machine.architecture);
  return format === 'pe' ? readPe(bytes) : undefined;
}

/** The formats that a kind may have. */
function isFitting(kind: ArtefactKind, format: FileFormat): boolean {
  if (kind === 'wasm') return format === 'wasm';
  if (kind === 'native' || kind === 'node-addon') return executableFormats.includes(format);
  if (kind === 'grpc') return executableFormats.includes(format) || format === 'script';
  // An empty module is a module, and code may begin like JSON or a linker script.
  return ['text', 'script', 'empty', 'json', 'linker-script', 'wat'].includes(format);
}

function checkForeign(binary: MachOFile | PeFile, file: string, machine: Machine): ArtefactProblem | undefined {
  const home = binary.format === 'pe' ? 'win32' : 'darwin';
  const { architecture, format } = binary;
  if (machine.os !== home) return wrongSystem(file, { format, architecture }, machine);
  if (architecture === machine.architecture) return undefined;
  return wrongArchitecture(file, { architecture, origin: 'c' }, machine);
}

/** A program that is linked at a fixed place, or one that names its loader, whatever its type says. */
function isProgram(binary: BinaryFile): boolean {
  return binary.type === 'executable' || ('interpreter' in binary && binary.interpreter !== undefined);
}

interface Subject {
  readonly file: string;
  readonly kind: ArtefactKind;
  readonly binary: BinaryFile;
}

/** In the order in which one problem hides the next. */
function checkBinary(
  { file, kind, binary }: Subject,
  { machine, nativeSymbols }: InspectOptions,
): readonly ArtefactProblem[] {
  const use = kind === 'grpc' ? 'program' : 'library';
  const first =
    binary.format === 'elf' ? checkElf(binary, { file, machine, use }) : checkForeign(binary, file, machine);
  const problems = [first];
  if (kind === 'grpc' && !isProgram(binary)) problems.push(notAProgram(file, binary.type));
  if (kind === 'node-addon') {
    const imports = 'imports' in binary ? binary.imports : [];
    problems.push(checkNodeAddon(file, { exports: binary.exports, imports }, machine));
  } else if (kind === 'native' && nativeSymbols !== undefined) {
    problems.push(checkSymbols(file, binary.exports, nativeSymbols));
  }
  return problems.filter((problem) => problem !== undefined);
}

function isNative(kind: ArtefactKind | undefined): kind is 'native' | 'node-addon' {
  return kind === 'native' || kind === 'node-addon';
}

/** A Go plugin, which the build that allows native code would not take either. */
function isForBifrost(bytes: Uint8Array, format: FileFormat, machine: Machine): boolean {
  try {
    const binary = readBinary(bytes, format, machine);
    return binary?.format === 'elf' && isGoPlugin(binary);
  } catch (error) {
    if (error instanceof BinaryFault) return false;
    throw error;
  }
}

/** Inspects the `bytes` of `file`. Never throws for what is in them. */
export function inspectBytes(file: string, bytes: Uint8Array, options: InspectOptions): Inspection {
  const format = detectFormat(bytes);
  const named = options.kind ?? kindByName(file);
  const isScript = named === 'grpc' && format === 'text' && kindByName(file) === 'module';
  if (isScript) {
    return { kind: named, format, problems: options.isScriptProgram === true ? [] : [moduleAsProgram(file)] };
  }
  if (named !== undefined && !isFitting(named, format)) {
    return { kind: named, format, problems: [wrongFormat(file, format, kindNames[named])] };
  }
  if (isNative(named) && options.isNativeAllowed === false) {
    const problem = isForBifrost(bytes, format, options.machine)
      ? goPlugin(file)
      : nativeDisabled(file, kindNames[named]);
    return { kind: named, format, problems: [problem] };
  }
  let binary: BinaryFile | undefined;
  try {
    binary = readBinary(bytes, format, options.machine);
  } catch (error) {
    const rest = { format, ...(named === undefined ? {} : { kind: named }) };
    if (error instanceof BinaryFault) return { ...rest, problems: [damaged(file, error)] };
    throw error;
  }
  const kind = named ?? kindByContent(format, binary);
  if (kind === undefined) {
    const expected = 'a module (.ts, .mts, .js, .mjs), a WebAssembly module or a native library';
    return { format, problems: [wrongFormat(file, format, expected)] };
  }
  if (named === undefined && isNative(kind) && options.isNativeAllowed === false) {
    return { kind, format, problems: [nativeDisabled(file, formatNames[format])] };
  }
  if (binary === undefined) return { kind, format, problems: [] };
  return { kind, format, binary, problems: checkBinary({ file, kind, binary }, options) };
}
