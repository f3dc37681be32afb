import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createRoot, explainNoChroot } from '../../artefacts/chroot.ts';
import { collectLibraries, MissingLibraryError } from '../carried-libraries.ts';
import { isElf, neededLibraries, readDynamicTable, readElf, segmentTypes } from './elf-file.ts';
import { makePortable } from './make-portable.ts';
import { stripExecutable } from './strip-executable.ts';

const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
const loaderName = architecture === 'arm64' ? 'loader-aarch64.bin' : 'loader-x86_64.bin';
const loader = readFileSync(join(import.meta.dirname, '../loader', loaderName));
const folder = mkdtempSync(join(tmpdir(), 'bifrost-elf-'));
afterAll(() => rmSync(folder, { recursive: true }));

const isLinux = process.platform === 'linux' && existsSync('/bin/ls');

/** A program of this system, made portable. */
function portable(name: string): Buffer {
  const program = stripExecutable(readFileSync(name));
  const { linker, libraries } = collectLibraries(program, architecture);
  return makePortable(program, { loader, linker, libraries });
}

describe.skipIf(!isLinux)('a program made portable', () => {
  it('is statically linked to the eye of the kernel and of ldd, and asks for the same libraries inside', () => {
    const before = readFileSync('/bin/ls');
    expect(neededLibraries(before)).toContain('libc.so.6');
    const after = portable('/bin/ls');
    const { segments } = readElf(after);
    expect(segments.map(({ type }) => type)).not.toContain(segmentTypes.interpreter);
    expect(readDynamicTable(after)).toBeUndefined();
    expect(segments).toHaveLength(readElf(before).segments.length);
    const loads = segments.filter(({ type }) => type === segmentTypes.load).map(({ address }) => address);
    expect(loads).toEqual(loads.toSorted((a, b) => a - b));
  });

  it.each(['/bin/ls', '/bin/bash', '/bin/dash'].filter((name) => existsSync(name)))(
    'runs as before, position-independent or not: %s',
    (name) => {
      const path = join(folder, name.replaceAll('/', '_'));
      writeFileSync(path, portable(name), { mode: 0o755 });
      const args = name === '/bin/ls' ? ['/proc/self/fd'] : ['-c', 'echo "$0" $((6 * 7)); exit 3'];
      const run = (program: string): unknown => {
        const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', argv0: 'shell' });
        return { status, stdout, stderr };
      };
      // The files of the libraries are closed again: the same descriptors are open.
      expect(run(path)).toEqual(run(name));
    },
  );

  it('runs where there is nothing, with arguments and environment', ({ skip }) => {
    const reason = explainNoChroot();
    if (reason !== undefined) skip(reason);
    using root = createRoot();
    const path = join(folder, 'shell');
    writeFileSync(path, portable('/bin/bash'), { mode: 0o755 });
    root.add(path, 'shell');
    const [command = '', ...args] = root.command(['/shell', '-c', 'echo "$GREETING" "$1" /*', 'shell', 'a b']);
    const environment = { PATH: process.env['PATH'] ?? '', GREETING: 'hello' };
    expect(execFileSync(command, args, { encoding: 'utf8', env: environment })).toBe(
      'hello a b /data /proc /shell /tmp\n',
    );
  });

  it('names the library that is missing and what to install', () => {
    const program = readFileSync('/bin/ls');
    const other = architecture === 'x64' ? 'arm64' : 'x64';
    const find = (): unknown =>
      collectLibraries(Buffer.from(program.toString('latin1').replaceAll('libc.so.6', 'libq.so.6'), 'latin1'), other);
    expect(find).toThrow(MissingLibraryError);
    expect(find).toThrow(/carries \S+ for (arm64|x64), which is in none of .*; on Debian: apt-get install/);
  });

  it('has to be dynamically linked', () => {
    const carried = collectLibraries(readFileSync('/bin/ls'), architecture);
    const twice = (): unknown => makePortable(portable('/bin/ls'), { loader, ...carried });
    expect(twice).toThrow('the executable is not dynamically linked');
  });
});

describe('reading', () => {
  it('tells what is no ELF file', () => {
    expect(isElf(Buffer.from('#!/bin/sh\n'.padEnd(80)))).toBe(false);
    expect(() => readElf(Buffer.alloc(100))).toThrow('not a 64-bit little-endian ELF file');
  });
});
