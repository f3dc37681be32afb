/** What a WebAssembly module says of itself (WebAssembly core specification, chapter 5), without compiling or running it. */
import { BinaryFault, ByteView, decodeText } from './byte-view.ts';

export type WasmItemKind = 'function' | 'table' | 'memory' | 'global' | 'tag';

export interface WasmImport {
  readonly module: string;
  readonly name: string;
  readonly kind: WasmItemKind;
}

export interface WasmExport {
  readonly name: string;
  readonly kind: WasmItemKind;
}

/** Limits of a memory, in pages of 64 KiB. */
export interface WasmMemory {
  readonly minimumPages: number;
  readonly maximumPages?: number;
  readonly isShared: boolean;
  readonly is64Bit: boolean;
}

export interface WasmFile {
  readonly format: 'wasm';
  /** 1 for a core module; other numbers are components or later versions, whose sections are not read. */
  readonly version: number;
  /** A component of the component model, which is not a core module. */
  readonly isComponent: boolean;
  readonly imports: readonly WasmImport[];
  readonly exports: readonly WasmExport[];
  /** Own ones and imported ones. */
  readonly memories: readonly WasmMemory[];
  /** Custom sections by name; the first of each name. */
  readonly customSections: ReadonlyMap<string, Uint8Array>;
}

const kinds: readonly WasmItemKind[] = ['function', 'table', 'memory', 'global', 'tag'];
const maxItems = 100_000;

/** True for bytes that begin with the magic number of WebAssembly. */
export function isWasm(bytes: Uint8Array): boolean {
  return bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
}

/** Walks over the fields of one section. */
class Cursor {
  at: number;
  readonly #view: ByteView;
  readonly #end: number;

  constructor(view: ByteView, at: number, end: number) {
    this.at = at;
    this.#view = view;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#end;
  }

  byte(): number {
    if (this.isAtEnd) throw new BinaryFault('malformed', 'a section that ends in the middle of an item');
    this.at += 1;
    return this.#view.u8(this.at - 1);
  }

  /** LEB128, unsigned; beyond 2^53 it is malformed. */
  number(): number {
    let [value, scale] = [0, 1];
    for (let index = 0; index < 10; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) break;
      if ((byte & 0x80) === 0) return value;
      scale *= 128;
    }
    throw new BinaryFault('malformed', 'a number that is too long');
  }

  count(): number {
    const count = this.number();
    if (count > maxItems) throw new BinaryFault('malformed', `a list that claims ${count} items`);
    return count;
  }

  name(): string {
    const length = this.number();
    if (this.at + length > this.#end) throw new BinaryFault('malformed', 'a name beyond its section');
    const text = decodeText(this.#view.slice(this.at, length));
    this.at += length;
    return text;
  }

  memory(): WasmMemory {
    const flags = this.byte();
    const minimumPages = this.number();
    const limits = { minimumPages, isShared: (flags & 2) !== 0, is64Bit: (flags & 4) !== 0 };
    return (flags & 1) === 0 ? limits : { ...limits, maximumPages: this.number() };
  }

  /** A value or reference type: one byte, or a reference with a heap type behind it. */
  type(): void {
    const byte = this.byte();
    if (byte === 0x63 || byte === 0x64) this.number();
  }
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Draft = Mutable<Pick<WasmFile, 'imports' | 'exports' | 'memories'>> & { readonly custom: Map<string, Uint8Array> };

function readImports(cursor: Cursor, draft: Draft): void {
  const [imports, memories]: [WasmImport[], WasmMemory[]] = [[], []];
  for (let left = cursor.count(); left > 0; left--) {
    const [module, name, kind] = [cursor.name(), cursor.name(), kinds[cursor.byte()]];
    if (kind === undefined) throw new BinaryFault('malformed', 'an import of an unknown kind');
    if (kind === 'memory') memories.push(cursor.memory());
    else if (kind === 'table') {
      cursor.type();
      cursor.memory();
    } else if (kind === 'global') {
      cursor.type();
      cursor.byte();
    } else {
      if (kind === 'tag') cursor.byte();
      cursor.number();
    }
    imports.push({ module, name, kind });
  }
  draft.imports = imports;
  draft.memories = [...draft.memories, ...memories];
}

function readExports(cursor: Cursor): readonly WasmExport[] {
  return Array.from({ length: cursor.count() }, () => {
    const [name, kind] = [cursor.name(), kinds[cursor.byte()]];
    if (kind === undefined) throw new BinaryFault('malformed', 'an export of an unknown kind');
    cursor.number();
    return { name, kind };
  });
}

function readSection(id: number, view: ByteView, at: number, end: number): (draft: Draft) => void {
  const cursor = new Cursor(view, at, end);
  return (draft) => {
    if (id === 0) {
      const name = cursor.name();
      if (!draft.custom.has(name)) draft.custom.set(name, view.slice(cursor.at, end - cursor.at));
    } else if (id === 2) readImports(cursor, draft);
    else if (id === 5) {
      const own = Array.from({ length: cursor.count() }, () => cursor.memory());
      draft.memories = [...draft.memories, ...own];
    } else if (id === 7) draft.exports = readExports(cursor);
  };
}

/** Reads a module's imports, exports, memories and custom sections. Throws BinaryFault. */
export function readWasm(bytes: Uint8Array): WasmFile {
  const view = new ByteView(bytes, true);
  view.require(0, 8, 'its header');
  if (!isWasm(bytes)) throw new BinaryFault('malformed', 'its first bytes are not those of a WebAssembly module');
  // A component has a layer in the high half of the word.
  const [version, layer] = [view.u16(4), view.u16(6)];
  const draft: Draft = { imports: [], exports: [], memories: [], custom: new Map() };
  const isCore = version === 1 && layer === 0;
  const cursor = new Cursor(view, 8, view.size);
  while (isCore && !cursor.isAtEnd) {
    const id = cursor.byte();
    const length = cursor.number();
    view.require(cursor.at, length, 'a section');
    readSection(id, view, cursor.at, cursor.at + length)(draft);
    cursor.at += length;
  }
  const { imports, exports, memories, custom } = draft;
  return { format: 'wasm', version, isComponent: layer === 1, imports, exports, memories, customSections: custom };
}
