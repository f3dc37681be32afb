/**
 * Reads the files of a tar archive (POSIX ustar with pax headers, and GNU long names), in memory and strictly: no path leads
 * out, there are no links and no devices, all is bounded. What is not understood is refused, not skipped.
 */

/** An archive that is not taken. */
export class ArchiveFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ArchiveFault';
  }
}

export interface TarFile {
  /** Relative, with `/` between its parts. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly isExecutable: boolean;
}

const blockBytes = 512;
const maxFiles = 5000;

function textOf(block: Buffer, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? length : end);
}

function octal(block: Buffer, offset: number, length: number): number {
  const text = textOf(block, offset, length).trim();
  if (!/^[0-7]{0,12}$/.test(text)) throw new ArchiveFault('a header with a number that is none');
  return text === '' ? 0 : Number.parseInt(text, 8);
}

function checkSum(block: Buffer): void {
  const stated = octal(block, 148, 8);
  let sum = 0;
  for (let index = 0; index < blockBytes; index++) sum += index >= 148 && index < 156 ? 0x20 : (block[index] ?? 0);
  if (sum !== stated) throw new ArchiveFault('a header whose checksum is wrong');
}

function hasControl(text: string): boolean {
  return Array.from(text).some((character) => character < ' ' || character === '\x7F');
}

/** A path below the archive's root, or a refusal. */
function safePath(path: string): string {
  const plain = path.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '');
  const parts = plain.split('/');
  const isSafe =
    plain !== '' &&
    !plain.startsWith('/') &&
    !/^[A-Za-z]:/.test(plain) &&
    !plain.includes('\\') &&
    !plain.includes('\uFFFD') &&
    !hasControl(plain) &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..' && part.length <= 255);
  if (!isSafe || parts.length > 32)
    throw new ArchiveFault(`the path ${JSON.stringify(path)}, which may lead elsewhere`);
  return plain;
}

/** Records of a pax header: `LENGTH KEY=VALUE\n`. */
function readPax(bytes: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    const digits = bytes.toString('latin1', at, space);
    const length = Number(digits);
    if (space === -1 || !/^[1-9]\d{0,5}$/.test(digits) || at + length > bytes.length) {
      throw new ArchiveFault('a damaged extended header');
    }
    const record = bytes.toString('utf8', space + 1, at + length - 1);
    const equals = record.indexOf('=');
    if (equals === -1) throw new ArchiveFault('a damaged extended header');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

interface Header {
  readonly type: string;
  readonly path: string;
  readonly size: number;
  readonly isExecutable: boolean;
}

function readHeader(block: Buffer): Header {
  checkSum(block);
  const prefix = textOf(block, 257, 5) === 'ustar' ? textOf(block, 345, 155) : '';
  const name = textOf(block, 0, 100);
  return {
    type: textOf(block, 156, 1),
    path: prefix === '' ? name : `${prefix}/${name}`,
    size: octal(block, 124, 12),
    isExecutable: (octal(block, 100, 8) & 0o100) !== 0,
  };
}

/** What headers before a file say of it. */
interface Pending {
  path?: string;
  size?: number;
}

function applyExtended(type: string, content: Buffer, pending: Pending): boolean {
  if (type === 'x') {
    const records = readPax(content);
    const [path, size] = [records.get('path'), records.get('size')];
    if (path !== undefined) pending.path = path;
    if (size !== undefined) pending.size = Number(size);
    return true;
  }
  if (type === 'L') {
    pending.path = content.toString('utf8').replace(/\0.*$/s, '');
    return true;
  }
  // A global header holds for all; what it says (a commit, a comment) does not matter here.
  return type === 'g';
}

/** All files of the archive. Throws ArchiveFault. */
export function readTar(bytes: Uint8Array): readonly TarFile[] {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files = new Map<string, TarFile>();
  let pending: Pending = {};
  let at = 0;
  for (;;) {
    if (at + blockBytes > data.length) throw new ArchiveFault('it ends in the middle');
    const block = data.subarray(at, at + blockBytes);
    if (block.every((byte) => byte === 0)) break;
    const header = readHeader(block);
    const size = pending.size ?? header.size;
    if (!Number.isSafeInteger(size) || size < 0 || at + blockBytes + size > data.length) {
      throw new ArchiveFault('it ends in the middle');
    }
    const content = data.subarray(at + blockBytes, at + blockBytes + size);
    at += blockBytes + Math.ceil(size / blockBytes) * blockBytes;
    if (applyExtended(header.type, content, pending)) continue;
    addEntry(files, { ...header, path: pending.path ?? header.path }, content);
    pending = {};
  }
  return [...files.values()];
}

function addEntry(files: Map<string, TarFile>, header: Header, content: Buffer): void {
  const { type, isExecutable } = header;
  const path = type === '5' && /^(\.\/*)?$/.test(header.path) ? '' : safePath(header.path);
  if (type === '5') return;
  if (type !== '0' && type !== '') {
    const what = type === '1' || type === '2' ? 'a link' : `an entry of type "${type}"`;
    throw new ArchiveFault(`${what} (${path}); it may have files and folders only`);
  }
  if (files.size >= maxFiles) throw new ArchiveFault(`more than ${maxFiles} files`);
  // Names that differ in case alone are one file on some systems.
  const key = path.toLowerCase();
  const isInTheWay = [...pathsAbove(key)].some((folder) => files.has(folder));
  if (files.has(key) || isInTheWay) throw new ArchiveFault(`the path ${path} twice`);
  files.set(key, { path, bytes: content, isExecutable });
}

function* pathsAbove(path: string): Generator<string> {
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1))
    yield path.slice(0, slash);
}
