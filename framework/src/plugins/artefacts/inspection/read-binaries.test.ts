import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { missingTools, nativeSource, openWorkshop } from '../__tests__/toolchain.ts';
import { BinaryFault } from './byte-view.ts';
import { detectFormat } from './detect-format.ts';
import { readElf } from './elf/read-elf.ts';
import { inspectBytes } from './inspect-artefact.ts';
import { readLdCache } from './ld-cache.ts';
import type { Machine } from './machine.ts';
import { readMachO } from './read-mach-o.ts';
import { readPe } from './read-pe.ts';

const workshop = openWorkshop();
afterAll(() => workshop[Symbol.dispose]());

const absent = missingTools('gcc', 'clang', 'lld', 'strip');
const read = (name: string): Uint8Array => readFileSync(workshop.path(name));

/** A universal file of two thin ones, as lipo makes it. */
function universal(slices: readonly (readonly [cpuType: number, bytes: Uint8Array])[]): Uint8Array {
  const parts = slices.map(([, bytes]) => Buffer.from(bytes));
  const header = Buffer.alloc(8 + slices.length * 20);
  header.writeUInt32BE(0xcafebabe, 0);
  header.writeUInt32BE(slices.length, 4);
  let offset = header.length;
  slices.forEach(([cpuType, bytes], index) => {
    header.writeUInt32BE(cpuType, 8 + index * 20);
    header.writeUInt32BE(offset, 16 + index * 20);
    header.writeUInt32BE(bytes.byteLength, 20 + index * 20);
    offset += bytes.byteLength;
  });
  return Buffer.concat([header, ...parts]);
}

const machine: Machine = {
  os: 'linux',
  architecture: 'x64',
  libc: { kind: 'glibc', version: '2.36' },
  loadedLibraries: [],
  libraryPath: [],
  nodeModuleVersion: '147',
};

describe.skipIf(absent.length > 0)(`headers of real files (missing: ${absent.join(', ') || 'nothing'})`, () => {
  beforeAll(() => {
    const { run, write } = workshop;
    write(
      'p.c',
      `#include <math.h>\n#include <stdio.h>\ndouble use(double x) { puts("a"); return cbrt(x); }\n${nativeSource}`,
    );
    write('bare.c', nativeSource);
    run('gcc', '-shared', '-fPIC', '-Wl,-soname,libp.so.1,-rpath,$ORIGIN/lib', '-o', 'p.so', 'p.c', '-lm');
    run(
      'gcc',
      '-shared',
      '-fPIC',
      '-Wl,--hash-style=sysv,--disable-new-dtags,-rpath,/a:/b',
      '-o',
      'sysv.so',
      'p.c',
      '-lm',
    );
    run('strip', '--strip-all', '-o', 'stripped.so', 'p.so');
    run('clang', '--target=arm64-apple-macos11', '-c', '-o', 'arm.o', 'bare.c');
    run('clang', '--target=x86_64-apple-macos11', '-c', '-o', 'x64.o', 'bare.c');
    const macos = [
      '-flavor',
      'darwin',
      '-dylib',
      '-platform_version',
      'macos',
      '11.0',
      '11.0',
      '-rpath',
      '@loader_path',
    ];
    run('lld', ...macos, '-arch', 'arm64', '-o', 'arm.dylib', 'arm.o');
    run('lld', ...macos, '-arch', 'x86_64', '-o', 'x64.dylib', 'x64.o');
    const windows = 'int _DllMainCRTStartup(void *a, int b, void *c) { return 1; }';
    write('w.c', `__declspec(dllexport) int bifrost_plugin_abi(void) { return 1; }\n${windows}`);
    run('clang', '--target=x86_64-pc-windows-msvc', '-shared', '-nostdlib', '-fuse-ld=lld', '-o', 'w.dll', 'w.c');
  });

  it('reads names, versions, folders and symbols of an ELF library', () => {
    const elf = readElf(read('p.so'));
    expect(elf).toMatchObject({
      type: 'shared',
      architecture: 'x64',
      is64Bit: true,
      isLittleEndian: true,
      soname: 'libp.so.1',
      needed: ['libm.so.6', 'libc.so.6'],
      runpath: ['$ORIGIN/lib'],
      rpath: [],
    });
    expect(elf.exports).toEqual(expect.arrayContaining(['use', 'bifrost_plugin_abi', 'bifrost_plugin_destroy']));
    expect(elf.imports.toSorted()).toEqual(['cbrt', 'puts']);
    expect(elf.versionNeeds.map(({ library }) => library).toSorted()).toEqual(['libc.so.6', 'libm.so.6']);
    expect(elf.versionNeeds.flatMap(({ versions }) => versions)).toContain('GLIBC_2.2.5');
    expect(elf.comments.join()).toContain('GCC');
  });

  it('finds the same symbols with the older hash table, and after stripping', () => {
    const { exports, imports } = readElf(read('p.so'));
    expect(readElf(read('sysv.so'))).toMatchObject({ rpath: ['/a', '/b'], runpath: [] });
    expect(readElf(read('sysv.so')).exports.toSorted()).toEqual(exports.toSorted());
    expect(readElf(read('stripped.so')).exports.toSorted()).toEqual(exports.toSorted());
    expect(readElf(read('stripped.so')).imports.toSorted()).toEqual(imports.toSorted());
  });

  it('finds the symbols of a library whose section headers are gone', () => {
    const bytes = Buffer.from(read('stripped.so'));
    bytes.writeBigUInt64LE(0n, 40);
    bytes.writeUInt16LE(0, 60);
    const elf = readElf(bytes);
    expect(elf.exports.toSorted()).toEqual(readElf(read('p.so')).exports.toSorted());
  });

  it('reads thin and universal Mach-O files', () => {
    const thin = readMachO(read('arm.dylib'));
    expect(thin).toMatchObject({ type: 'shared', architecture: 'arm64', rpath: ['@loader_path'] });
    expect(thin.exports).toContain('bifrost_plugin_call');
    const both = universal([
      [0x0100000c, read('arm.dylib')],
      [0x01000007, read('x64.dylib')],
    ]);
    expect(detectFormat(both)).toBe('mach-o');
    expect(readMachO(both, 'x64')).toMatchObject({ architecture: 'x64', architectures: ['arm64', 'x64'] });
    expect(readMachO(both, 'arm64').architecture).toBe('arm64');
  });

  it('reads a DLL', () => {
    expect(readPe(read('w.dll'))).toEqual({
      format: 'pe',
      is64Bit: true,
      type: 'shared',
      architecture: 'x64',
      needed: [],
      exports: ['bifrost_plugin_abi'],
    });
  });

  it.each(['p.so', 'sysv.so', 'arm.dylib', 'w.dll'])('survives any damage of %s', (name) => {
    const whole = read(name);
    const damage = fc.array(fc.tuple(fc.nat(Math.min(whole.length, 6000) - 1), fc.nat(255)), { maxLength: 8 });
    const kept = fc.oneof(fc.constant(whole.length), fc.nat(whole.length));
    fc.assert(
      fc.property(damage, kept, (changes, length) => {
        const bytes = Buffer.from(whole.subarray(0, length));
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        const { problems, kind } = inspectBytes('/p/x', bytes, { machine });
        for (const { message } of problems) expect(message).toMatch(/^\/p\/x /);
        if (problems.length === 0) expect(kind).toBeDefined();
      }),
      { numRuns: 400 },
    );
  });

  it.each(['p.so', 'arm.dylib', 'w.dll'])('says of every shorter %s that it is cut off, or what else it is', (name) => {
    const whole = read(name);
    for (const share of [0.3, 0.5, 0.8, 0.99]) {
      const { problems } = inspectBytes('/p/x', whole.subarray(0, Math.floor(whole.length * share)), { machine });
      expect(problems[0]?.code).toBe('BF_PLUGIN_FILE_DAMAGED');
      expect(problems[0]?.message).toContain('is cut off');
    }
  });
});

describe('bytes that are anything', () => {
  const readers = { elf: readElf, 'mach-o': readMachO, pe: readPe } as const;
  const magics = {
    elf: [0x7f, 0x45, 0x4c, 0x46, 2, 1],
    'mach-o': [0xcf, 0xfa, 0xed, 0xfe],
    pe: [0x4d, 0x5a],
  } as const;

  it.each(Object.keys(readers) as (keyof typeof readers)[])('are read by %s, or refused as damaged', (format) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (tail, hasMagic) => {
        const bytes = hasMagic ? Uint8Array.from([...magics[format], ...tail]) : tail;
        try {
          expect(readers[format](bytes)).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(BinaryFault);
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('are no cache of libraries', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
        const bytes = Buffer.concat([Buffer.from('glibc-ld.so.cache1.1'), tail]);
        expect(readLdCache(bytes)).toBeInstanceOf(Map);
      }),
    );
  });
});

describe('the format of a file', () => {
  it.each([
    ['zip', 'PK\x03\x04rest'],
    ['gzip', '\x1f\x8b\x08'],
    ['html', '\n<!DOCTYPE html>\n<html>'],
    ['html', '<html><head>'],
    ['git-lfs-pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:1\n'],
    ['linker-script', '/* GNU ld script */\nOUTPUT_FORMAT(elf64-x86-64)\n'],
    ['linker-script', 'INPUT(libc.so.6)'],
    ['ar', '!<arch>\n'],
    ['script', '#!/bin/sh\n'],
    ['json', '{ "name": "a" }'],
    ['wat', '(module (func))'],
    ['text', 'export default {};'],
    ['text', 'import { a } from "b"; // grüße'],
    ['empty', ''],
    ['utf-16', '\xff\xfee\x00x\x00'],
    ['utf-16', '\xfe\xff\x00e\x00x'],
    ['unknown', '\x00\x01\x02\xff'],
    ['java-class', '\xca\xfe\xba\xbe\x00\x00\x00\x41'],
    ['llvm-bitcode', 'BC\xc0\xde'],
  ])('is %s', (format, text) => {
    expect(detectFormat(Buffer.from(text, text.includes('ü') ? 'utf8' : 'latin1'))).toBe(format);
  });

  it('is text also where a character of two bytes is cut at the end of what is looked at', () => {
    expect(detectFormat(Buffer.from(`${'a'.repeat(1023)}ü`))).toBe('text');
  });
});
