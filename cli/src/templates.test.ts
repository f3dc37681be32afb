import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Workshop } from './__tests__/workshop.ts';
import { templates } from './plugin/templates.ts';

const repository = resolve(import.meta.dirname, '../..');
const asc = join(repository, 'node_modules/.bin/asc');

function has(command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** What builds a template is here: Debian's rustc, clang, go; AssemblyScript is installed with the repository. */
const isBuildable: Readonly<Record<string, boolean>> = {
  rust: existsSync('/usr/bin/rustc') && existsSync('/usr/lib/rustlib/wasm32-unknown-unknown'),
  c: has('clang') && has('wasm-ld'),
  go: has('go'),
  assemblyscript: existsSync(asc),
};

describe('a machine without the tools', () => {
  const make = ['/usr/bin/make', '/bin/make'].find((file) => existsSync(file));

  it.skipIf(make === undefined).each([
    ['c', 'clang is not there: install clang and lld'],
    ['go', 'go is not there: install go and a C compiler'],
    ['rust', 'rustc is not there: install rustc'],
    ['assemblyscript', 'asc is not there: run npm install in this folder first'],
  ])('names what a plugin in %s needs', async (template, message) => {
    using workshop = new Workshop();
    mkdirSync(workshop.path('bin'));
    symlinkSync(make ?? '', workshop.path('bin/make'));
    using bare = new Workshop({ PATH: workshop.path('bin'), RUSTC: 'rustc' });
    await bare.run('plugin', 'new', 'p', '--template', template);
    const built = await bare.run('plugin', 'build', 'p');
    expect(built.err).toContain(message);
    expect(built.exitCode).toBe(1);
  });

  it('is told that make is missing', async () => {
    using bare = new Workshop({ PATH: '/no/such/folder' });
    await bare.run('plugin', 'new', 'p', '--template', 'c');
    expect((await bare.run('plugin', 'build', 'p')).err).toContain('make cannot be run: it is not in PATH; install it');
  });
});

describe.each(
  templates.filter(({ needs, isRunAsItIs }) => needs !== undefined && isRunAsItIs !== true).map(({ name }) => name),
)('a plugin in %s', (template) => {
  it.skipIf(isBuildable[template] !== true)(
    'is built, checked and tested as it was written, in a folder outside the repository',
    { timeout: 120_000 },
    async () => {
      using workshop = new Workshop({
        ASC: asc,
        GOCACHE: process.env['GOCACHE'] ?? join(repository, 'tmp/go-cache'),
      });
      expect(await workshop.run('plugin', 'new', 'greeter', '--template', template)).toMatchObject({ exitCode: 0 });
      const early = await workshop.run('plugin', 'check', 'greeter');
      expect(early.err).toContain('it has to be built first: `bifrost plugin build ');
      const built = await workshop.run('plugin', 'build', 'greeter', '--version', '2.0.0');
      expect(built.err).not.toMatch(/(?:warning|error):/);
      expect(built.exitCode).toBe(0);
      expect(await workshop.run('plugin', 'check', 'greeter/dist')).toMatchObject({ exitCode: 0 });
      const { out, exitCode } = await workshop.run(
        'plugin',
        'test',
        'greeter',
        '--reloads',
        '1',
        '--isolation',
        // Native code has to be granted to a process: here it is.
        template === 'go' ? 'process' : 'inline',
      );
      expect(out).toMatch(/All \d+ passed/);
      expect(out).not.toContain('note');
      expect(exitCode).toBe(0);
      const wrong = await workshop.run('plugin', 'check', 'greeter', '--config', '{"greetin": "x"}');
      expect(wrong.err).toContain('did you mean "greeting"?');
    },
  );

  it('is told what it needs where the compiler is missing', async () => {
    using workshop = new Workshop({ PATH: '/nowhere' });
    const { out } = await workshop.run('plugin', 'new', 'greeter', '--template', template);
    expect(out).toContain('needs ');
    const { err, exitCode } = await workshop.run('plugin', 'build', 'greeter');
    expect(err).toContain('make cannot be run');
    expect(exitCode).toBe(1);
  });
});

describe('a plugin by gRPC', () => {
  const hasPython = ((): boolean => {
    try {
      execFileSync('/usr/bin/python3', ['-c', 'import grpc, google.protobuf'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  })();

  it.skipIf(!hasPython)('is tested as it was written, as the program that it is', async () => {
    using workshop = new Workshop();
    expect(await workshop.run('plugin', 'new', 'greeter', '--template', 'grpc')).toMatchObject({ exitCode: 0 });
    expect(await workshop.run('plugin', 'check', 'greeter')).toMatchObject({ exitCode: 0 });
    const { out } = await workshop.run('plugin', 'test', 'greeter', '--reloads', '1');
    expect(out).toMatch(/All \d+ passed/);
  });

  it.skipIf(!hasPython)('is signed as it is, and is what was signed also after it has run', async () => {
    using workshop = new Workshop();
    await workshop.run('plugin', 'new', 'greeter', '--template', 'grpc');
    await workshop.run('plugin', 'keygen', 'acme');
    const built = await workshop.run('plugin', 'build', 'greeter');
    expect(built.err).toContain('there is nothing to build');
    const signed = await workshop.run('plugin', 'sign', 'greeter', '--key', 'acme.key');
    expect(signed.out).toMatch(/greeter 0\.1\.0 is signed by "acme", with plugin\.py and \d+ other files/);
    expect((await workshop.run('plugin', 'test', 'greeter', '--reloads', '1')).exitCode).toBe(0);
    const verified = await workshop.run('plugin', 'verify', 'greeter', '--key', 'acme.pub');
    expect(verified).toMatchObject({ exitCode: 0, err: '' });
    workshop.write('greeter/bifrost_plugin.py', 'import os');
    const changed = await workshop.run('plugin', 'verify', 'greeter', '--key', 'acme.pub');
    expect([changed.exitCode, changed.err]).toEqual([1, expect.stringContaining('bifrost_plugin.py was changed')]);
  });

  it.each(['bifrost_plugin.py', 'bifrost_plugin_pb2.py'])('has the same %s as the example', (file) => {
    const read = (folder: string): string => readFileSync(join(repository, folder, file), 'utf8');
    expect(read('cli/templates/grpc')).toBe(read('examples/plugins/grpc-python'));
  });
});
