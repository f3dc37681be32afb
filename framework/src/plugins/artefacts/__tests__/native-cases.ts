/* oxlint-disable max-lines-per-function -- a table of cases */
/** Native plugins that this machine cannot run. */
import { mkdirSync, rmSync } from 'node:fs';
import { expect } from 'vitest';
import { thisMachine } from '../inspection/machine.ts';
import { all } from './failure-bench.ts';
import type { Case, FailureBench } from './failure-bench.ts';
import { nativeSource } from './toolchain.ts';

export function nativeCases(bench: FailureBench): Readonly<Record<string, Case>> {
  const { messageFor, path, run, write } = bench;
  const shared = ['-shared', '-fPIC', '-o'];
  const musl = { ...thisMachine(), libc: { kind: 'musl' } } as const;
  return {
    'Native code in the portable build': {
      tools: ['gcc'],
      produce: () => {
        run('gcc', ...shared, 'native.so', 'p.c');
        return all(messageFor({ path: './native.so' }, { isNativeAllowed: false }));
      },
    },
    'Wrong processor': {
      tools: ['aarch64-linux-gnu-gcc'],
      produce: () => {
        run('aarch64-linux-gnu-gcc', ...shared, 'arm64.so', '-nostdlib', 'bare.c');
        return all(messageFor({ path: './arm64.so' }));
      },
    },
    'Wrong operating system': {
      tools: ['clang', 'lld'],
      produce: () => {
        write(
          'dll.c',
          '__declspec(dllexport) int bifrost_plugin_abi(void) { return 1; } int _DllMainCRTStartup(void *a, int b, void *c) { return 1; }',
        );
        run('clang', '--target=x86_64-pc-windows-msvc', '-shared', '-nostdlib', '-fuse-ld=lld', '-o', 'p.dll', 'dll.c');
        run('clang', '--target=arm64-apple-macos11', '-c', '-o', 'mac.o', 'bare.c');
        run(
          'lld',
          '-flavor',
          'darwin',
          '-dylib',
          '-arch',
          'arm64',
          '-platform_version',
          'macos',
          '11.0',
          '11.0',
          '-o',
          'mac.so',
          'mac.o',
        );
        return all(messageFor({ path: './p.dll' }), messageFor({ path: './mac.so' }));
      },
    },
    'Wrong C library': {
      tools: ['musl-gcc', 'gcc', 'patchelf'],
      produce: async () => {
        run('musl-gcc', ...shared, 'musl.so', 'p.c');
        run('musl-gcc', ...shared, 'alpine.so', 'p.c');
        run('patchelf', '--replace-needed', 'libc.so', 'libc.musl-x86_64.so.1', 'alpine.so');
        run('gcc', ...shared, 'glibc.so', 'p.c');
        const messages = await all(
          messageFor({ path: './musl.so' }),
          messageFor({ path: './alpine.so' }),
          messageFor({ path: './glibc.so' }, { machine: musl }),
        );
        expect(messages[0]).toContain('it needs libc.so and the loader /lib/ld-musl-x86_64.so.1');
        expect(messages[1]).toContain('it needs libc.musl-x86_64.so.1 and the loader /lib/ld-musl-x86_64.so.1');
        expect(messages[2]).toContain('it needs libc.so.6 and the loader /lib64/ld-linux-x86-64.so.2');
        return messages;
      },
    },
    "A newer glibc than the machine's": {
      tools: ['gcc'],
      produce: () => {
        run('gcc', ...shared, 'new.so', 'p.c');
        const old = { ...thisMachine(), libc: { kind: 'glibc', version: '2.2' } } as const;
        return all(messageFor({ path: './new.so' }, { machine: old }));
      },
    },
    'A shared library that is missing': {
      tools: ['gcc'],
      produce: () => {
        write('gone.c', 'int gone(void) { return 1; }');
        write('needs.c', `int gone(void); int use(void) { return gone(); }\n${nativeSource}`);
        run('gcc', ...shared, 'libgone.so.1', '-Wl,-soname,libgone.so.1', 'gone.c');
        run('gcc', ...shared, 'needs.so', 'needs.c', 'libgone.so.1');
        rmSync(path('libgone.so.1'));
        return all(messageFor({ path: './needs.so' }));
      },
    },
    'A shared library that misses one itself': {
      tools: ['gcc'],
      produce: () => {
        write('deep.c', 'int deep(void) { return 1; }');
        write('middle.c', 'int deep(void); int middle(void) { return deep(); }');
        write('top.c', `int middle(void); int use(void) { return middle(); }\n${nativeSource}`);
        run('gcc', ...shared, 'libdeep.so.2', '-Wl,-soname,libdeep.so.2', 'deep.c');
        run('gcc', ...shared, 'libmiddle.so.1', '-Wl,-soname,libmiddle.so.1', 'middle.c', 'libdeep.so.2');
        run(
          'gcc',
          ...shared,
          'top.so',
          '-Wl,-rpath,$ORIGIN',
          'top.c',
          'libmiddle.so.1',
          'libdeep.so.2',
          '-Wl,--as-needed',
        );
        rmSync(path('libdeep.so.2'));
        run(
          'gcc',
          ...shared,
          'top.so',
          '-Wl,-rpath,$ORIGIN',
          '-Wl,--unresolved-symbols=ignore-all',
          'top.c',
          'libmiddle.so.1',
        );
        return all(messageFor({ path: './top.so' }));
      },
    },
    'A shared library that is too old': {
      tools: ['gcc'],
      produce: () => {
        write('lib.c', 'int versioned(void) { return 1; }');
        write('v2.map', 'TOY_1 { local: *; }; TOY_2 { global: versioned; } TOY_1;');
        write('v1.map', 'TOY_1 { global: versioned; local: *; };');
        write('user.c', `int versioned(void); int use(void) { return versioned(); }\n${nativeSource}`);
        const soname = '-Wl,-soname,libtoy.so.1';
        run('gcc', ...shared, 'libtoy.so.1', soname, '-Wl,--version-script=v2.map', 'lib.c');
        run('gcc', ...shared, 'user.so', '-Wl,-rpath,$ORIGIN', 'user.c', 'libtoy.so.1');
        run('gcc', ...shared, 'libtoy.so.1', soname, '-Wl,--version-script=v1.map', 'lib.c');
        return all(messageFor({ path: './user.so' }));
      },
    },
    'A function that is missing': {
      tools: ['gcc'],
      produce: async () => {
        write('misspelt.c', nativeSource.replace('bifrost_plugin_destroy', 'bifrost_plugin_destory'));
        write('none.c', 'int other(void) { return 1; }');
        run('gcc', ...shared, 'misspelt.so', 'misspelt.c');
        run('gcc', ...shared, 'none.so', 'none.c');
        const messages = await all(messageFor({ path: './misspelt.so' }), messageFor({ path: './none.so' }));
        expect(messages[0]).toContain('it exports bifrost_plugin_destory: did you mean bifrost_plugin_destroy?');
        return messages;
      },
    },
    'A library where a program is started': {
      tools: ['gcc'],
      produce: () => {
        write('started.c', nativeSource);
        run('gcc', ...shared, 'started.so', 'started.c');
        return all(messageFor({ path: './started.so', isolation: 'grpc' }));
      },
    },
    'A module where a program is started': {
      produce: () => {
        write('started.ts', 'export default { inject() {} };');
        return all(messageFor({ path: './started.ts', isolation: 'grpc' }));
      },
    },
    'A function that the interface does not know': {
      tools: ['gcc'],
      produce: () => {
        write('more.c', `${nativeSource}\nint bifrost_plugin_reload(void) { return 1; }`);
        run('gcc', ...shared, 'more.so', 'more.c');
        return all(messageFor({ path: './more.so' }));
      },
    },
    'An add-on for another Node': {
      tools: ['gcc'],
      produce: () => {
        write('addon.c', 'void node_register_module_v108(void) {}');
        run('gcc', ...shared, 'old.node', 'addon.c');
        return all(messageFor({ path: './old.node' }));
      },
    },
    'Go plugins of Bifrost': {
      tools: ['go', 'gcc'],
      produce: () => {
        mkdirSync(path('go'));
        write('go/go.mod', 'module example.com/p\n\ngo 1.19\n');
        write(
          'go/p.go',
          'package main\n\nfunc GetName() string { return "p" }\n\nfunc Cleanup() error { return nil }\n\nfunc main() {}\n',
        );
        run('sh', '-c', 'cd go && go build -buildmode=plugin -o ../go-plugin.so .');
        // No other gateway than Bifrost's own would take it: that is what is said, and not what another build would say next.
        return all(
          messageFor({ path: './go-plugin.so' }),
          messageFor({ path: './go-plugin.so' }, { isNativeAllowed: false }),
        );
      },
    },
    'A WebAssembly module that cannot be read': {
      produce: () => {
        write('cut.wasm', Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 7, 2, 0xff, 0xff]));
        return all(messageFor({ path: './cut.wasm' }));
      },
    },
    'A WebAssembly module of no known interface': {
      tools: ['clang', 'lld'],
      produce: () => {
        write('plain.c', '__attribute__((export_name("run"))) int run(int a) { return a; }');
        run('clang', '--target=wasm32', '-nostdlib', '-Wl,--no-entry', '-o', 'plain.wasm', 'plain.c');
        return all(messageFor({ path: './plain.wasm' }));
      },
    },
    'A WebAssembly module that lacks a function': {
      tools: ['clang', 'lld'],
      produce: async () => {
        const names = ['bifrost_abi_1', 'bifrost_aloc', 'bifrost_call'];
        const code = names.map((name) => `__attribute__((export_name("${name}"))) int ${name}(int a) { return a; }`);
        write('lacking.c', code.join('\n'));
        run('clang', '--target=wasm32', '-nostdlib', '-Wl,--no-entry', '-o', 'lacking.wasm', 'lacking.c');
        const messages = await all(messageFor({ path: './lacking.wasm' }));
        expect(messages[0]).toContain('it exports "bifrost_aloc": did you mean "bifrost_alloc"?');
        return messages;
      },
    },
  };
}
