/** What an ELF file says of itself, without running any of it. */
import { decodeText } from '../byte-view.ts';
import { readElfDynamic } from './elf-dynamic.ts';
import { readElfLayout, segmentTypes } from './elf-layout.ts';
import type { ElfType } from './elf-layout.ts';
import { readElfOrigin } from './elf-origin.ts';
import type { ElfOrigin } from './elf-origin.ts';
import { readElfSymbols } from './elf-symbols.ts';
import { readElfVersionDefinitions, readElfVersionNeeds } from './elf-versions.ts';
import type { ElfVersionNeed } from './elf-versions.ts';

export interface ElfFile extends ElfOrigin {
  readonly format: 'elf';
  readonly is64Bit: boolean;
  readonly isLittleEndian: boolean;
  /** A position independent executable counts as `executable`. */
  readonly type: ElfType;
  /** In Node's words (`x64`, `arm64`, ...), or `machine 0x..` for one that Node has none for. */
  readonly architecture: string;
  /** The program that starts it: `/lib64/ld-linux-x86-64.so.2`. */
  readonly interpreter?: string;
  readonly soname?: string;
  readonly needed: readonly string[];
  readonly rpath: readonly string[];
  readonly runpath: readonly string[];
  readonly exports: readonly string[];
  readonly imports: readonly string[];
  readonly versionNeeds: readonly ElfVersionNeed[];
  readonly versionDefinitions: readonly string[];
}

/** `e_machine` of the ELF specification's registry -> `process.arch`. */
const architectures: Readonly<Record<number, string>> = {
  0x03: 'ia32',
  0x08: 'mips',
  0x14: 'ppc',
  0x15: 'ppc64',
  0x16: 's390x',
  0x28: 'arm',
  0x3e: 'x64',
  0xb7: 'arm64',
  0xf3: 'riscv64',
  0x102: 'loong64',
};

/** Reads an ELF file. Throws BinaryFault for one that is cut off or damaged. */
export function readElf(bytes: Uint8Array): ElfFile {
  const layout = readElfLayout(bytes);
  const dynamic = readElfDynamic(layout);
  const symbols = readElfSymbols(layout, dynamic);
  const segment = layout.segments.find(({ type }) => type === segmentTypes.interpreter);
  const interpreter =
    segment === undefined
      ? undefined
      : decodeText(layout.view.slice(segment.offset, Math.min(segment.fileSize, 4096), 'its interpreter')).replace(
          /\0.*$/s,
          '',
        );
  return {
    format: 'elf',
    is64Bit: layout.is64Bit,
    isLittleEndian: layout.view.isLittleEndian,
    type: dynamic.isPositionIndependentExecutable ? 'executable' : layout.type,
    architecture: architectures[layout.machine] ?? `machine 0x${layout.machine.toString(16)}`,
    ...(interpreter === undefined ? {} : { interpreter }),
    ...(dynamic.soname === undefined ? {} : { soname: dynamic.soname }),
    needed: dynamic.needed,
    rpath: dynamic.rpath,
    runpath: dynamic.runpath,
    ...symbols,
    versionNeeds: readElfVersionNeeds(layout, dynamic),
    versionDefinitions: readElfVersionDefinitions(layout, dynamic),
    ...readElfOrigin(layout, symbols.exports),
  };
}
