/**
 * Takes from an executable the names that it exports and nobody asks for. Node exports its 46,000 for addons; the portable
 * executable loads no native code, so only names that the libraries beside it know too have a use: there the dynamic linker binds
 * both to one place. The tables are made anew, smaller, where they were, and what follows in the file moves up.
 */
import { dynamicTags, fileOffsetOf, readDynamicTable, readElf, segmentTypes, writeSegments } from './elf-file.ts';
import type { DynamicEntry, ElfFile, Segment } from './elf-file.ts';
import { hashedSymbolEnd, makeHashTable } from './symbol-hash.ts';

const symbolSize = 24;
const relocationSize = 24;
/** Tags whose value is a place in the table of names. */
const namedTags: readonly number[] = [1, 14, 15, 29];
/** Tables that are not made anew here: the older hash table, and versions that the file itself defines. */
const unknownTags: readonly number[] = [4, 0x6ffffffc];

const { stringTable, symbolTable, relocations, relocationBytes, stringBytes, jumpBytes, jumps } = dynamicTags;
const { nameHash, symbolVersions, neededVersions, neededVersionCount } = dynamicTags;

/** The tables of the symbols of a file, as bytes and offsets. */
class SymbolTables {
  readonly bytes: Buffer;
  readonly file: ElfFile;
  readonly #table: readonly DynamicEntry[];

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.file = readElf(bytes);
    this.#table = readDynamicTable(bytes, this.file) ?? [];
  }

  value(tag: number): number | undefined {
    const entry = this.#table.find((each) => each.tag === tag);
    return entry === undefined ? undefined : Number(entry.value);
  }

  /** Where a table is in the file. */
  offset(tag: number): number {
    return fileOffsetOf(this.file, this.value(tag) ?? -1);
  }

  get isKnown(): boolean {
    const all = [stringTable, symbolTable, relocations, jumps, nameHash, symbolVersions, neededVersions];
    return (
      all.every((tag) => this.value(tag) !== undefined) && unknownTags.every((tag) => this.value(tag) === undefined)
    );
  }

  text(distance: number): string {
    const start = this.offset(stringTable) + distance;
    return this.bytes.toString('latin1', start, this.bytes.indexOf(0, start));
  }

  /** Both tables of relocations. */
  relocations(): readonly (readonly [tag: number, bytes: Buffer])[] {
    const cut = (tag: number, size: number): Buffer => {
      const start = this.offset(tag);
      return Buffer.from(this.bytes.subarray(start, start + (this.value(size) ?? 0)));
    };
    return [
      [relocations, cut(relocations, relocationBytes)],
      [jumps, cut(jumps, jumpBytes)],
    ];
  }

  symbol(index: number): Buffer {
    const start = this.offset(symbolTable) + index * symbolSize;
    return Buffer.from(this.bytes.subarray(start, start + symbolSize));
  }

  name(index: number): string {
    return this.text(this.symbol(index).readUInt32LE(0));
  }

  get hashedFrom(): number {
    return this.bytes.readUInt32LE(this.offset(nameHash) + 4);
  }

  get hashedEnd(): number {
    return hashedSymbolEnd(this.bytes, this.offset(nameHash));
  }

  /** The table of the versions that are asked for, and the places of names in it. */
  versions(): { readonly bytes: Buffer; readonly namesAt: readonly number[] } {
    const start = this.offset(neededVersions);
    const namesAt: number[] = [];
    let end = start;
    let at = start;
    for (let left = this.value(neededVersionCount) ?? 0; left > 0; left--) {
      namesAt.push(at + 4 - start);
      let auxiliary = at + this.bytes.readUInt32LE(at + 8);
      for (let count = this.bytes.readUInt16LE(at + 2); count > 0; count--) {
        namesAt.push(auxiliary + 8 - start);
        end = Math.max(end, auxiliary + 16);
        auxiliary += this.bytes.readUInt32LE(auxiliary + 12);
      }
      at += this.bytes.readUInt32LE(at + 12);
    }
    return { bytes: Buffer.from(this.bytes.subarray(start, end)), namesAt };
  }
}

/** Names that a library exports or asks for. */
export function symbolNames(library: Buffer): readonly string[] {
  const tables = new SymbolTables(library);
  if (tables.value(nameHash) === undefined) return [];
  const end = Math.max(tables.hashedEnd, tables.hashedFrom);
  return Array.from({ length: end }, (_, index) => tables.name(index)).filter((name) => name !== '');
}

class NameTable {
  readonly #places = new Map<string, number>([['', 0]]);
  readonly #parts: Buffer[] = [Buffer.alloc(1)];
  #size = 1;

  place(name: string): number {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const bytes = Buffer.from(`${name}\0`, 'latin1');
    this.#places.set(name, this.#size);
    this.#parts.push(bytes);
    this.#size += bytes.length;
    return this.#size - bytes.length;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** Old indexes of the symbols that stay, in their new order, and the new hash table. */
function chooseSymbols(tables: SymbolTables, kept: ReadonlySet<string>): { order: readonly number[]; hash: Buffer } {
  const used = new Set<number>();
  for (const [, bytes] of tables.relocations()) {
    for (let at = 12; at < bytes.length; at += relocationSize) used.add(bytes.readUInt32LE(at));
  }
  const from = tables.hashedFrom;
  const plain = Array.from({ length: from }, (_, index) => index);
  const hashed: number[] = [];
  for (let index = from; index < tables.hashedEnd; index++) {
    if (used.has(index) || kept.has(tables.name(index))) hashed.push(index);
  }
  const { order, bytes } = makeHashTable(
    hashed.map((index) => tables.name(index)),
    plain.length,
  );
  return { order: [...plain, ...order.map((place) => hashed[place] ?? 0)], hash: bytes };
}

interface NewTables {
  /** By the tag of its address, in the order of the file. */
  readonly tables: readonly (readonly [tag: number, bytes: Buffer])[];
  readonly names: NameTable;
}

function makeTables(old: SymbolTables, kept: ReadonlySet<string>): NewTables {
  const { order, hash } = chooseSymbols(old, kept);
  const names = new NameTable();
  const newIndex = new Map(order.map((index, place) => [index, place] as const));
  const symbols = order.map((index) => {
    const symbol = old.symbol(index);
    symbol.writeUInt32LE(names.place(old.name(index)), 0);
    return symbol;
  });
  const versionsAt = old.offset(symbolVersions);
  const symbolVersion = order.map((index) => old.bytes.subarray(versionsAt + index * 2, versionsAt + index * 2 + 2));
  const { bytes: versions, namesAt } = old.versions();
  for (const at of namesAt) versions.writeUInt32LE(names.place(old.text(versions.readUInt32LE(at))), at);
  const moved = old.relocations();
  for (const [, bytes] of moved) {
    for (let at = 12; at < bytes.length; at += relocationSize) {
      bytes.writeUInt32LE(newIndex.get(bytes.readUInt32LE(at)) ?? 0, at);
    }
  }
  const table = readDynamicTable(old.bytes, old.file) ?? [];
  for (const { tag, value } of table) if (namedTags.includes(tag)) names.place(old.text(Number(value)));
  return {
    tables: [
      [nameHash, hash],
      [symbolTable, Buffer.concat(symbols)],
      [stringTable, names.bytes()],
      [symbolVersions, Buffer.concat(symbolVersion)],
      [neededVersions, versions],
      ...moved,
    ],
    names,
  };
}

const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step;

/** The segment that ends with the tables; undefined where they lie elsewhere, and nothing could be taken away. */
function segmentOfTables(old: SymbolTables, tables: NewTables['tables']): Segment | undefined {
  const addresses = tables.map(([tag]) => old.value(tag) ?? 0);
  const end = (old.value(jumps) ?? 0) + (old.value(jumpBytes) ?? 0);
  return old.file.segments.find(
    ({ type, address, fileSize }) =>
      type === segmentTypes.load &&
      Math.abs(address + fileSize - end) < 16 &&
      addresses.every((each) => each > address && each < end),
  );
}

/** `bytes` with the dynamic table changed: `change` gets each entry and returns its new value. */
function rewriteDynamic(bytes: Buffer, file: ElfFile, change: (entry: DynamicEntry) => number | undefined): void {
  const segment = file.segments.find(({ type }) => type === segmentTypes.dynamic);
  for (const [index, entry] of (readDynamicTable(bytes, file) ?? []).entries()) {
    const value = change(entry);
    if (value !== undefined) bytes.writeBigUInt64LE(BigInt(value), (segment?.offset ?? 0) + index * 16 + 8);
  }
}

/** The executable without the exported names that are not in `kept`; the same bytes where its tables lie in another way. */
export function trimSymbols(executable: Buffer, kept: ReadonlySet<string>): Buffer {
  const old = new SymbolTables(executable);
  if (!old.isKnown) return executable;
  const { tables, names } = makeTables(old, kept);
  const segment = segmentOfTables(old, tables);
  if (segment === undefined) return executable;

  const bytes = Buffer.from(executable);
  const sizes = new Map(tables.map(([tag, table]) => [tag, table.length] as const));
  const addresses = new Map<number, number>();
  let address = Math.min(...tables.map(([tag]) => old.value(tag) ?? 0));
  for (const [tag, table] of tables) {
    address = roundUp(address, 8);
    addresses.set(tag, address);
    table.copy(bytes, address - segment.address + segment.offset);
    address += table.length;
  }
  rewriteDynamic(bytes, old.file, ({ tag, value }) => {
    if (namedTags.includes(tag)) return names.place(old.text(Number(value)));
    return tag === stringBytes ? sizes.get(stringTable) : addresses.get(tag);
  });
  return closeGap(bytes, old.file, { segment, size: address - segment.address });
}

/** Ends a segment earlier and moves the rest of the file up, by whole pages. */
function closeGap(bytes: Buffer, file: ElfFile, { segment, size }: { segment: Segment; size: number }): Buffer {
  const oldEnd = segment.offset + segment.fileSize;
  const newEnd = segment.offset + size;
  const rest = Math.min(...file.segments.map(({ offset }) => offset).filter((offset) => offset >= oldEnd));
  const distance = Math.floor((rest - newEnd) / segment.alignment) * segment.alignment;
  const segments = file.segments.map((each) => {
    if (each === segment) return { ...each, fileSize: size, memorySize: size };
    return each.offset >= oldEnd ? { ...each, offset: each.offset - distance } : each;
  });
  const result = Buffer.concat([
    bytes.subarray(0, newEnd),
    Buffer.alloc(rest - distance - newEnd),
    bytes.subarray(rest),
  ]);
  const headersOffset = file.headersOffset >= oldEnd ? file.headersOffset - distance : file.headersOffset;
  result.writeBigUInt64LE(BigInt(headersOffset), 32);
  writeSegments(segments).copy(result, headersOffset);
  return result;
}
