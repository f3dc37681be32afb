import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dlopen } from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingTools, nativeSource, openWorkshop } from '../__tests__/toolchain.ts';
import { buildAdvice } from './build-advice.ts';
import { inspectBytes } from './inspect-artefact.ts';
import { kindByName } from './kind-by-name.ts';
import type { InspectOptions, Inspection } from './inspect-artefact.ts';
import { matchesPlatform, platformOf, thisMachine } from './machine.ts';
import type { Machine } from './machine.ts';
import { nativeSymbols } from './native-symbols.ts';

const workshop = openWorkshop();
afterAll(() => workshop[Symbol.dispose]());
const { run, write, path } = workshop;
const shared = ['-shared', '-fPIC', '-o'];

function inspect(name: string, options: Partial<InspectOptions> = {}): Inspection {
  return inspectBytes(path(name), readFileSync(path(name)), { machine: thisMachine(), nativeSymbols, ...options });
}

const codes = ({ problems }: Inspection): readonly string[] => problems.map(({ code }) => code);

describe('this machine', () => {
  it('knows its C library and the libraries of the process', () => {
    const machine = thisMachine();
    expect(machine.os).toBe(process.platform);
    if (process.platform !== 'linux') return;
    expect(machine.libc?.kind).toMatch(/^(glibc|musl)$/);
    expect(machine.loadedLibraries.join()).toMatch(/libc\.|ld-musl/);
  });

  it.each([
    ['linux-x64', true],
    ['linux-x64-glibc', true],
    ['linux-*-musl', false],
    ['*-*', true],
    ['darwin-x64', false],
    ['linux', undefined],
    ['linux-x64-glibc-2', undefined],
  ])('matches %s: %s', (pattern, expected) => {
    const machine: Machine = { ...thisMachine(), os: 'linux', architecture: 'x64', libc: { kind: 'glibc' } };
    expect(matchesPlatform(pattern, machine)).toBe(expected);
    expect(platformOf(machine)).toBe('linux-x64-glibc');
  });

  it.each([
    ['c', 'linux', 'arm64', 'aarch64-linux-gnu-gcc -shared -fPIC'],
    ['go', 'linux', 'x64', 'CGO_ENABLED=1 GOOS=linux GOARCH=amd64 go build -buildmode=c-shared'],
    ['go', 'win32', 'arm64', 'CGO_ENABLED=1 GOOS=windows GOARCH=arm64 go build -buildmode=c-shared'],
    ['rust', 'linux', 'x64', 'cargo build --release --target x86_64-unknown-linux-gnu'],
    ['rust', 'darwin', 'arm64', 'cargo build --release --target aarch64-apple-darwin'],
    ['c', 'darwin', 'x64', 'clang -dynamiclib -arch x86_64'],
  ] as const)('is built for in %s on %s %s by %s', (...[origin, os, architecture, command]) => {
    expect(buildAdvice({ ...thisMachine(), os, architecture, libc: { kind: 'glibc' } }, origin)).toBe(command);
  });
});

describe('the kind of a file', () => {
  it.each([
    ['p.ts', 'module'],
    ['p.MJS', 'module'],
    ['libp.so.1.2', 'native'],
    ['p.dylib', 'native'],
    ['p.node', 'node-addon'],
    ['p.wasm', 'wasm'],
    ['p', undefined],
    ['p.so.txt', undefined],
  ])('%s is %s', (name, kind) => expect(kindByName(`/a.b/${name}`)).toBe(kind));
});

const absent = missingTools('gcc', 'rustc', 'go');

describe.skipIf(absent.length > 0)(`real libraries (missing: ${absent.join(', ') || 'nothing'})`, () => {
  beforeAll(() => {
    write('p.c', `#include <stdio.h>\nint use(void) { return puts("a"); }\n${nativeSource}`);
    run('gcc', ...shared, 'c.so', 'p.c');
    write('main.c', 'int main(void) { return 0; }');
    run('gcc', '-o', 'program', 'main.c');
    write('p.rs', '#[no_mangle]\npub extern "C" fn bifrost_plugin_abi() -> u32 { println!("a"); 1 }\n');
    run('/usr/bin/rustc', '--crate-type=cdylib', '-o', 'rust.so', 'p.rs');
    write('addon.c', 'void *napi_register_module_v1(void *env, void *exports) { return exports; }');
    run('gcc', ...shared, 'addon.bin', 'addon.c');
    write('go.mod', 'module example.com/p\n\ngo 1.19\n');
    write(
      'p.go',
      'package main\n\nimport "C"\n\n//export bifrost_plugin_abi\nfunc bifrost_plugin_abi() uint32 { return 1 }\n\nfunc main() {}\n',
    );
    mkdirSync(path('go'));
    run('sh', '-c', 'mv p.go go.mod go/ && cd go && go build -buildmode=c-shared -o ../go.so .');
  }, 240_000);

  it('of C are taken, and the system takes them too', () => {
    expect(codes(inspect('c.so'))).toEqual([]);
    const module = { exports: {} };
    // A library that is no add-on gets as far as being loaded.
    expect(() => dlopen(module, path('c.so'))).toThrow(/Module did not self-register|symbol/);
  });

  it('of Rust and Go are told apart, with their versions', () => {
    expect(inspect('rust.so').binary).toMatchObject({ rust: { version: expect.stringMatching(/^1\.\d+/) as unknown } });
    expect(inspect('go.so').binary).toMatchObject({ go: { version: expect.stringMatching(/^go1\.\d+/) as unknown } });
    const arm = { machine: { ...thisMachine(), architecture: 'arm64' } };
    expect(inspect('go.so', arm).problems[0]?.message).toContain('GOARCH=arm64 go build -buildmode=c-shared');
    expect(inspect('rust.so', arm).problems[0]?.message).toContain('--target aarch64-unknown-linux-gnu');
  });

  it('are of the kind that their content says where their name says nothing', () => {
    expect(inspect('addon.bin').kind).toBe('node-addon');
    expect(codes(inspect('addon.bin'))).toEqual([]);
    expect(inspect('program').kind).toBe('grpc');
    expect(codes(inspect('program'))).toEqual([]);
    write('serve', '#!/bin/sh\nexit 0\n');
    expect(inspect('serve').kind).toBe('grpc');
  });

  it('are refused in the portable build, whatever they are called', () => {
    for (const name of ['c.so', 'addon.bin']) {
      expect(codes(inspect(name, { isNativeAllowed: false }))).toEqual(['BF_PLUGIN_NATIVE_DISABLED']);
    }
    expect(codes(inspect('program', { isNativeAllowed: false, kind: 'grpc' }))).toEqual([]);
  });

  it('find their libraries by RUNPATH, RPATH, LD_LIBRARY_PATH, a path of their own, or because they are loaded', () => {
    write('lib.c', 'int lib(void) { return 1; }');
    write('user.c', `int lib(void); int use(void) { return lib(); }\n${nativeSource}`);
    mkdirSync(path('lib'));
    run('gcc', ...shared, 'lib/libtoy.so', '-Wl,-soname,libtoy.so', 'lib.c');
    run('gcc', ...shared, 'runpath.so', '-Wl,--enable-new-dtags,-rpath,$ORIGIN/lib', 'user.c', 'lib/libtoy.so');
    run('gcc', ...shared, 'rpath.so', '-Wl,--disable-new-dtags,-rpath,${ORIGIN}/lib', 'user.c', 'lib/libtoy.so');
    run('gcc', ...shared, 'bare.so', 'user.c', 'lib/libtoy.so');
    expect(codes(inspect('runpath.so'))).toEqual([]);
    expect(codes(inspect('rpath.so'))).toEqual([]);
    expect(codes(inspect('bare.so'))).toEqual(['BF_PLUGIN_LIBRARY_MISSING']);
    expect(codes(inspect('bare.so', { machine: { ...thisMachine(), libraryPath: [path('lib')] } }))).toEqual([]);
    const loadedLibraries = [...thisMachine().loadedLibraries, path('lib/libtoy.so')];
    expect(codes(inspect('bare.so', { machine: { ...thisMachine(), loadedLibraries } }))).toEqual([]);
  });

  it('pass over a library of another architecture, as the system does', () => {
    mkdirSync(path('first'));
    const bytes = readFileSync(path('lib/libtoy.so'));
    bytes.writeUInt16LE(0xb7, 18);
    write('first/libtoy.so', bytes);
    const folders = [path('first'), path('lib')];
    expect(codes(inspect('bare.so', { machine: { ...thisMachine(), libraryPath: folders } }))).toEqual([]);
    expect(codes(inspect('bare.so', { machine: { ...thisMachine(), libraryPath: [path('first')] } }))).toEqual([
      'BF_PLUGIN_LIBRARY_MISSING',
    ]);
  });

  it('name the versions of a library that are there in its place', () => {
    run('gcc', ...shared, 'libz.so.99', '-Wl,-soname,libz.so.99', 'lib.c');
    run('gcc', ...shared, 'z.so', 'user.c', 'libz.so.99');
    const { problems } = inspect('z.so');
    expect(problems[0]?.message).toMatch(
      /needs the shared library libz\.so\.99, which is not on this machine(; it has libz\.so\.1 instead)?/,
    );
  });

  it('may need each other in a circle', () => {
    mkdirSync(path('circle'));
    write('a.c', 'int b(void); int a(void) { return b(); }');
    write('b.c', 'int a(void); int b(void) { return a(); }');
    const here = ['-Wl,-rpath,$ORIGIN', '-Wl,--no-as-needed'];
    run('gcc', ...shared, 'circle/liba.so', '-Wl,-soname,liba.so', 'a.c');
    run('gcc', ...shared, 'circle/libb.so', '-Wl,-soname,libb.so', ...here, 'b.c', 'circle/liba.so');
    run('gcc', ...shared, 'circle/liba.so', '-Wl,-soname,liba.so', ...here, 'a.c', 'circle/libb.so');
    symlinkSync('liba.so', path('circle/p.so'));
    expect(
      codes(inspect('circle/p.so', { kind: 'native', nativeSymbols: { ...nativeSymbols, required: [] } })),
    ).toEqual([]);
  });
});
