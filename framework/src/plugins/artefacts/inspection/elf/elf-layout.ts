/** The ELF file header, its segments and its sections (System V ABI, chapters 4 and 5). */
import { BinaryFault, ByteView } from '../byte-view.ts';

export interface ElfSegment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly isWritable: boolean;
}

export interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly entrySize: number;
}

/** `e_type`, in words. */
export type ElfType = 'relocatable' | 'executable' | 'shared' | 'core' | 'other';

export interface ElfLayout {
  readonly view: ByteView;
  readonly is64Bit: boolean;
  readonly type: ElfType;
  /** `e_machine`. */
  readonly machine: number;
  readonly segments: readonly ElfSegment[];
  /** Empty when they were stripped. */
  readonly sections: readonly ElfSection[];
}

export const segmentTypes = { load: 1, dynamic: 2, interpreter: 3, note: 4 } as const;
const sectionWithoutBytes = 8;
/** More than any linker writes; a count above it is damage. */
const maxHeaders = 20_000;

const types: Readonly<Record<number, ElfType>> = { 1: 'relocatable', 2: 'executable', 3: 'shared', 4: 'core' };

/** True for bytes that begin with the magic number of ELF. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

function readSegments(view: ByteView, is64Bit: boolean, table: Table): readonly ElfSegment[] {
  view.require(table.offset, table.count * table.entrySize, 'its program headers');
  return Array.from({ length: table.count }, (_, index) => {
    const at = table.offset + index * table.entrySize;
    const flags = view.u32(at + (is64Bit ? 4 : 24));
    const segment = is64Bit
      ? { offset: view.u64(at + 8), address: view.u64Saturated(at + 16), fileSize: view.u64(at + 32) }
      : { offset: view.u32(at + 4), address: view.u32(at + 8), fileSize: view.u32(at + 16) };
    return { type: view.u32(at), ...segment, isWritable: (flags & 2) !== 0 };
  });
}

interface Table {
  readonly offset: number;
  readonly count: number;
  readonly entrySize: number;
}

function readSections(
  view: ByteView,
  is64Bit: boolean,
  table: Table & { readonly names: number },
): readonly ElfSection[] {
  if (table.offset === 0 || table.count === 0) return [];
  view.require(table.offset, table.count * table.entrySize, 'its section headers');
  const headers = Array.from({ length: table.count }, (_, index) => {
    const at = table.offset + index * table.entrySize;
    const place = is64Bit
      ? {
          address: view.u64Saturated(at + 16),
          offset: view.u64(at + 24),
          size: view.u64(at + 32),
          entrySize: view.u64(at + 56),
        }
      : {
          address: view.u32(at + 12),
          offset: view.u32(at + 16),
          size: view.u32(at + 20),
          entrySize: view.u32(at + 36),
        };
    return { nameAt: view.u32(at), type: view.u32(at + 4), ...place };
  });
  const names = headers[table.names];
  return headers.map(({ nameAt, ...section }) => {
    const isNamed = names !== undefined && nameAt < names.size && names.offset + nameAt < view.size;
    return { name: isNamed ? view.text(names.offset + nameAt, names.offset + names.size) : '', ...section };
  });
}

function readTable(
  view: ByteView,
  at: { readonly offset: number; readonly entrySize: number },
  minimum: number,
): Table {
  const [entrySize, count] = [view.u16(at.entrySize), view.u16(at.entrySize + 2)];
  if (count > maxHeaders) throw new BinaryFault('malformed', `it claims to have ${count} headers`);
  if (count > 0 && entrySize < minimum) throw new BinaryFault('malformed', `its headers have ${entrySize} bytes each`);
  return { offset: at.offset, count, entrySize };
}

/** Reads header and tables, and checks that all of the file is there. Throws BinaryFault. */
export function readElfLayout(bytes: Uint8Array): ElfLayout {
  const view = new ByteView(bytes, bytes[5] !== 2);
  view.require(0, 16, 'its identification');
  const [fileClass, encoding] = [view.u8(4), view.u8(5)];
  if (!isElf(bytes) || (fileClass !== 1 && fileClass !== 2) || (encoding !== 1 && encoding !== 2)) {
    throw new BinaryFault('malformed', 'its first bytes are not those of an ELF file');
  }
  const is64Bit = fileClass === 2;
  view.require(0, is64Bit ? 64 : 52, 'its header');
  const [segmentsAt, sectionsAt] = is64Bit ? [view.u64(32), view.u64(40)] : [view.u32(28), view.u32(32)];
  const sizesAt = is64Bit ? 54 : 42;
  const segmentTable = readTable(view, { offset: segmentsAt, entrySize: sizesAt }, is64Bit ? 56 : 32);
  const sectionTable = readTable(view, { offset: sectionsAt, entrySize: sizesAt + 4 }, is64Bit ? 64 : 40);
  const segments = readSegments(view, is64Bit, segmentTable);
  for (const segment of segments) {
    if (segment.type === segmentTypes.load) view.require(segment.offset, segment.fileSize, 'a segment');
  }
  const sections = readSections(view, is64Bit, { ...sectionTable, names: view.u16(sizesAt + 8) });
  return { view, is64Bit, type: types[view.u16(16)] ?? 'other', machine: view.u16(18), segments, sections };
}

/** Where in the file the byte is that will be at `address`; undefined when no segment brings it. */
export function fileOffsetOf(layout: ElfLayout, address: number): number | undefined {
  const segment = layout.segments.find(
    ({ type, address: start, fileSize }) =>
      type === segmentTypes.load && address >= start && address < start + fileSize,
  );
  return segment === undefined ? undefined : segment.offset + (address - segment.address);
}

/** The bytes of a section; undefined when it is absent or has none in the file. */
export function sectionBytes(layout: ElfLayout, name: string): Uint8Array | undefined {
  const section = layout.sections.find((candidate) => candidate.name === name);
  if (section === undefined || section.type === sectionWithoutBytes) return undefined;
  return layout.view.slice(section.offset, section.size, `the section ${name}`);
}
