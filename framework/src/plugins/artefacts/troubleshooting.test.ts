/** Each case of docs/plugins/troubleshooting.md, produced for real: the page and the messages cannot part. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entry, hostIn } from '../__tests__/plugin-folder.ts';
import { startPluginServer } from './__tests__/plugin-server.ts';
import type { PluginServer } from './__tests__/plugin-server.ts';
import { writeTgz } from './__tests__/tar.ts';
import { missingTools, nativeSource, openWorkshop } from './__tests__/toolchain.ts';
import { sha256Of } from './download/integrity.ts';
import { thisMachine } from './inspection/machine.ts';
import { resolveArtefact } from './resolve-artefact.ts';
import type { ArtefactEntry, ResolveOptions } from './resolve-artefact.ts';
import { generateSigningKeys, signManifest } from './signature/sign-manifest.ts';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/plugins/troubleshooting.md'), 'utf8');
const workshop = openWorkshop();
const { write, run, path } = workshop;
let server: PluginServer;

beforeAll(async () => {
  server = await startPluginServer();
  write('p.c', `#include <stdio.h>\nint use(void) { return puts("a"); }\n${nativeSource}`);
  write('bare.c', nativeSource);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  workshop[Symbol.dispose]();
});

/** The message of a failed resolution, without the plugin's name. */
async function messageFor(rest: Partial<ArtefactEntry>, options: Partial<ResolveOptions> = {}): Promise<string> {
  const folder = workshop.folder;
  const all: ResolveOptions = {
    baseDirectory: folder,
    workingDirectory: '/nowhere',
    pluginDirectory: path('plugins'),
    download: {
      certificateAuthority: server.certificate,
      privateHosts: ['plugins.example'],
      resolveHost: async () => ['127.0.0.1'],
    },
    ...options,
  };
  const error: unknown = await resolveArtefact({ name: 'p', ...rest }, all).then(
    (found) => found,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  return error instanceof Error ? error.message.replace(/^plugin p: /, '') : '';
}

/** A folder with a manifest and files; its path. */
function pluginIn(
  name: string,
  manifest: object,
  files: Readonly<Record<string, string>> = { 'p.mjs': 'export {};' },
): string {
  const base = { name: 'tester', version: '1.2.0', api: '1', main: Object.keys(files)[0] };
  for (const [file, content] of Object.entries({
    ...files,
    'bifrost-plugin.json': JSON.stringify({ ...base, ...manifest }),
  })) {
    mkdirSync(dirname(join(path(name), file)), { recursive: true });
    writeFileSync(join(path(name), file), content);
  }
  return `./${name}`;
}

/** What the host says of a plugin that fails in its own code. */
async function hostMessage(files: Readonly<Record<string, string>>, pluginPath: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-modules-'));
  try {
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), content);
    }
    const { host } = hostIn(folder);
    await host.load([entry('p', pluginPath)]);
    return host.status()[0]?.message?.replace(/^plugin p: /, '') ?? '';
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs as a user who may not read root's files. */
async function unprivileged<T>(work: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

const keys = generateSigningKeys();
const trust = { keys: { me: keys.publicKey }, isSignatureRequired: true };
const digest = `sha256-${Buffer.from(sha256Of(Buffer.from('export {};')), 'hex').toString('base64')}`;
const shared = ['-shared', '-fPIC', '-o'];
const musl = { ...thisMachine(), libc: { kind: 'musl' } } as const;

interface Case {
  readonly tools?: readonly string[];
  readonly produce: () => Promise<readonly string[]>;
}

async function all(...messages: readonly Promise<string>[]): Promise<readonly string[]> {
  return Promise.all(messages);
}

const cases: Readonly<Record<string, Case>> = {
  'No file at the path': {
    produce: () => {
      write('plugin.mjs', '');
      return all(messageFor({ path: './plugn.mjs' }), messageFor({ path: './gone/away.so' }));
    },
  },
  'No npm package': {
    produce: () => all(messageFor({ path: 'some-plugin' }), messageFor({ path: '@acme/some-plugin' })),
  },
  'A folder without a plugin': {
    produce: () => {
      mkdirSync(path('empty'));
      return all(messageFor({ path: './empty' }));
    },
  },
  'An entry file that is not there': {
    produce: () => all(messageFor({ path: pluginIn('unbuilt', { main: 'dist/p.mjs' }) })),
  },
  'A file that may not be read': {
    produce: async () => {
      chmodSync(workshop.folder, 0o755);
      chmodSync(write('closed.mjs', 'export {};'), 0o000);
      return [await unprivileged(() => messageFor({ path: './closed.mjs' }))];
    },
  },
  'A file that is cut off': {
    tools: ['gcc'],
    produce: () => {
      run('gcc', ...shared, 'whole.so', 'p.c');
      write('cut.so', readFileSync(path('whole.so')).subarray(0, 3000));
      return all(messageFor({ path: './cut.so' }));
    },
  },
  'A damaged file': {
    produce: () => {
      write('damaged.wasm', Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 7, 2, 0xff, 0xff]));
      return all(messageFor({ path: './damaged.wasm' }));
    },
  },
  "Something else under the plugin's name": {
    tools: ['gcc', 'ar'],
    produce: () => {
      write('page.so', '<!doctype html><html><body>Sign in</body></html>');
      write('pointer.wasm', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n');
      write('script.so', '/* GNU ld script */\nGROUP ( /lib/libc.so.6 )\n');
      write('text.so', 'hello\n');
      write('empty.so', '');
      write('packed.so', writeTgz([{ path: 'a' }]));
      write('page.js', '<!doctype html><html></html>');
      run('gcc', '-c', '-o', 'p.o', 'bare.c');
      run('ar', 'rcs', 'static.so', 'p.o');
      const names = [
        'page.so',
        'pointer.wasm',
        'script.so',
        'text.so',
        'empty.so',
        'packed.so',
        'page.js',
        'static.so',
      ];
      return all(...names.map((name) => messageFor({ path: `./${name}` })));
    },
  },
  'A program or an object file': {
    tools: ['gcc'],
    produce: () => {
      write('main.c', 'int main(void) { return 0; }');
      run('gcc', '-o', 'program.so', 'main.c');
      run('gcc', '-no-pie', '-o', 'fixed.so', 'main.c');
      run('gcc', '-c', '-fPIC', '-o', 'object.so', 'p.c');
      return all(...['program.so', 'fixed.so', 'object.so'].map((name) => messageFor({ path: `./${name}` })));
    },
  },
  "An extension that is none of a plugin's": {
    produce: () => {
      write('p.cjs', 'module.exports = {};');
      write('p.txt', 'hello');
      return all(messageFor({ path: './p.cjs' }), messageFor({ path: './p.txt' }));
    },
  },
  'Native code in the portable build': {
    tools: ['gcc'],
    produce: () => {
      run('gcc', ...shared, 'native.so', 'p.c');
      return all(messageFor({ path: './native.so' }, { isNativeAllowed: false }));
    },
  },
  'Wrong processor': {
    tools: ['aarch64-linux-gnu-gcc', 'go'],
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
      return all(messageFor({ path: './go-plugin.so' }));
    },
  },
  'A manifest that is wrong': {
    produce: async () => {
      const messages = await all(
        messageFor({
          path: pluginIn('wrong', {
            api: 'latest',
            verson: '1',
            hooks: { preLlmHook: {} },
            configSchema: { type: 'int' },
          }),
        }),
      );
      for (const part of [
        'unknown key "verson"; did you mean "version"?',
        'api: expected a version or range',
        'hooks: unknown key "preLlmHook"; did you mean "preLLMHook"?',
        'configSchema.type: expected one of null',
      ]) {
        expect(messages[0]).toContain(part);
      }
      return messages;
    },
  },
  'Another version of the plugin API': {
    produce: () => all(messageFor({ path: pluginIn('later', { api: '>=2.0' }) })),
  },
  'Another platform': {
    produce: () => all(messageFor({ path: pluginIn('mac', { platforms: ['darwin-arm64', 'win32-*'] }) })),
  },
  'A digest that does not fit': {
    produce: () => {
      const changed = pluginIn('changed', { integrity: `sha256-${'A'.repeat(43)}=` });
      return all(messageFor({ path: changed }), messageFor({ path: pluginIn('pinned', {}), sha256: 'a'.repeat(64) }));
    },
  },
  'A signature that does not fit': {
    produce: () => {
      const manifest = { name: 'tester', version: '1.2.0', api: '1', main: 'p.mjs', integrity: digest };
      const { signature } = signManifest(manifest, { id: 'me', privateKey: keys.privateKey });
      return all(messageFor({ path: pluginIn('forged', { integrity: digest, guard: true, signature }) }, { trust }));
    },
  },
  'A plugin that is not signed': {
    produce: () =>
      all(messageFor({ path: pluginIn('unsigned', {}) }, { trust }), messageFor({ path: './plugin.mjs' }, { trust })),
  },
  'A signature by an unknown key': {
    produce: () => {
      const signature = { keyId: 'mee', ed25519: 'AAAA' };
      return all(messageFor({ path: pluginIn('foreign', { integrity: digest, signature }) }, { trust }));
    },
  },
  'A config that is wrong': {
    produce: async () => {
      const configSchema = {
        properties: { limits: { type: 'array', items: { properties: { max: { type: 'number' } } } } },
      };
      const messages = await all(
        messageFor({ path: pluginIn('strict', { configSchema }), config: { limits: [{ max: 1 }, { max: 'x' }] } }),
      );
      expect(messages[0]).toContain('config.limits[1].max: expected a number, got a string');
      return messages;
    },
  },
  'A capability that is not granted': {
    produce: () => {
      const plugin = pluginIn('reader', { capabilities: { fs: { read: ['./rules/'] }, net: ['api.example.com'] } });
      return all(messageFor({ path: plugin, isolation: 'process' }));
    },
  },
  'No digest for a URL': { produce: () => all(messageFor({ path: `${server.origin()}/p.mjs` })) },
  'Not over https': { produce: () => all(messageFor({ path: 'http://plugins.example/p.mjs' })) },
  'A host in the own network': {
    produce: () => all(messageFor({ path: `${server.origin('other.example')}/p.mjs`, sha256: 'a'.repeat(64) })),
  },
  'A server that is not reached': {
    produce: () => {
      const download = { privateHosts: ['plugins.example'], resolveHost: async () => ['127.0.0.1'] };
      return all(messageFor({ path: `${server.origin()}/p.mjs`, sha256: 'a'.repeat(64) }, { download }));
    },
  },
  'A server that does not have it': {
    produce: () => all(messageFor({ path: `${server.origin()}/gone.mjs`, sha256: 'a'.repeat(64) })),
  },
  'An archive that is not unpacked': {
    produce: () => {
      const bytes = writeTgz([
        { path: 'package.json', content: '{}' },
        { path: 'a', type: '2', linkTarget: '/etc/passwd' },
      ]);
      server.answers.set('/p.tgz', (response) => void response.end(bytes));
      return all(messageFor({ path: `${server.origin()}/p.tgz`, sha256: sha256Of(bytes) }));
    },
  },
  'TypeScript in node_modules': {
    produce: () =>
      all(
        hostMessage(
          {
            'node_modules/tsp/package.json': '{"name":"tsp","type":"module","exports":"./index.ts"}',
            'node_modules/tsp/index.ts': 'export const preLLMHook = (): void => {};',
          },
          'tsp',
        ),
      ),
  },
  'TypeScript that is more than types': {
    produce: () => all(hostMessage({ 'p.ts': 'export enum Color { red }' }, './p.ts')),
  },
  'A misspelt hook': { produce: () => all(hostMessage({ 'p.ts': 'export default { preLlmHok() {} };' }, './p.ts')) },
};

interface PageCase {
  readonly title: string;
  readonly template: string;
  readonly pattern: RegExp;
}

/** Every `###` section with its message; `<words>` stand for anything, `<hint>`s for nothing too. */
function readPage(): readonly PageCase[] {
  const sections = page.split(/^### /m).slice(1);
  return sections.map((section) => {
    const title = section.slice(0, section.indexOf('\n'));
    const template = /```text\n([\s\S]*?)\n```/.exec(section)?.[1] ?? '';
    const parts = template.split(/(<[a-zA-Z ]+>)/).map((part) => {
      if (part === '<hint>' || part === '<others>') return '(?:; .+?)?';
      if (/^<[a-zA-Z ]+>$/.test(part)) return '[^\\n]+?';
      return part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    });
    return { title, template, pattern: new RegExp(`^${parts.join('')}(?:, or, if it speaks [^\\n]+)?$`) };
  });
}

const documented = readPage();

it('has a page that tells the cases of the tests, and no others', () => {
  expect(documented.map(({ title }) => title).toSorted()).toEqual(Object.keys(cases).toSorted());
});

describe.each(documented)('$title', ({ title, pattern }) => {
  const { tools = [], produce } = cases[title] ?? { produce: async () => [] };
  const absent = missingTools(...tools);
  it.skipIf(absent.length > 0)(`says what the page says (missing: ${absent.join(', ') || 'nothing'})`, async () => {
    const messages = await produce();
    expect(messages.length).toBeGreaterThan(0);
    for (const message of messages) expect(message).toMatch(pattern);
  });
});
