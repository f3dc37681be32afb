import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectLibraries } from '../build/carried-libraries.ts';
import { repository } from '../build/repository.ts';
import { Checkout, documentedCommands } from './__tests__/checkout.ts';
import { createRoot, explainNoChroot } from './chroot.ts';
import type { Root } from './chroot.ts';
import { arm64Executable, dynamicExecutable, portableExecutable, testedVersion } from './executables.ts';

const page = (): string => readFileSync(join(repository, 'docs/deployment/troubleshooting.md'), 'utf8');
const isX64 = process.arch === 'x64';
let portable: Checkout;
let dynamic: Checkout;
beforeAll(async () => {
  portable = new Checkout(await portableExecutable());
  dynamic = new Checkout(await dynamicExecutable());
}, 180_000);
afterAll(() => {
  portable?.[Symbol.dispose]();
  dynamic?.[Symbol.dispose]();
});

/** A shared library of this system. */
function libraryOf(name: string): string {
  const { origins } = collectLibraries(readFileSync(process.execPath), isX64 ? 'x64' : 'arm64');
  return origins.get(name) ?? '';
}

describe('plugins that do not load, as the troubleshooting page shows them', () => {
  it.each([
    [
      'for another API',
      `export default { name: 'p', apiVersion: '>=9.0', inject() {} };`,
      /written for plugin API ">=9\.0"; this gateway has "v1"/,
    ],
    ['whose file is not there', undefined, /there is no file or folder "\.\/p\.ts"; looked for/],
  ])('%s', async (_name, text, message) => {
    if (text === undefined) rmSync(portable.path('p.ts'), { force: true });
    else writeFileSync(portable.path('p.ts'), text);
    const plugins = [{ name: 'p', path: './p.ts', enabled: true }];
    writeFileSync(portable.path('wrong.json'), JSON.stringify({ plugins }));
    await portable.typeUntil('./tmp/bifrost-http -config wrong.json', message);
    expect(page()).toMatch(message);
  });

  it('native, in the portable executable', async () => {
    // Any shared library will do: it is refused before it is opened.
    copyFileSync(libraryOf('libm.so.6'), portable.path('p.so'));
    const plugins = [{ name: 'p', path: './p.so', enabled: true }];
    writeFileSync(portable.path('native.json'), JSON.stringify({ plugins }));
    const message =
      'this gateway is the portable build, which loads no native code: build the gateway with `make build DYNAMIC=1`';
    await portable.typeUntil('./tmp/bifrost-http -config native.json', new RegExp(message));
    expect(page()).toContain(message);
  });

  it.each([
    ['arm64.so', 'aarch64-linux-gnu-gcc', 'is built for arm64, and this gateway runs on x64: build it for x64'],
    ['musl.so', 'musl-gcc', 'is linked with musl'],
    ['plugin.so', 'gcc', 'ok: native-c 1.0.0, native'],
  ])('native, built as %s by %s: %s', (file, compiler, message) => {
    if (!isX64 || !existsSync(`/usr/bin/${compiler}`)) return;
    const build = `make -C examples/plugins/native-c CC=${compiler} OUT=${file}`;
    const check = `./tmp/bifrost-http plugin check examples/plugins/native-c/${file}`;
    const [documentedBuild, documentedCheck] = [
      'make -C examples/plugins/native-c CC=gcc OUT=plugin.so',
      './tmp/bifrost-http plugin check examples/plugins/native-c/plugin.so',
    ];
    expect(documentedCommands()).toEqual(expect.arrayContaining([documentedBuild, documentedCheck]));
    dynamic.type(build);
    expect(dynamic.type(check)).toContain(message);
    expect(page()).toContain(message);
  });
});

/** The output of the executable in a root; by its shell where it has one. */
function startIn(root: Root, command: readonly string[]): string {
  const [file = '', ...args] = root.command(command);
  const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  return stdout + stderr;
}

describe.skipIf(explainNoChroot() !== undefined)('the dynamic executable where its libraries are missing', () => {
  it('names what is missing once its loader is there', async () => {
    const executable = await dynamicExecutable();
    using root = createRoot();
    root.add(executable, 'bifrost-http');
    // No loader: the message of the kernel speaks of the file itself.
    expect(startIn(root, ['/bifrost-http', '-version'])).toContain('No such file or directory');
    const { linker, libraries, origins } = collectLibraries(readFileSync(executable), isX64 ? 'x64' : 'arm64');
    const place = (name: string, to: string): void => root.add(origins.get(name) ?? '', to);
    place(linker.name, isX64 ? `lib64/${linker.name}` : `lib/${linker.name}`);
    for (const { name } of libraries) if (name !== 'libatomic.so.1') place(name, `lib/${name}`);
    const message = 'error while loading shared libraries: libatomic.so.1: cannot open shared object file';
    expect(startIn(root, ['/bifrost-http', '-version'])).toContain(message);
    expect(page()).toContain(message);
    place('libatomic.so.1', 'lib/libatomic.so.1');
    expect(startIn(root, ['/bifrost-http', '-version'])).toContain(`bifrost-http ${testedVersion}`);
  });

  it.skipIf(!isX64 || !existsSync('/lib/ld-musl-x86_64.so.1') || !existsSync('/bin/busybox'))(
    'is not found by the shell of a system with musl, and musl itself cannot run it',
    async () => {
      using root = createRoot();
      root.add(await dynamicExecutable(), 'bifrost-http');
      root.add('/bin/busybox', 'bin/sh');
      root.add('/lib/x86_64-linux-musl/libc.so', 'lib/ld-musl-x86_64.so.1');
      const said = startIn(root, ['/bin/sh', '-c', './bifrost-http -version']);
      expect(said).toContain('sh: ./bifrost-http: not found');
      expect(page()).toContain('sh: ./bifrost-http: not found');
      const byMusl = startIn(root, ['/lib/ld-musl-x86_64.so.1', '/bifrost-http', '-version']);
      const message = 'Error loading shared library libatomic.so.1: No such file or directory';
      expect(byMusl).toContain(message);
      expect(page()).toContain(message);
    },
  );
});

it('an executable for another architecture', { timeout: 120_000 }, async ({ skip }) => {
  if (!isX64 || existsSync('/proc/sys/fs/binfmt_misc/qemu-aarch64')) skip('it would be emulated here');
  expect(portable.type(`${await arm64Executable()} -version`)).toContain('Exec format error');
  expect(page()).toContain('Exec format error');
});
