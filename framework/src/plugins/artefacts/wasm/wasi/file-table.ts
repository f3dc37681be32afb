/** What a guest does with descriptors and paths, on `node:fs`. Each method answers an error number; what `node:fs` throws is let through. */
import * as fs from 'node:fs';
import type { HostScope } from '../host-scope.ts';
import { errno } from './errno.ts';
import type { GrantedPaths } from './granted-paths.ts';
import type { OpenDirectory, OpenFile, OpenFiles } from './open-files.ts';

const fileTypes = { unknown: 0, character: 2, directory: 3, regular: 4, link: 7 };
const openFlags = { create: 1, directory: 2, exclusive: 4, truncate: 8 };
const descriptorFlags = { append: 1 };
const rights = { read: 1n << 1n, write: 1n << 6n };
const allRights = (1n << 30n) - 1n;

function fileType(entry: { isDirectory(): boolean; isFile(): boolean; isSymbolicLink(): boolean }): number {
  if (entry.isDirectory()) return fileTypes.directory;
  if (entry.isSymbolicLink()) return fileTypes.link;
  return entry.isFile() ? fileTypes.regular : fileTypes.unknown;
}

export class FileTable {
  readonly #scope: HostScope;
  readonly #files: OpenFiles;
  readonly #paths: GrantedPaths;

  constructor(scope: HostScope, files: OpenFiles, paths: GrantedPaths) {
    this.#scope = scope;
    this.#files = files;
    this.#paths = paths;
  }

  file(descriptor: number): OpenFile | undefined {
    const entry = this.#files.get(descriptor);
    return entry?.kind === 'file' ? entry : undefined;
  }

  directory(descriptor: number): OpenDirectory | undefined {
    const entry = this.#files.get(descriptor);
    return entry?.kind === 'directory' ? entry : undefined;
  }

  /** The ranges of an iovec list. */
  #vectors(pointer: number, count: number): Buffer[] {
    const { memory } = this.#scope;
    const list = memory.range(pointer, (count >>> 0) * 8, 'a list of buffers');
    return Array.from({ length: count >>> 0 }, (_, index) =>
      memory.range(list.readUInt32LE(8 * index), list.readUInt32LE(8 * index + 4), 'a buffer'),
    );
  }

  write(descriptor: number, vectors: number, count: number, written: number): number {
    const entry = this.#files.get(descriptor);
    if (entry === undefined || entry.kind === 'directory') return errno.badf;
    const ranges = this.#vectors(vectors, count);
    const total = ranges.reduce((sum, range) => sum + range.length, 0);
    if (entry.kind === 'stream') {
      if (entry.write === null) return errno.badf;
      entry.write(Buffer.concat(ranges).toString('utf8'));
    } else {
      for (const range of ranges) {
        fs.writeSync(entry.descriptor, range, 0, range.length, entry.isAppending ? null : Number(entry.position));
        entry.position += BigInt(range.length);
      }
    }
    this.#scope.memory.setU32(written, total, 'a size');
    return errno.success;
  }

  read(descriptor: number, vectors: number, count: number, result: number): number {
    const entry = this.#files.get(descriptor);
    if (entry === undefined) return errno.badf;
    if (entry.kind === 'directory') return errno.isdir;
    let total = 0;
    if (entry.kind === 'file') {
      for (const range of this.#vectors(vectors, count)) {
        const length = fs.readSync(entry.descriptor, range, 0, range.length, entry.position);
        entry.position += BigInt(length);
        total += length;
        if (length < range.length) break;
      }
    }
    this.#scope.memory.setU32(result, total, 'a size');
    return errno.success;
  }

  seek(descriptor: number, offset: bigint, whence: number, result: number): number {
    const file = this.file(descriptor);
    if (file === undefined) return this.#files.get(descriptor) === undefined ? errno.badf : errno.spipe;
    const bases = [0n, file.position, BigInt(fs.fstatSync(file.descriptor).size)];
    const base = bases[whence];
    if (base === undefined || base + offset < 0n) return errno.inval;
    file.position = base + offset;
    this.#scope.memory.setU64(result, file.position, 'a position');
    return errno.success;
  }

  stat(descriptor: number, result: number): number {
    const entry = this.#files.get(descriptor);
    if (entry === undefined) return errno.badf;
    const range = this.#scope.memory.range(result, 24, 'a status').fill(0);
    range[0] = { stream: fileTypes.character, directory: fileTypes.directory, file: fileTypes.regular }[entry.kind];
    range.writeBigUInt64LE(allRights, 8);
    range.writeBigUInt64LE(allRights, 16);
    return errno.success;
  }

  fileStat(descriptor: number, result: number): number {
    const entry = this.#files.get(descriptor);
    if (entry === undefined) return errno.badf;
    if (entry.kind === 'stream') {
      this.#scope.memory.range(result, 64, 'a status').fill(0)[16] = fileTypes.character;
      return errno.success;
    }
    this.#setStat(result, entry.kind === 'file' ? fs.fstatSync(entry.descriptor) : fs.statSync(entry.directory));
    return errno.success;
  }

  #setStat(result: number, stat: fs.Stats): void {
    const range = this.#scope.memory.range(result, 64, 'a status').fill(0);
    range.writeBigUInt64LE(BigInt(stat.ino), 8);
    range[16] = fileType(stat);
    range.writeBigUInt64LE(BigInt(stat.nlink), 24);
    range.writeBigUInt64LE(BigInt(stat.size), 32);
    for (const [index, time] of [stat.atimeMs, stat.mtimeMs, stat.ctimeMs].entries()) {
      range.writeBigUInt64LE(BigInt(Math.round(time)) * 1_000_000n, 40 + 8 * index);
    }
  }

  /** The place of a path that the guest gave, or an error number. */
  locate(descriptor: number, path: number, length: number, isWriting: boolean): string | number {
    const directory = this.directory(descriptor);
    if (directory === undefined) return this.#files.get(descriptor) === undefined ? errno.badf : errno.notdir;
    const given = this.#scope.memory.text(path, length, 'a path');
    return this.#paths.locate(directory.directory, given, isWriting) ?? errno.notcapable;
  }

  pathStat(descriptor: number, path: number, length: number, result: number): number {
    const place = this.locate(descriptor, path, length, false);
    if (typeof place === 'number') return place;
    this.#setStat(result, fs.statSync(place));
    return errno.success;
  }

  open(
    descriptor: number,
    path: { readonly pointer: number; readonly length: number },
    mode: { readonly flags: number; readonly rights: bigint; readonly descriptorFlags: number },
    result: number,
  ): number {
    const isMaking = (mode.flags & (openFlags.create | openFlags.truncate)) !== 0;
    const isWriting = isMaking || ((mode.rights & rights.write) !== 0n && (mode.flags & openFlags.directory) === 0);
    const place =
      this.#located(descriptor, path, isWriting) ??
      // Some callers ask for every right at once: what is granted for reading is opened for reading then.
      (isMaking ? undefined : this.#located(descriptor, path, false));
    if (place === undefined) {
      const located = this.locate(descriptor, path.pointer, path.length, isWriting);
      return typeof located === 'number' ? located : errno.notcapable;
    }
    const isDirectory = fs.statSync(place.path, { throwIfNoEntry: false })?.isDirectory() === true;
    if (isDirectory) return this.#give(result, { kind: 'directory', directory: place.path });
    if ((mode.flags & openFlags.directory) !== 0) return errno.notdir;
    const isAppending = (mode.descriptorFlags & descriptorFlags.append) !== 0;
    const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NOFOLLOW } = fs.constants;
    const flags =
      (place.isWriting ? O_RDWR : O_RDONLY) |
      ((mode.flags & openFlags.create) === 0 ? 0 : O_CREAT) |
      ((mode.flags & openFlags.exclusive) === 0 ? 0 : O_EXCL) |
      ((mode.flags & openFlags.truncate) === 0 ? 0 : O_TRUNC) |
      (isAppending ? O_APPEND : 0) |
      // The real path has no link in it; one that was put there since is not followed.
      (O_NOFOLLOW ?? 0);
    const opened = fs.openSync(place.path, flags, 0o600);
    return this.#give(result, { kind: 'file', descriptor: opened, isAppending, position: 0n });
  }

  #located(
    descriptor: number,
    { pointer, length }: { readonly pointer: number; readonly length: number },
    isWriting: boolean,
  ): { readonly path: string; readonly isWriting: boolean } | undefined {
    const path = this.locate(descriptor, pointer, length, isWriting);
    return typeof path === 'number' ? undefined : { path, isWriting };
  }

  #give(result: number, entry: OpenDirectory | OpenFile): number {
    const descriptor = this.#files.add(entry);
    if (descriptor === undefined) {
      if (entry.kind === 'file') fs.closeSync(entry.descriptor);
      return errno.notcapable;
    }
    this.#scope.memory.setU32(result, descriptor, 'a descriptor');
    return errno.success;
  }

  readDirectory(
    descriptor: number,
    buffer: { readonly pointer: number; readonly length: number },
    cookie: bigint,
    result: number,
  ): number {
    const entry = this.directory(descriptor);
    if (entry === undefined) return errno.notdir;
    const range = this.#scope.memory.range(buffer.pointer, buffer.length, 'a buffer');
    let used = 0;
    const all = fs.readdirSync(entry.directory, { withFileTypes: true });
    for (let index = Number(cookie); index < all.length && used < range.length; index += 1) {
      const item = all[index];
      if (item === undefined) break;
      // Only what may be read is shown: a grant of one file does not list its folder.
      if (this.#paths.locate(entry.directory, item.name, false) === undefined) continue;
      const name = Buffer.from(item.name);
      const record = Buffer.alloc(24 + name.length);
      record.writeBigUInt64LE(BigInt(index + 1), 0);
      record.writeUInt32LE(name.length, 16);
      record[20] = fileType(item);
      name.copy(record, 24);
      // A record that does not fit is cut off: the guest asks again with more room.
      used += record.copy(range, used);
    }
    this.#scope.memory.setU32(result, used, 'a size');
    return errno.success;
  }

  rename(from: string | number, to: string | number): number {
    if (typeof from === 'number') return from;
    if (typeof to === 'number') return to;
    fs.renameSync(from, to);
    return errno.success;
  }

  preopenName(descriptor: number): Buffer | undefined {
    const name = this.directory(descriptor)?.preopen?.name;
    return name === undefined ? undefined : Buffer.from(name);
  }
}
