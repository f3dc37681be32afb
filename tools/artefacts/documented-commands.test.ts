import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectLibraries } from '../build/carried-libraries.ts';
import { repository } from '../build/repository.ts';
import { createRoot, explainNoChroot } from './chroot.ts';
import { arm64Executable, dynamicExecutable, portableExecutable, testedVersion } from './executables.ts';

/** A folder in which the documentation's commands can be typed: `tmp/bifrost-http` and the examples are where it says. */
const folders = { portable: '', dynamic: '' };
const work = mkdtempSync(join(tmpdir(), 'bifrost-documented-'));
afterAll(() => rmSync(work, { recursive: true }));

function checkout(name: string, executable: string): string {
  const folder = join(work, name);
  mkdirSync(join(folder, 'tmp'), { recursive: true });
  cpSync(join(repository, 'examples/plugins/hello-world'), join(folder, 'examples/plugins/hello-world'), {
    recursive: true,
  });
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
  for (const file of ['bifrost-http', 'bifrost-http.cdx.json']) {
    symlinkSync(executable.replace(/bifrost-http$/, file), join(folder, 'tmp', file));
  }
  copyFileSync(executable.replace(/bifrost-http$/, 'SHA256SUMS'), join(folder, 'tmp/SHA256SUMS'));
  return folder;
}

beforeAll(async () => {
  folders.portable = checkout('portable', await portableExecutable());
  folders.dynamic = checkout('dynamic', await dynamicExecutable());
}, 180_000);

const environment = {
  PATH: `${join(repository, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
  HOME: work,
  APP_PORT: '0',
  LOG_STYLE: 'pretty',
  NO_COLOR: '1',
};

/** Types a command; returns everything that it printed. */
function type(folder: string, command: string): string {
  const { stdout, stderr } = spawnSync('bash', ['-c', command], { cwd: folder, encoding: 'utf8', env: environment });
  return stdout + stderr;
}

/** Types a command that goes on; resolves with its output as soon as that has the pattern. */
function typeUntil(folder: string, command: string, pattern: RegExp): Promise<string> {
  const child = spawn('bash', ['-c', `exec ${command}`], { cwd: folder, env: environment });
  let output = '';
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (pattern.test(output)) child.kill('SIGTERM');
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', reject);
    child.once('close', () => (pattern.test(output) ? resolve(output) : reject(new Error(output))));
  });
}

const pages = [
  'BUILD.md',
  'docs/deployment/README.md',
  'docs/deployment/troubleshooting.md',
  'docs/deployment/docker.md',
];

/** The lines that the pages show to be typed. */
function documented(): readonly string[] {
  const blocks = pages.flatMap((page) => [
    ...readFileSync(join(repository, page), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```/gm),
  ]);
  const lines = blocks.flatMap(([, text = '']) => text.split('\n'));
  return lines.map((line) => line.replace(/\s+#.*$/, '').trim()).filter((line) => line !== '' && !line.startsWith('#'));
}

/** Commands that end, and what they print: on the portable executable, on the dynamic one. */
const commands: readonly (readonly [command: string, portable: RegExp, dynamic: RegExp])[] = [
  ['ldd tmp/bifrost-http', /not a dynamic executable/, /libc\.so\.6 => \/\S+\/libc\.so\.6/],
  [
    'file -L tmp/bifrost-http',
    /ELF 64-bit LSB executable.*statically linked/,
    /ELF 64-bit LSB executable.*dynamically linked/,
  ],
  ['readelf -lW tmp/bifrost-http | grep interpreter', /^$/, /\/ld-linux/],
  ['./tmp/bifrost-http -version', /^bifrost-http 1\.3\.30\n {2}runtime +node 26\./, /native plugins +can be loaded/],
  [
    './tmp/bifrost-http -version -json',
    /"build":"portable".*"nativePlugins":false/,
    /"build":"dynamic".*"nativePlugins":true/,
  ],
  ['uname -m', /^(x86_64|aarch64)\n$/, /^(x86_64|aarch64)\n$/],
  ['(cd tmp && sha256sum -c SHA256SUMS)', /bifrost-http: OK/, /bifrost-http: OK/],
  [
    `node -p "require('./tmp/bifrost-http.cdx.json').components.map((c) => c.name + ' ' + c.version).join('\\n')"`,
    /^node 26\.\d+\.\d+$[\s\S]*^libc\.so\.6 2\.\d+$/m,
    /^fastify 5\.\d+\.\d+$[\s\S]*^undici 8\.\d+\.\d+$/m,
  ],
  ['(cd examples/plugins/hello-world && make build)', /Finished/, /Finished/],
];

describe.each(['portable', 'dynamic'] as const)('commands of the documentation on the %s executable', (kind) => {
  it.each(commands)('%s', (command, portable, dynamic) => {
    expect(type(folders[kind], command)).toMatch(kind === 'portable' ? portable : dynamic);
    expect(documented()).toContain(command);
  });

  it('a plugin that loads is named in the log', async () => {
    const command = './tmp/bifrost-http -config examples/plugins/hello-world/config.json';
    expect(documented()).toContain(command);
    await typeUntil(folders[kind], command, /Plugin loaded successfully: hello-world[\s\S]*is ready on/);
  });

  it('the plugin as it was built loads too', async () => {
    const folder = folders[kind];
    type(folder, '(cd examples/plugins/hello-world && make build VERSION=v1.0.0)');
    const built = join(folder, 'examples/plugins/hello-world/build/hello-world.js');
    expect(readFileSync(built, 'utf8')).toMatch(/^\/\* hello-world v1\.0\.0, built \d{4}-\d\d-\d\dT/);
    writeFileSync(
      join(folder, 'built.json'),
      JSON.stringify({ plugins: [{ name: 'built', path: built, enabled: true }] }),
    );
    await typeUntil(folder, './tmp/bifrost-http -config built.json', /Plugin loaded successfully: built/);
  });
});

/** A shared library of this system. */
function libraryOf(name: string): string {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
  return collectLibraries(readFileSync(process.execPath), architecture).origins.get(name) ?? '';
}

describe('what goes wrong, as the troubleshooting page shows it', () => {
  const page = (): string => readFileSync(join(repository, 'docs/deployment/troubleshooting.md'), 'utf8');

  it.each([
    [
      'a plugin for another API',
      `export default { name: 'p', apiVersion: '>=9.0', inject() {} };`,
      /written for plugin API ">=9\.0"; this gateway has "v1"/,
    ],
    ['a plugin file that is not there', undefined, /there is no file or folder "\.\/p\.ts"; looked for/],
  ])('%s', async (_name, text, message) => {
    const folder = folders.portable;
    if (text === undefined) rmSync(join(folder, 'p.ts'), { force: true });
    else writeFileSync(join(folder, 'p.ts'), text);
    writeFileSync(
      join(folder, 'wrong.json'),
      JSON.stringify({ plugins: [{ name: 'p', path: './p.ts', enabled: true }] }),
    );
    await typeUntil(folder, './tmp/bifrost-http -config wrong.json', message);
    expect(page()).toMatch(message);
  });

  it('a native plugin in the portable executable', async () => {
    const folder = folders.portable;
    // Any shared library will do: it is refused before it is opened.
    copyFileSync(libraryOf('libm.so.6'), join(folder, 'p.so'));
    const plugins = [{ name: 'p', path: './p.so', enabled: true }];
    writeFileSync(join(folder, 'native.json'), JSON.stringify({ plugins }));
    const message =
      'this gateway is the portable build, which loads no native code: build the gateway with `make build DYNAMIC=1`';
    await typeUntil(folder, './tmp/bifrost-http -config native.json', new RegExp(message));
    expect(page()).toContain(message);
  });

  it('the dynamic executable where its libraries are missing', async ({ skip }) => {
    const reason = explainNoChroot();
    if (reason !== undefined) skip(reason);
    const executable = await dynamicExecutable();
    using root = createRoot();
    root.add(executable, 'bifrost-http');
    const run = (): string => {
      const [file = '', ...args] = root.command(['/bifrost-http', '-version']);
      const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
      return stdout + stderr;
    };
    // No loader: the message of the kernel speaks of the file itself.
    expect(run()).toContain('No such file or directory');
    const { linker, libraries, origins } = collectLibraries(
      readFileSync(executable),
      process.arch === 'arm64' ? 'arm64' : 'x64',
    );
    const place = (name: string, to: string): void => root.add(origins.get(name) ?? '', to);
    place(linker.name, process.arch === 'arm64' ? `lib/${linker.name}` : `lib64/${linker.name}`);
    for (const { name } of libraries) if (name !== 'libatomic.so.1') place(name, `lib/${name}`);
    const message = 'error while loading shared libraries: libatomic.so.1: cannot open shared object file';
    expect(run()).toContain(message);
    expect(page()).toContain(message);
    place('libatomic.so.1', 'lib/libatomic.so.1');
    expect(run()).toContain(`bifrost-http ${testedVersion}`);
  });

  it('an executable for another architecture', async ({ skip }) => {
    if (process.arch !== 'x64' || existsSync('/proc/sys/fs/binfmt_misc/qemu-aarch64'))
      skip('it would be emulated here');
    expect(type(work, `${await arm64Executable()} -version`)).toContain('Exec format error');
    expect(page()).toContain('Exec format error');
  }, 120_000);
});
