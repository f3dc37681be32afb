/**
 * What the host has to know of a module before V8 sees it: what it imports and exports, with signatures, and the limits of its
 * memory and tables. WebAssembly core specification, chapter 5 (binary format).
 */
import { ByteReader } from './byte-reader.ts';

/** A signature as text: `(i32, i32) -> i64`. */
export type Signature = string;

/** Size in pages of 64 KiB (memory) or in elements (table). */
export interface Limits {
  readonly minimum: number;
  readonly maximum?: number;
}

export interface WasmImport {
  readonly module: string;
  readonly name: string;
  readonly kind: 'function' | 'table' | 'memory' | 'global' | 'tag';
  readonly signature?: Signature;
  /** Of a memory. */
  readonly limits?: Limits;
}

export interface WasmExport {
  readonly name: string;
  readonly kind: WasmImport['kind'];
  readonly signature?: Signature;
}

/** Where a section's content stands, for those that are written anew. */
export interface WasmSection {
  readonly id: number;
  /** Offset of the section's id. */
  readonly start: number;
  readonly end: number;
}

export interface WasmBinary {
  readonly imports: readonly WasmImport[];
  readonly exports: readonly WasmExport[];
  /** Of memories that the module defines itself; at most one of all. */
  readonly memories: readonly Limits[];
  readonly tables: readonly { readonly type: number; readonly limits: Limits }[];
  readonly sections: readonly WasmSection[];
}

const kinds = ['function', 'table', 'memory', 'global', 'tag'] as const;
const valueTypes: Readonly<Record<number, string>> = {
  0x7f: 'i32',
  0x7e: 'i64',
  0x7d: 'f32',
  0x7c: 'f64',
  0x7b: 'v128',
  0x70: 'funcref',
  0x6f: 'externref',
};

const sectionIds = { custom: 0, type: 1, import: 2, function: 3, table: 4, memory: 5, export: 7 };

function readValueType(reader: ByteReader): string {
  const start = reader.offset;
  const byte = reader.byte('a type');
  const known = valueTypes[byte];
  if (known !== undefined) return known;
  if (byte === 0x63 || byte === 0x64) {
    reader.skipSigned('a heap type');
    return 'ref';
  }
  return reader.fail(`0x${byte.toString(16)} is not a value type that this gateway knows`, start);
}

function readValueTypes(reader: ByteReader, what: string): string {
  const count = reader.count(what);
  const types: string[] = [];
  for (let index = 0; index < count; index += 1) types.push(readValueType(reader));
  return types.join(', ');
}

function readTypes(reader: ByteReader): Signature[] {
  const count = reader.count('the number of types');
  const types: Signature[] = [];
  for (let index = 0; index < count; index += 1) {
    const start = reader.offset;
    const form = reader.byte('a type');
    if (form !== 0x60) {
      reader.fail(
        'it defines garbage-collected types, whose memory cannot be capped: build it without the GC proposal',
        start,
      );
    }
    const parameters = readValueTypes(reader, 'the number of parameters');
    types.push(`(${parameters}) -> ${readValueTypes(reader, 'the number of results') || 'nothing'}`);
  }
  return types;
}

function readLimits(reader: ByteReader, what: 'memory' | 'table'): Limits {
  const start = reader.offset;
  const flags = reader.byte(`the limits of a ${what}`);
  if ((flags & 2) !== 0) reader.fail(`it has a shared ${what}: threads are not supported, build it without`, start);
  if ((flags & 4) !== 0) reader.fail(`it has a 64-bit ${what}: build it for wasm32`, start);
  if (flags > 1) reader.fail(`the limits of its ${what} have the unknown flags 0x${flags.toString(16)}`, start);
  const minimum = reader.u32(`the minimum of a ${what}`);
  if (what === 'memory' && minimum > 65_536) reader.fail('its memory is larger than 4 GiB', start);
  if ((flags & 1) === 0) return { minimum };
  const maximum = reader.u32(`the maximum of a ${what}`);
  if (maximum < minimum) reader.fail(`the maximum of its ${what} is below the minimum`, start);
  return { minimum, maximum };
}

function readImport(reader: ByteReader, types: readonly Signature[]): WasmImport {
  const [module, name] = [reader.name("an import's module"), reader.name("an import's name")];
  const start = reader.offset;
  const kind = kinds[reader.byte("an import's kind")];
  switch (kind) {
    case 'function':
      return { module, name, kind, signature: typeAt(reader, types) };
    case 'table':
      readValueType(reader);
      readLimits(reader, 'table');
      return { module, name, kind };
    case 'memory':
      return { module, name, kind, limits: readLimits(reader, 'memory') };
    case 'global':
      readValueType(reader);
      reader.byte("a global's mutability");
      return { module, name, kind };
    case 'tag':
      reader.byte("a tag's attribute");
      typeAt(reader, types);
      return { module, name, kind };
    default:
      return reader.fail(`the import ${module}.${name} is of an unknown kind`, start);
  }
}

function typeAt(reader: ByteReader, types: readonly Signature[]): Signature {
  const start = reader.offset;
  const type = types[reader.u32('the index of a type')];
  return type ?? reader.fail('a function has a type that is not defined', start);
}

function readTable(reader: ByteReader): WasmBinary['tables'][number] {
  const start = reader.offset;
  const type = reader.byte("a table's type");
  if (type !== 0x70 && type !== 0x6f) {
    reader.fail('it has a table of typed references or with an initial value: build it without that proposal', start);
  }
  return { type, limits: readLimits(reader, 'table') };
}

function readList<Value>(reader: ByteReader, what: string, read: () => Value): Value[] {
  const count = reader.count(`the number of ${what}`);
  const values: Value[] = [];
  for (let index = 0; index < count; index += 1) values.push(read());
  return values;
}

function readHeader(reader: ByteReader): void {
  const magic = [0x00, 0x61, 0x73, 0x6d];
  for (const expected of magic) {
    if (reader.isAtEnd || reader.byte('the magic number') !== expected) {
      reader.fail('it is not a WebAssembly file: it does not begin with "\\0asm"', 0);
    }
  }
  const version = [0, 0, 0, 0].map(() => reader.byte('the version')).join('.');
  if (version === '1.0.0.0') return;
  if (version === '13.0.1.0') {
    reader.fail(
      'it is a component (WASI preview 2), and the gateway loads core modules: build for wasm32-wasip1 or wasm32-unknown-unknown',
      4,
    );
  }
  reader.fail(`it has version ${version} of the WebAssembly format; this gateway knows 1.0.0.0`, 4);
}

class BinaryParts {
  types: readonly Signature[] = [];
  imports: readonly WasmImport[] = [];
  functions: readonly Signature[] = [];
  exports: readonly { readonly name: string; readonly kind: WasmImport['kind']; readonly index: number }[] = [];
  memories: readonly Limits[] = [];
  tables: WasmBinary['tables'] = [];

  read(id: number, reader: ByteReader): void {
    switch (id) {
      case sectionIds.type:
        this.types = [...this.types, ...readTypes(reader)];
        return;
      case sectionIds.import:
        this.imports = [...this.imports, ...readList(reader, 'imports', () => readImport(reader, this.types))];
        return;
      case sectionIds.function:
        this.functions = [...this.functions, ...readList(reader, 'functions', () => typeAt(reader, this.types))];
        return;
      case sectionIds.table:
        this.tables = [...this.tables, ...readList(reader, 'tables', () => readTable(reader))];
        return;
      case sectionIds.memory:
        this.memories = [...this.memories, ...readList(reader, 'memories', () => readLimits(reader, 'memory'))];
        return;
      case sectionIds.export:
        this.exports = [...this.exports, ...readList(reader, 'exports', () => this.#readExport(reader))];
        return;
      default:
    }
  }

  #readExport(reader: ByteReader): BinaryParts['exports'][number] {
    const name = reader.name("an export's name");
    const start = reader.offset;
    const kind = kinds[reader.byte("an export's kind")];
    if (kind === undefined) reader.fail(`the export ${name} is of an unknown kind`, start);
    return { name, kind, index: reader.u32("an export's index") };
  }

  signedExports(): WasmExport[] {
    const imported = this.imports.flatMap((entry) => (entry.kind === 'function' ? [entry.signature] : []));
    const signatures = [...imported, ...this.functions];
    return this.exports.map(({ name, kind, index }) => {
      const signature = kind === 'function' ? signatures[index] : undefined;
      return { name, kind, ...(signature === undefined ? {} : { signature }) };
    });
  }
}

/** Far more than modules have: a file of nothing but sections would take twenty times its size to look at. */
const maxSections = 10_000;
/** Tables lie in the host's memory, beside the cap of the module's own; they are held to these together. */
const [maxTables, maxTableMinimum] = [64, 1_048_576];

function assertTables(reader: ByteReader, tables: WasmBinary['tables']): void {
  const minimum = tables.reduce((sum, { limits }) => sum + limits.minimum, 0);
  if (tables.length <= maxTables && minimum <= maxTableMinimum) return;
  reader.fail(
    `it has ${tables.length} tables that begin with ${minimum} elements: ${maxTables} with ${maxTableMinimum} together are the most`,
  );
}

/** Reads a core module. Throws WasmFormatError and nothing else, whatever the bytes are. Code is left to V8's own validation. */
export function readWasm(bytes: Uint8Array): WasmBinary {
  const reader = new ByteReader(bytes);
  readHeader(reader);
  const parts = new BinaryParts();
  const sections: WasmSection[] = [];
  while (!reader.isAtEnd) {
    const start = reader.offset;
    const id = reader.byte('a section');
    if (id !== sectionIds.custom && sections.some((other) => other.id === id)) {
      reader.fail(`section ${id} is there twice`, start);
    }
    if (sections.length >= maxSections) reader.fail(`it has more than ${maxSections} sections`, start);
    const content = reader.part(reader.u32("a section's size"), `section ${id}`);
    parts.read(id, content);
    sections.push({ id, start, end: reader.offset });
  }
  const { imports, memories, tables } = parts;
  const total = memories.length + imports.filter((entry) => entry.kind === 'memory').length;
  if (total > 1) reader.fail(`it has ${total} memories: one is supported`);
  assertTables(reader, tables);
  return { imports, exports: parts.signedExports(), memories, tables, sections };
}
