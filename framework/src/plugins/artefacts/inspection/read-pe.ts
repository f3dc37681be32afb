/** What a Windows executable or library says of itself (Microsoft's PE format), without running any of it. */
import { BinaryFault, ByteView } from './byte-view.ts';

export interface PeFile {
  readonly format: 'pe';
  readonly is64Bit: boolean;
  readonly type: 'executable' | 'shared';
  /** In Node's words. */
  readonly architecture: string;
  /** Names of the DLLs that it needs. */
  readonly needed: readonly string[];
  readonly exports: readonly string[];
}

const architectures: Readonly<Record<number, string>> = {
  0x014c: 'ia32',
  0x01c4: 'arm',
  0x8664: 'x64',
  0xaa64: 'arm64',
};
const libraryFlag = 0x2000;
const maxNames = 100_000;

interface Section {
  readonly address: number;
  readonly offset: number;
  readonly size: number;
}

/** True for a file that begins as DOS programs do and leads to a PE header. */
export function isPe(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x4d || bytes[1] !== 0x5a || bytes.byteLength < 64) return false;
  const at = new DataView(bytes.buffer, bytes.byteOffset, 64).getUint32(60, true);
  return bytes[at] === 0x50 && bytes[at + 1] === 0x45 && bytes[at + 2] === 0 && bytes[at + 3] === 0;
}

function offsetOf(sections: readonly Section[], address: number): number {
  const section = sections.find((each) => address >= each.address && address < each.address + each.size);
  if (section === undefined) throw new BinaryFault('malformed', 'an address outside its sections');
  return section.offset + (address - section.address);
}

interface Directory {
  readonly address: number;
  readonly size: number;
}

function readExports(view: ByteView, sections: readonly Section[], { address, size }: Directory): readonly string[] {
  if (address === 0 || size === 0) return [];
  const at = offsetOf(sections, address);
  const [count, namesAt] = [view.u32(at + 24), view.u32(at + 32)];
  if (count > maxNames) throw new BinaryFault('malformed', `it claims to export ${count} names`);
  if (count === 0) return [];
  const pointers = offsetOf(sections, namesAt);
  return Array.from({ length: count }, (_, index) => view.text(offsetOf(sections, view.u32(pointers + index * 4))));
}

function readImports(view: ByteView, sections: readonly Section[], { address, size }: Directory): readonly string[] {
  if (address === 0 || size === 0) return [];
  const names: string[] = [];
  // 20 bytes each; the last one is empty.
  for (let at = offsetOf(sections, address); names.length < maxNames; at += 20) {
    const nameAt = view.u32(at + 12);
    if (nameAt === 0) break;
    names.push(view.text(offsetOf(sections, nameAt)));
  }
  return names;
}

/** Reads a PE file. Throws BinaryFault. */
export function readPe(bytes: Uint8Array): PeFile {
  if (!isPe(bytes)) throw new BinaryFault('malformed', 'its first bytes are not those of a PE file');
  const view = new ByteView(bytes, true);
  const header = view.u32(60) + 4;
  const [machine, sectionCount] = [view.u16(header), view.u16(header + 2)];
  const [optionalSize, flags] = [view.u16(header + 16), view.u16(header + 18)];
  const optional = header + 20;
  const is64Bit = view.u16(optional) === 0x20b;
  const sectionsAt = optional + optionalSize;
  view.require(sectionsAt, sectionCount * 40, 'its section headers');
  const sections = Array.from({ length: sectionCount }, (_, index) => {
    const at = sectionsAt + index * 40;
    const section = { address: view.u32(at + 12), offset: view.u32(at + 20), size: view.u32(at + 16) };
    view.require(section.offset, section.size, 'a section');
    return section;
  });
  const directoriesAt = optional + (is64Bit ? 112 : 96);
  const directoryCount = view.u32(directoriesAt - 4);
  const directory = (index: number): Directory =>
    index < directoryCount
      ? { address: view.u32(directoriesAt + index * 8), size: view.u32(directoriesAt + index * 8 + 4) }
      : { address: 0, size: 0 };
  return {
    format: 'pe',
    is64Bit,
    type: (flags & libraryFlag) === 0 ? 'executable' : 'shared',
    architecture: architectures[machine] ?? `machine 0x${machine.toString(16)}`,
    needed: readImports(view, sections, directory(1)),
    exports: readExports(view, sections, directory(0)),
  };
}
