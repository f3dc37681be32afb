/** The functions of WASI that work on descriptors and paths. They block the thread, as every call of a guest does. */
import { mkdirSync, rmdirSync, unlinkSync } from 'node:fs';
import type { HostScope } from '../host-scope.ts';
import { errno, errnoOf } from './errno.ts';
import { FileTable } from './file-table.ts';
import type { GrantedPaths } from './granted-paths.ts';
import type { OpenFiles } from './open-files.ts';
import type { WasiFunction } from './wasi-functions.ts';

/** Runs file work; what `node:fs` throws becomes its error number. */
function guarded(work: () => number): number {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown) return errnoOf(thrown);
    throw thrown;
  }
}

/** The functions on descriptors and paths, by name. */
export function fileFunctions(
  scope: HostScope,
  files: OpenFiles,
  paths: GrantedPaths,
): Readonly<Record<string, WasiFunction>> {
  const table = new FileTable(scope, files, paths);
  const onPath = (work: (place: string) => void) => (descriptor: number, path: number, length: number) =>
    guarded(() => {
      const place = table.locate(descriptor, path, length, true);
      if (typeof place === 'number') return place;
      work(place);
      return errno.success;
    });
  return {
    fd_close: (descriptor: number) => guarded(() => (files.close(descriptor) ? errno.success : errno.badf)),
    fd_fdstat_get: (descriptor: number, result: number) => table.stat(descriptor, result),
    fd_filestat_get: (descriptor: number, result: number) => guarded(() => table.fileStat(descriptor, result)),
    fd_prestat_get: (descriptor: number, result: number) => {
      const name = table.preopenName(descriptor);
      if (name === undefined) return errno.badf;
      scope.memory.setU32(result, 0, 'a kind');
      scope.memory.setU32((result >>> 0) + 4, name.length, 'a length');
      return errno.success;
    },
    fd_prestat_dir_name: (descriptor: number, path: number, length: number) => {
      const name = table.preopenName(descriptor);
      if (name === undefined) return errno.badf;
      name.copy(scope.memory.range(path, length, 'a path'));
      return errno.success;
    },
    fd_read: (descriptor: number, vectors: number, count: number, result: number) =>
      guarded(() => table.read(descriptor, vectors, count, result)),
    // oxlint-disable-next-line max-params -- the witx's own parameters
    fd_readdir: (descriptor: number, pointer: number, length: number, cookie: bigint, result: number) =>
      guarded(() => table.readDirectory(descriptor, { pointer, length }, cookie, result)),
    fd_seek: (descriptor: number, offset: bigint, whence: number, result: number) =>
      guarded(() => table.seek(descriptor, offset, whence, result)),
    fd_tell: (descriptor: number, result: number) => guarded(() => table.seek(descriptor, 0n, 1, result)),
    fd_write: (descriptor: number, vectors: number, count: number, written: number) =>
      guarded(() => table.write(descriptor, vectors, count, written)),
    path_create_directory: onPath((place) => mkdirSync(place)),
    path_unlink_file: onPath((place) => unlinkSync(place)),
    path_remove_directory: onPath((place) => rmdirSync(place)),
    // oxlint-disable-next-line max-params -- the witx's own parameters
    path_filestat_get: (descriptor: number, _flags: number, path: number, length: number, result: number) =>
      guarded(() => table.pathStat(descriptor, path, length, result)),
    // oxlint-disable-next-line max-params -- the witx's own parameters
    path_open: (
      descriptor: number,
      _lookup: number,
      pointer: number,
      length: number,
      flags: number,
      wanted: bigint,
      _inheriting: bigint,
      mode: number,
      result: number,
    ) =>
      guarded(() =>
        table.open(descriptor, { pointer, length }, { flags, rights: wanted, descriptorFlags: mode }, result),
      ),
    // oxlint-disable-next-line max-params -- the witx's own parameters
    path_rename: (
      descriptor: number,
      path: number,
      length: number,
      toDescriptor: number,
      toPath: number,
      toLength: number,
    ) =>
      guarded(() =>
        table.rename(table.locate(descriptor, path, length, true), table.locate(toDescriptor, toPath, toLength, true)),
      ),
  };
}
