/** The little of the ELF format that the build reads and writes: 64-bit, little-endian, program headers and the dynamic table. */

export const segmentTypes = { load: 1, dynamic: 2, interpreter: 3, headers: 6 } as const;
export const dynamicTags = {
  end: 0,
  needed: 1,
  jumpBytes: 2,
  stringTable: 5,
  symbolTable: 6,
  relocations: 7,
  relocationBytes: 8,
  stringBytes: 10,
  jumps: 23,
  nameHash: 0x6ffffef5,
  symbolVersions: 0x6ffffff0,
  neededVersions: 0x6ffffffe,
  neededVersionCount: 0x6fffffff,
} as const;

/** Machine numbers of the format by Node's name of the architecture. */
export const machines: Readonly<Record<string, number>> = { x64: 62, arm64: 183 };

/** One program header; all numbers are of the file as it was linked. */
export interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly alignment: number;
}

/** What a file says about itself. */
export interface ElfFile {
  readonly machine: number;
  readonly entry: number;
  /** Offset of the program headers. */
  readonly headersOffset: number;
  readonly segments: readonly Segment[];
}

const headerSize = 56;

/** True for a 64-bit little-endian ELF file. */
export function isElf(bytes: Buffer): boolean {
  return bytes.length > 64 && bytes.readUInt32BE(0) === 0x7f454c46 && bytes[4] === 2 && bytes[5] === 1;
}

/** Addresses and sizes are far below 2^53. */
function readNumber(bytes: Buffer, offset: number): number {
  return Number(bytes.readBigUInt64LE(offset));
}

function readSegment(bytes: Buffer, offset: number): Segment {
  return {
    type: bytes.readUInt32LE(offset),
    flags: bytes.readUInt32LE(offset + 4),
    offset: readNumber(bytes, offset + 8),
    address: readNumber(bytes, offset + 16),
    fileSize: readNumber(bytes, offset + 32),
    memorySize: readNumber(bytes, offset + 40),
    alignment: readNumber(bytes, offset + 48),
  };
}

/** Reads the headers. Throws on what is no 64-bit little-endian ELF file. */
export function readElf(bytes: Buffer): ElfFile {
  if (!isElf(bytes)) throw new Error('not a 64-bit little-endian ELF file');
  const headersOffset = readNumber(bytes, 32);
  const count = bytes.readUInt16LE(56);
  return {
    machine: bytes.readUInt16LE(18),
    entry: readNumber(bytes, 24),
    headersOffset,
    segments: Array.from({ length: count }, (_, index) => readSegment(bytes, headersOffset + index * headerSize)),
  };
}

/** Program headers as bytes. */
export function writeSegments(segments: readonly Segment[]): Buffer {
  const bytes = Buffer.alloc(segments.length * headerSize);
  for (const [index, { type, flags, offset, address, fileSize, memorySize, alignment }] of segments.entries()) {
    const at = index * headerSize;
    bytes.writeUInt32LE(type, at);
    bytes.writeUInt32LE(flags, at + 4);
    for (const [place, value] of [offset, address, address, fileSize, memorySize, alignment].entries()) {
      bytes.writeBigUInt64LE(BigInt(value), at + 8 + place * 8);
    }
  }
  return bytes;
}

/** One entry of the dynamic table. `value` is signed where the build writes a distance. */
export interface DynamicEntry {
  readonly tag: number;
  readonly value: bigint;
}

/** Where an address is in the file. Throws for one that no segment has. */
export function fileOffsetOf(file: ElfFile, address: number): number {
  const segment = file.segments.find(
    ({ type, address: start, fileSize }) =>
      type === segmentTypes.load && address >= start && address < start + fileSize,
  );
  if (segment === undefined) throw new Error(`address 0x${address.toString(16)} is in no segment of the file`);
  return address - segment.address + segment.offset;
}

/** The dynamic table, its end marker included; undefined for a statically linked file. */
export function readDynamicTable(bytes: Buffer, file: ElfFile = readElf(bytes)): readonly DynamicEntry[] | undefined {
  const segment = file.segments.find(({ type }) => type === segmentTypes.dynamic);
  if (segment === undefined) return undefined;
  const entries: DynamicEntry[] = [];
  for (let at = segment.offset; at < segment.offset + segment.fileSize; at += 16) {
    entries.push({ tag: readNumber(bytes, at), value: bytes.readBigInt64LE(at + 8) });
  }
  return entries;
}

/** Address of the table of names. Throws for a file that is not dynamically linked. */
export function stringTableAddress(table: readonly DynamicEntry[]): number {
  const entry = table.find(({ tag }) => tag === dynamicTags.stringTable);
  if (entry === undefined) throw new Error('the dynamic table names no string table');
  return Number(entry.value);
}

/** The text that an entry's value points to. */
export function readDynamicName(bytes: Buffer, table: readonly DynamicEntry[], entry: DynamicEntry): string {
  const start = fileOffsetOf(readElf(bytes), stringTableAddress(table) + Number(entry.value));
  return bytes.toString('latin1', start, bytes.indexOf(0, start));
}

/** Names of the libraries that the file asks for, in its order. */
export function neededLibraries(bytes: Buffer): readonly string[] {
  const table = readDynamicTable(bytes) ?? [];
  return table.filter(({ tag }) => tag === dynamicTags.needed).map((entry) => readDynamicName(bytes, table, entry));
}
