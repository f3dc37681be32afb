/**
 * Makes a dynamically linked executable carry its dynamic linker and its libraries, so that it runs where there are none.
 *
 * Two segments are added. The first has the loader (tools/build/loader/loader.c), the linker and the libraries; the second, which
 * the loader changes, has its plan and a second set of program headers. The kernel sees a statically linked program: the
 * places of PT_INTERP and PT_DYNAMIC in the file's own headers become those of the two segments, so nothing has to be moved.
 * The dynamic linker is shown the second set, in which both are there, and a copy of the dynamic table that asks for the memory
 * files which the loader makes, by path: as a distance from the table of names, as for every other name.
 */
import { dynamicTags, readDynamicTable, readElf, segmentTypes, stringTableAddress, writeSegments } from './elf-file.ts';
import type { DynamicEntry, ElfFile, Segment } from './elf-file.ts';

/** A file that the executable is to carry. */
export interface CarriedFile {
  /** As other files ask for it, e.g. `libc.so.6`. */
  readonly name: string;
  readonly bytes: Buffer;
}

export interface PortableParts {
  /** Bytes of loader.c for the executable's architecture. */
  readonly loader: Buffer;
  readonly linker: CarriedFile;
  readonly libraries: readonly CarriedFile[];
}

const fdPath = '/proc/self/fd/';
/** The path, three digits and the end of the text, rounded up. */
const pathSize = 24;
const maxLibraries = 16;
const planSize = 8 * (4 + 4 + 1 + 4 * maxLibraries);

/** Bytes of a segment while it grows; addresses are known from the start. */
class SegmentWriter {
  readonly address: number;
  readonly #parts: Buffer[] = [];
  #size = 0;

  constructor(address: number) {
    this.address = address;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds bytes at a multiple of 16; returns their address. */
  add(bytes: Buffer): number {
    const padding = -this.#size & 15;
    this.#parts.push(Buffer.alloc(padding), bytes);
    this.#size += padding + bytes.length;
    return this.address + this.#size - bytes.length;
  }

  text(text: string): number {
    return this.add(Buffer.from(`${text}\0`, 'latin1'));
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

interface CarriedPlace {
  readonly image: number;
  readonly size: number;
  readonly name: number;
  /** Address of the path that names its memory file; 0 for the linker. */
  readonly path: number;
}

const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;

function planBytes(numbers: readonly number[], linker: CarriedPlace, libraries: readonly CarriedPlace[]): Buffer {
  const place = ({ image, size, name, path }: CarriedPlace): readonly number[] => [
    image,
    size,
    name,
    path === 0 ? 0 : path + fdPath.length,
  ];
  const words = [...numbers, ...place(linker), libraries.length, ...libraries.flatMap(place)];
  const bytes = Buffer.alloc(planSize);
  for (const [index, word] of words.entries()) bytes.writeBigUInt64LE(BigInt(word), index * 8);
  return bytes;
}

/**
 * The dynamic table with the paths of the memory files as the first libraries asked for. The names follow as before: the linker
 * sees that it has them already, and remembers them, which its check of symbol versions needs.
 */
function withPaths(table: readonly DynamicEntry[], paths: readonly number[]): Buffer {
  const names = stringTableAddress(table);
  const added = paths.map((path) => ({ tag: dynamicTags.needed, value: BigInt(path - names) }));
  const entries = [...added, ...table];
  const bytes = Buffer.alloc(entries.length * 16);
  for (const [index, { tag, value }] of entries.entries()) {
    bytes.writeBigUInt64LE(BigInt(tag), index * 16);
    bytes.writeBigInt64LE(value, index * 16 + 8);
  }
  return bytes;
}

/** Puts the loader's first bytes right: where its plan is. The place is the first eight zero bytes at a multiple of eight. */
function placeLoader(loader: Buffer, planDistance: number): Buffer {
  const placed = Buffer.from(loader);
  let at = 0;
  while (placed.readBigUInt64LE(at) !== 0n) at += 8;
  placed.writeBigInt64LE(BigInt(planDistance), at);
  return placed;
}

function withLoadsAfterLast(segments: readonly Segment[], added: readonly Segment[]): readonly Segment[] {
  const last = segments.findLastIndex(({ type }) => type === segmentTypes.load);
  return segments.toSpliced(last + 1, 0, ...added);
}

/** Replaces the first segment of a type; the file has exactly one of each that is replaced here. */
function replaceSegment(segments: readonly Segment[], type: number, change: Partial<Segment>): readonly Segment[] {
  return segments.map((segment) => (segment.type === type ? { ...segment, ...change } : segment));
}

interface Layout {
  readonly alignment: number;
  /** Where the first added segment begins, in memory and in the file. */
  readonly address: number;
  readonly offset: number;
}

function layoutBehind(bytes: Buffer, { segments }: ElfFile): Layout {
  const loads = segments.filter(({ type }) => type === segmentTypes.load);
  const alignment = Math.max(...loads.map((segment) => segment.alignment));
  const end = Math.max(...loads.map(({ address, memorySize }) => address + memorySize));
  return { alignment, address: roundUp(end, alignment), offset: roundUp(bytes.length, alignment) };
}

/** The executable with everything that it needs inside. Throws where it is not dynamically linked. */
export function makePortable(executable: Buffer, { loader, linker, libraries }: PortableParts): Buffer {
  const file = readElf(executable);
  const table = readDynamicTable(executable, file);
  if (table === undefined) throw new Error('the executable is not dynamically linked');
  if (libraries.length > maxLibraries) throw new Error(`${libraries.length} libraries, at most ${maxLibraries} fit`);
  const { alignment, address, offset } = layoutBehind(executable, file);

  const code = new SegmentWriter(address);
  code.add(loader);
  const carry = (carried: CarriedFile): Omit<CarriedPlace, 'path'> => ({
    image: code.add(carried.bytes),
    size: carried.bytes.length,
    name: code.text(carried.name),
  });
  const linkerPlace = { ...carry(linker), path: 0 };
  const carried = libraries.map(carry);
  const codeSize = roundUp(code.size, alignment);

  const data = new SegmentWriter(address + codeSize);
  data.add(Buffer.alloc(planSize));
  const path = (): Buffer => Buffer.from(fdPath.padEnd(pathSize, '\0'), 'latin1');
  const places = carried.map((place) => ({ ...place, path: data.add(path()) }));
  const newTable = withPaths(
    table,
    places.map((place) => place.path),
  );
  const tableAddress = data.add(newTable);
  const headerCount = file.segments.length + 2;
  const headersAddress = data.add(Buffer.alloc(headerCount * 56));

  const toOffset = (at: number): number => at - address + offset;
  const segmentOf = (writer: SegmentWriter, flags: number): Segment => ({
    type: segmentTypes.load,
    flags,
    offset: toOffset(writer.address),
    address: writer.address,
    fileSize: writer.size,
    memorySize: writer.size,
    alignment,
  });
  const added = [segmentOf(code, 5), segmentOf(data, 6)];

  const kept = file.segments.filter(({ type }) => type !== segmentTypes.interpreter && type !== segmentTypes.dynamic);
  const shown = replaceSegment(
    replaceSegment(withLoadsAfterLast(file.segments, added), segmentTypes.headers, {
      address: headersAddress,
      offset: toOffset(headersAddress),
      fileSize: headerCount * 56,
      memorySize: headerCount * 56,
    }),
    segmentTypes.dynamic,
    { address: tableAddress, offset: toOffset(tableAddress), fileSize: newTable.length, memorySize: newTable.length },
  );

  const dataBytes = data.bytes();
  writeSegments(shown).copy(dataBytes, headersAddress - data.address);
  planBytes([address, headersAddress, headerCount, file.entry], linkerPlace, places).copy(dataBytes);
  const codeBytes = code.bytes();
  placeLoader(loader, data.address - address).copy(codeBytes);

  const result = Buffer.alloc(toOffset(data.address) + dataBytes.length);
  executable.copy(result);
  writeSegments(withLoadsAfterLast(kept, added)).copy(result, file.headersOffset);
  result.writeBigUInt64LE(BigInt(address), 24);
  codeBytes.copy(result, offset);
  dataBytes.copy(result, toOffset(data.address));
  return result;
}
