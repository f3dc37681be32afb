/**
 * A minimal WASI preview 1 (`wasi_snapshot_preview1`): enough for wasi-libc, Rust's wasm32-wasi and TinyGo to start and to print. A
 * guest sees no argument, no environment variable but those that are granted, the clocks, random bytes, a log behind its standard
 * output, and the granted files. Everything else answers an error number; `proc_exit` ends the call.
 */
import { randomFillSync } from 'node:crypto';
import type { HostScope } from '../host-scope.ts';
import { GuestExit } from '../wasm-error.ts';
import { errno } from './errno.ts';
import { fileFunctions } from './file-functions.ts';
import type { GrantedPaths } from './granted-paths.ts';
import { logLines } from './log-lines.ts';
import { OpenFiles } from './open-files.ts';

export const wasiModule = 'wasi_snapshot_preview1';

export interface WasiOptions {
  readonly scope: HostScope;
  /** `NAME=value`, as granted. */
  readonly environment: readonly string[];
  readonly paths: GrantedPaths;
}

/** Parameters are as the witx has them: u32 as signed numbers, u64 as bigint. */
export type WasiFunction = (...values: never[]) => number;

export interface Wasi {
  readonly functions: Readonly<Record<string, WasiFunction>>;
  /** To be called for each instance before it runs: its descriptors are as at the start. */
  reset(): void;
  /** Closes what is open. */
  close(): void;
}

const clocks = { realtime: 0, monotonic: 1 };

function clockTime(clock: number): bigint | undefined {
  if (clock === clocks.realtime) return BigInt(Date.now()) * 1_000_000n;
  if (clock === clocks.monotonic) return process.hrtime.bigint();
  return undefined;
}

function listFunctions(scope: HostScope, list: readonly string[]) {
  const size = list.reduce((total, text) => total + Buffer.byteLength(text) + 1, 0);
  return {
    sizes: (count: number, bytes: number): number => {
      scope.memory.setU32(count, list.length, 'a count');
      scope.memory.setU32(bytes, size, 'a size');
      return errno.success;
    },
    get: (pointers: number, buffer: number): number => {
      let at = buffer >>> 0;
      for (const [index, text] of list.entries()) {
        const bytes = Buffer.from(`${text}\0`);
        scope.memory.range(at, bytes.length, 'a text').set(bytes);
        scope.memory.setU32((pointers >>> 0) + 4 * index, at, 'a pointer');
        at += bytes.length;
      }
      return errno.success;
    },
  };
}

/** Functions that would wait, link, send or change what no grant covers. */
const notSupported = [
  'fd_advise',
  'fd_allocate',
  'fd_datasync',
  'fd_fdstat_set_flags',
  'fd_fdstat_set_rights',
  'fd_filestat_set_size',
  'fd_filestat_set_times',
  'fd_pread',
  'fd_pwrite',
  'fd_renumber',
  'fd_sync',
  'path_filestat_set_times',
  'path_link',
  'path_readlink',
  'path_symlink',
  'poll_oneoff',
  'proc_raise',
  'sock_accept',
  'sock_recv',
  'sock_send',
  'sock_shutdown',
];

/** All functions of the module, for one plugin. */
export function createWasi({ scope, environment, paths }: WasiOptions): Wasi {
  const files = new OpenFiles();
  const args = listFunctions(scope, []);
  const variables = listFunctions(scope, environment);
  const functions: Record<string, WasiFunction> = {
    args_get: args.get,
    args_sizes_get: args.sizes,
    environ_get: variables.get,
    environ_sizes_get: variables.sizes,
    clock_res_get: (clock: number, result: number) => {
      if (clock !== clocks.realtime && clock !== clocks.monotonic) return errno.notsup;
      scope.memory.setU64(result, clock === clocks.realtime ? 1_000_000n : 1n, 'a resolution');
      return errno.success;
    },
    clock_time_get: (clock: number, _precision: bigint, result: number) => {
      const time = clockTime(clock);
      if (time === undefined) return errno.notsup;
      scope.memory.setU64(result, time, 'a time');
      return errno.success;
    },
    random_get: (buffer: number, length: number) => {
      randomFillSync(scope.memory.range(buffer, length, 'random bytes'));
      return errno.success;
    },
    sched_yield: () => errno.success,
    proc_exit: (status: number) => {
      throw new GuestExit(status);
    },
    ...fileFunctions(scope, files, paths),
  };
  for (const name of notSupported) functions[name] ??= () => errno.notsup;
  return {
    functions,
    close: () => files.closeAll(),
    reset() {
      files.closeAll();
      files.add({ kind: 'stream', write: null });
      files.add({ kind: 'stream', write: logLines((line) => scope.log.info(line)) });
      files.add({ kind: 'stream', write: logLines((line) => scope.log.warn(line)) });
      for (const preopen of paths.preopens) files.add({ kind: 'directory', directory: preopen.directory, preopen });
    },
  };
}
