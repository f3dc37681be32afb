import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { variants } from '../__tests__/example-files.ts';
import { logTo, openGuest } from '../__tests__/open-guest.ts';
import { GuestMemory } from '../guest-memory.ts';
import { HostScope } from '../host-scope.ts';
import { GuestExit } from '../wasm-error.ts';
import { errno } from './errno.ts';
import { GrantedPaths } from './granted-paths.ts';
import { createWasi } from './wasi-functions.ts';

// The first test of a variant builds it.
vi.setConfig({ testTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), 'bifrost-wasi-'));
mkdirSync(join(folder, 'open'));
writeFileSync(join(folder, 'open/words.txt'), 'secret\r\nprivate\n');
writeFileSync(join(folder, 'open/notes.txt'), 'notes');
writeFileSync(join(folder, 'closed.txt'), 'not for plugins');
symlinkSync(join(folder, 'closed.txt'), join(folder, 'open/way-out'));

const ask = (text: string) => ({
  model: 'm',
  isStream: false,
  fallbacks: [],
  conversation: {
    model: 'm',
    stream: false,
    messages: [{ role: 'user' as const, parts: [{ type: 'text' as const, text }] }],
  },
});

describe.each(variants('wasm-c-wasi'))('the C example with a C library, $what', ({ file, missing }) => {
  const words = join(folder, 'open/words.txt');

  it.skipIf(missing.length > 0)('reads the file that is granted, prints to the log, and denies', async () => {
    const guest = await openGuest(file(), { config: { words }, grants: { fs: { read: [words] } } });
    expect(guest.lines[0]).toBe('info 2 words, mode deny');
    expect(await guest.open().preLLM(ask('this is private'))).toMatchObject({ error: { statusCode: 403 } });
    expect(await guest.open().preLLM(ask('this is not'))).toBeUndefined();
  });

  it.skipIf(missing.length > 0)('sees no file that is not granted', async () => {
    for (const grants of [{}, { fs: { read: [join(folder, 'open/notes.txt')] } }]) {
      await expect(openGuest(file(), { config: { words }, grants })).rejects.toThrow(
        /words\.txt: .*\(is it granted as capabilities\.fs\.read\?\)/,
      );
    }
  });

  it.skipIf(missing.length > 0)('is not led out of a granted folder by a link or by dots', async () => {
    const grants = { fs: { read: [`${folder}/open/`] } };
    for (const way of ['open/way-out', 'open/../closed.txt']) {
      await expect(openGuest(file(), { config: { words: `${folder}/${way}` }, grants })).rejects.toThrow(
        '(is it granted',
      );
    }
    await expect(openGuest(file(), { config: { words }, grants })).resolves.toBeDefined();
  });

  it.skipIf(missing.length > 0)('sees the environment variables that are granted', async () => {
    const grants = { fs: { read: [words] }, env: ['GUARD_MODE'] };
    const guest = await openGuest(file(), {
      config: { words },
      grants,
      environment: { GUARD_MODE: 'watch', OTHER: 'x' },
    });
    expect(await guest.open().preLLM(ask('private'))).toBeUndefined();
    expect(guest.lines).toEqual(expect.arrayContaining(['info 2 words, mode watch', 'warn would deny: private']));
    const blind = await openGuest(file(), {
      config: { words },
      grants: { fs: grants.fs },
      environment: { GUARD_MODE: 'watch' },
    });
    expect(await blind.open().preLLM(ask('private'))).toMatchObject({ error: { statusCode: 403 } });
  });

  it.skipIf(missing.length > 0)('marks chunks', async () => {
    const guest = await openGuest(file(), { config: { words, mark: 'm' }, grants: { fs: { read: [words] } } });
    expect(guest.call('httpTransportStreamChunkHook', { data: '{"a":1}', index: 0 })).toEqual({
      data: '{"mark":"m","a":1}',
    });
  });
});

/** The functions as a guest with 64 KiB calls them. */
function openWasi(grants: { read?: string[]; write?: string[] }, environment: string[] = []) {
  const lines: string[] = [];
  const scope = new HostScope(logTo(lines));
  const memory = new GuestMemory(new WebAssembly.Memory({ initial: 1, maximum: 1 }));
  scope.attach(memory);
  const wasi = createWasi({ scope, environment, paths: new GrantedPaths(grants, folder) });
  wasi.reset();
  const call = (name: string, ...values: (number | bigint)[]): number =>
    (wasi.functions[name] as (...given: (number | bigint)[]) => number)(...values);
  const put = (at: number, text: string): number => memory.bytes.write(text, at);
  const iovec = (at: number, length: number): void => {
    memory.view.setUint32(8, at, true);
    memory.view.setUint32(12, length, true);
  };
  const open = (path: string, flags = 0, rights = 1n << 1n): { status: number; fd: number } => {
    const status = call('path_open', 3, 0, 1000, put(1000, path), flags, rights, 0n, 0, 4);
    return { status, fd: memory.view.getUint32(4, true) };
  };
  return { wasi, memory, lines, call, put, iovec, open };
}

const create = 1;
const write = 1n << 6n;

describe('WASI', () => {
  it('reads, seeks, lists and tells the size in a granted folder', () => {
    const { call, memory, iovec, open } = openWasi({ read: ['open/'] });
    const { status, fd } = open('words.txt');
    expect(status).toBe(errno.success);
    iovec(2000, 6);
    expect(call('fd_read', fd, 8, 1, 16)).toBe(errno.success);
    expect(memory.bytes.toString('utf8', 2000, 2006)).toBe('secret');
    expect(call('fd_seek', fd, -8n, 2, 16)).toBe(errno.success);
    expect(memory.view.getBigUint64(16, true)).toBe(8n);
    expect(call('fd_filestat_get', fd, 3000)).toBe(errno.success);
    expect(memory.view.getBigUint64(3032, true)).toBe(16n);
    expect(call('fd_readdir', 3, 4000, 1000, 0n, 16)).toBe(errno.success);
    const listing = memory.bytes.toString('latin1', 4000, 4000 + memory.view.getUint32(16, true));
    expect(listing).toContain('words.txt');
    // A link that leads out is not even shown.
    expect(listing).not.toContain('way-out');
    expect(call('fd_close', fd)).toBe(errno.success);
    expect(call('fd_close', fd)).toBe(errno.badf);
  });

  it.each([
    ['a file above', '../closed.txt', 0, 1n << 1n],
    ['a link out', 'way-out', 0, 1n << 1n],
    ['an absolute path', join(folder, 'closed.txt'), 0, 1n << 1n],
    ['a path with a zero byte', 'words.txt\0', 0, 1n << 1n],
    ['a new file where reading alone is granted', 'new.txt', create, write],
    ['an existing file to be cut off', 'words.txt', 8, write],
  ])('refuses %s with ENOTCAPABLE', (_what, path, flags, rights) => {
    expect(openWasi({ read: ['open/'] }).open(path, flags, rights).status).toBe(errno.notcapable);
  });

  it('opens for reading what a guest wants to write but may read', () => {
    const { open, call, iovec, put } = openWasi({ read: ['open/'] });
    const { status, fd } = open('notes.txt', 0, (1n << 1n) | write);
    expect(status).toBe(errno.success);
    iovec(2000, put(2000, 'overwritten'));
    expect(call('fd_write', fd, 8, 1, 16)).not.toBe(errno.success);
    expect(readFileSync(join(folder, 'open/notes.txt'), 'utf8')).toBe('notes');
  });

  it('writes, renames and removes where writing is granted, and nowhere else', () => {
    mkdirSync(join(folder, 'own'), { recursive: true });
    const { open, call, iovec, put } = openWasi({ read: [], write: ['own/'] });
    const { status, fd } = open('a.txt', create, write);
    expect(status).toBe(errno.success);
    iovec(2000, put(2000, 'hello'));
    expect(call('fd_write', fd, 8, 1, 16)).toBe(errno.success);
    call('fd_close', fd);
    const names = [put(5000, 'a.txt'), put(6000, 'b.txt'), put(7000, '../stolen.txt')] as const;
    expect(call('path_rename', 3, 5000, names[0], 3, 7000, names[2])).toBe(errno.notcapable);
    expect(call('path_rename', 3, 5000, names[0], 3, 6000, names[1])).toBe(errno.success);
    expect(readFileSync(join(folder, 'own/b.txt'), 'utf8')).toBe('hello');
    expect(call('path_unlink_file', 3, 6000, names[1])).toBe(errno.success);
    expect(call('path_unlink_file', 3, 6000, names[1])).toBe(errno.noent);
    expect(call('path_create_directory', 3, 5000, names[0])).toBe(errno.success);
    expect(call('path_remove_directory', 3, 5000, names[0])).toBe(errno.success);
  });

  it('has no directory, argument or variable without a grant, and empty input', () => {
    const { call, memory, iovec } = openWasi({});
    expect(call('fd_prestat_get', 3, 100)).toBe(errno.badf);
    expect(call('args_sizes_get', 100, 104)).toBe(errno.success);
    expect(call('environ_sizes_get', 108, 112)).toBe(errno.success);
    expect([100, 104, 108, 112].map((at) => memory.view.getUint32(at, true))).toEqual([0, 0, 0, 0]);
    iovec(2000, 10);
    expect(call('fd_read', 0, 8, 1, 16)).toBe(errno.success);
    expect(memory.view.getUint32(16, true)).toBe(0);
  });

  it('shows the granted variables, the clocks and random bytes', () => {
    const { call, memory } = openWasi({}, ['A=é']);
    call('environ_sizes_get', 100, 104);
    expect([memory.view.getUint32(100, true), memory.view.getUint32(104, true)]).toEqual([1, 5]);
    call('environ_get', 200, 300);
    expect(memory.view.getUint32(200, true)).toBe(300);
    expect(memory.bytes.toString('utf8', 300, 305)).toBe('A=é\0');
    expect(call('clock_time_get', 0, 1n, 400)).toBe(errno.success);
    expect(Number(memory.view.getBigUint64(400, true) / 1_000_000n)).toBeGreaterThan(1_700_000_000_000);
    expect(call('clock_time_get', 9, 1n, 400)).toBe(errno.notsup);
    call('random_get', 500, 16);
    expect(memory.bytes.subarray(500, 516).some((byte) => byte !== 0)).toBe(true);
  });

  it('logs what is printed line by line', () => {
    const { call, iovec, put, lines } = openWasi({});
    for (const text of ['one\ntw', 'o\n', '\n', 'rest']) {
      iovec(2000, put(2000, text));
      call('fd_write', 1, 8, 1, 16);
    }
    expect(lines).toEqual(['info one', 'info two']);
  });

  it('ends the call at proc_exit, and says no to sockets and sleep', () => {
    const { call } = openWasi({});
    expect(() => call('proc_exit', 3)).toThrow(GuestExit);
    expect(call('sock_send', 4, 0, 0, 0, 0)).toBe(errno.notsup);
    expect(call('poll_oneoff', 0, 0, 1, 0)).toBe(errno.notsup);
  });

  it('opens no more than 256 descriptors', () => {
    const { open } = openWasi({ read: ['open/'] });
    const statuses = Array.from({ length: 300 }, () => open('notes.txt').status);
    expect(statuses.filter((status) => status === errno.success)).toHaveLength(252);
  });
});
