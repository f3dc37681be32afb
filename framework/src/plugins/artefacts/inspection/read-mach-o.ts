/** What a Mach-O file says of itself (Apple's mach-o/loader.h and mach-o/fat.h), without running any of it. */
import { BinaryFault, ByteView } from './byte-view.ts';

export interface MachOFile {
  readonly format: 'mach-o';
  readonly is64Bit: boolean;
  readonly type: 'executable' | 'shared' | 'bundle' | 'other';
  /** In Node's words. One that a universal file has several of is read as the one asked for. */
  readonly architecture: string;
  /** All that the file has code for: more than one in a universal file. */
  readonly architectures: readonly string[];
  /** Install names of the libraries that it needs. */
  readonly needed: readonly string[];
  readonly rpath: readonly string[];
  /** Without the underscore that C names have there. */
  readonly exports: readonly string[];
  readonly imports: readonly string[];
}

const magics = { thin32: 0xfeedface, thin64: 0xfeedfacf, fat32: 0xcafebabe, fat64: 0xcafebabf } as const;
const architectures: Readonly<Record<number, string>> = {
  0x7: 'ia32',
  0xc: 'arm',
  0x01000007: 'x64',
  0x0100000c: 'arm64',
};
const types: Readonly<Record<number, MachOFile['type']>> = { 2: 'executable', 6: 'shared', 8: 'bundle' };
const commands = {
  segment32: 0x1,
  symbols: 0x2,
  segment64: 0x19,
  library: 0xc,
  rpath: 0x8000001c,
  reexport: 0x8000001f,
} as const;
const maxCommands = 10_000;
const maxSymbols = 2_000_000;

function magicOf(bytes: Uint8Array): number {
  return bytes.byteLength < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}

function swapped(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

/** A universal file lists few architectures; a Java class file has the same magic and its version, 45 or more, there. */
function isFat(bytes: Uint8Array, magic: number): boolean {
  if ((magic !== magics.fat32 && magic !== magics.fat64) || bytes.byteLength < 8) return false;
  const count = new DataView(bytes.buffer, bytes.byteOffset, 8).getUint32(4);
  return count > 0 && count < 45;
}

/** True for a Mach-O file, also a universal one. */
export function isMachO(bytes: Uint8Array): boolean {
  const magic = magicOf(bytes);
  const isThin = [magic, swapped(magic)].some((value) => value === magics.thin32 || value === magics.thin64);
  return isThin || isFat(bytes, magic);
}

interface FatSlice {
  readonly architecture: string;
  readonly bytes: Uint8Array;
}

function nameOf(cpuType: number): string {
  return architectures[cpuType] ?? `cpu type 0x${cpuType.toString(16)}`;
}

function slicesOf(bytes: Uint8Array): readonly FatSlice[] {
  const magic = magicOf(bytes);
  if (!isFat(bytes, magic)) {
    const view = new ByteView(bytes, magic !== magics.thin32 && magic !== magics.thin64);
    return [{ architecture: nameOf(view.u32(4)), bytes }];
  }
  const view = new ByteView(bytes, false);
  const is64Bit = magic === magics.fat64;
  return Array.from({ length: view.u32(4) }, (_, index) => {
    const at = 8 + index * (is64Bit ? 32 : 20);
    const [offset, size] = is64Bit ? [view.u64(at + 8), view.u64(at + 16)] : [view.u32(at + 8), view.u32(at + 12)];
    const architecture = nameOf(view.u32(at));
    return { architecture, bytes: view.slice(offset, size, `the code for ${architecture}`) };
  });
}

interface Symbols {
  readonly exports: string[];
  readonly imports: string[];
}

/** LC_SYMTAB: 12 or 16 bytes each; external (N_EXT), no debugging entry (N_STAB), undefined where the type bits are 0. */
function readSymbols(view: ByteView, command: number, is64Bit: boolean): Symbols {
  const [start, count] = [view.u32(command + 8), view.u32(command + 12)];
  const [texts, textSize] = [view.u32(command + 16), view.u32(command + 20)];
  const size = is64Bit ? 16 : 12;
  if (count > maxSymbols) throw new BinaryFault('malformed', `it claims to have ${count} symbols`);
  view.require(start, count * size, 'its symbols');
  view.require(texts, textSize, 'its string table');
  const symbols: Symbols = { exports: [], imports: [] };
  for (let index = 0; index < count; index++) {
    const at = start + index * size;
    const [textAt, type] = [view.u32(at), view.u8(at + 4)];
    const isExternal = (type & 0x01) !== 0 && (type & 0xe0) === 0 && (type & 0x10) === 0;
    if (!isExternal || textAt >= textSize) continue;
    const name = view.text(texts + textAt, texts + textSize).replace(/^_/, '');
    ((type & 0x0e) === 0 ? symbols.imports : symbols.exports).push(name);
  }
  return symbols;
}

function checkSegment(view: ByteView, command: number, is64Bit: boolean): void {
  const [offset, size] = is64Bit
    ? [view.u64(command + 40), view.u64(command + 48)]
    : [view.u32(command + 32), view.u32(command + 36)];
  view.require(offset, size, 'a segment');
}

function readThin(bytes: Uint8Array): Omit<MachOFile, 'architecture' | 'architectures'> {
  const magic = magicOf(bytes);
  const isLittleEndian = magic !== magics.thin32 && magic !== magics.thin64;
  const view = new ByteView(bytes, isLittleEndian);
  const word = isLittleEndian ? swapped(magic) : magic;
  if (word !== magics.thin32 && word !== magics.thin64) {
    throw new BinaryFault('malformed', 'its first bytes are not those of a Mach-O file');
  }
  const is64Bit = word === magics.thin64;
  const [count, size] = [view.u32(16), view.u32(20)];
  const start = is64Bit ? 32 : 28;
  if (count > maxCommands) throw new BinaryFault('malformed', `it claims to have ${count} load commands`);
  view.require(start, size, 'its load commands');
  const [needed, rpath]: [string[], string[]] = [[], []];
  let symbols: Symbols = { exports: [], imports: [] };
  let at = start;
  for (let index = 0; index < count; index++) {
    const [command, length] = [view.u32(at), view.u32(at + 4)];
    if (length < 8) throw new BinaryFault('malformed', `a load command of ${length} bytes`);
    view.require(at, length, 'a load command');
    const text = (): string => view.text(at + view.u32(at + 8), at + length);
    if (command === commands.library || command === commands.reexport) needed.push(text());
    else if (command === commands.rpath) rpath.push(text());
    else if (command === commands.symbols) symbols = readSymbols(view, at, is64Bit);
    else if (command === commands.segment64 || command === commands.segment32) {
      checkSegment(view, at, command === commands.segment64);
    }
    at += length;
  }
  return { format: 'mach-o', is64Bit, type: types[view.u32(12)] ?? 'other', needed, rpath, ...symbols };
}

/** Reads a Mach-O file; of a universal one, the code for `architecture` where there is some. Throws BinaryFault. */
export function readMachO(bytes: Uint8Array, architecture = 'arm64'): MachOFile {
  const slices = slicesOf(bytes);
  const slice = slices.find((each) => each.architecture === architecture) ?? slices[0];
  if (slice === undefined) throw new BinaryFault('malformed', 'a universal file without any code');
  const names = slices.map((each) => each.architecture);
  return { ...readThin(slice.bytes), architecture: slice.architecture, architectures: names };
}
