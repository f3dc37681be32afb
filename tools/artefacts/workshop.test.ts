import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { templates } from '../../cli/src/plugin/templates.ts';
import { repository } from '../build/repository.ts';
import { createRoot, explainNoChroot } from './chroot.ts';
import { dynamicExecutable, portableExecutable, testedVersion } from './executables.ts';
import { complete, runGateway } from './run-gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'bifrost-workshop-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

/** Runs a command to its end in the folder, with nothing but the system's tools on the path. */
function run(command: readonly string[]): Ended {
  const [file = '', ...args] = command;
  const environment = { PATH: '/usr/sbin:/usr/bin:/bin', HOME: folder, SOURCE_DATE_EPOCH: '1760000000' };
  const { status, stdout, stderr } = spawnSync(file, args, { cwd: folder, encoding: 'utf8', env: environment });
  return { code: status, text: stdout + stderr };
}

/** A plugin of two files, so that a bundler is needed. */
function writeTwoFiles(name: string): void {
  mkdirSync(join(folder, name));
  writeFileSync(
    join(folder, name, 'index.ts'),
    "import { word } from './word.ts';\nexport default { name: word, inject() {} };\n",
  );
  writeFileSync(join(folder, name, 'word.ts'), "export const word: string = 'two-files';\n");
}

describe('the command line of plugins in the portable executable', () => {
  let gateway = '';
  beforeAll(async () => {
    gateway = await portableExecutable();
  }, 120_000);
  const bifrost = (...args: readonly string[]): Ended => run([gateway, 'plugin', ...args]);

  it('says in its help what can be typed here', () => {
    expect(bifrost('--help').text).toContain('bifrost-http plugin new hello');
    expect(bifrost('tset', 'x')).toMatchObject({
      code: 2,
      text: expect.stringContaining('`bifrost-http plugin test`'),
    });
    expect(run([gateway, '-help']).text).toContain('bifrost-http plugin --help');
  });

  it('is the whole of the program under the name bifrost', () => {
    symlinkSync(gateway, join(folder, 'bifrost'));
    expect(run([join(folder, 'bifrost'), '--version']).text).toBe(`bifrost ${testedVersion}\n`);
    expect(run([join(folder, 'bifrost'), 'plugin', '--help']).text).toContain('bifrost plugin new hello');
  });

  it.each(templates)('writes a plugin from the template $name', ({ name, sdkFiles }) => {
    const { code, text } = bifrost('new', `in-${name}`, '--template', name);
    expect({ code, text }).toMatchObject({ code: 0 });
    for (const file of ['README.md', 'config.json', ...Object.values(sdkFiles)]) {
      expect(readFileSync(join(folder, `in-${name}`, file), 'utf8')).not.toContain('__NAME__');
    }
  });

  it('leads from nothing to a signed plugin that answers', { timeout: 120_000 }, async () => {
    expect(bifrost('new', 'hello').code).toBe(0);
    expect(bifrost('check', 'hello').text).toContain('ok: hello 0.1.0, module');
    expect(bifrost('test', 'hello', '--reloads', '1').text).toMatch(/All \d+ passed/);
    expect(bifrost('bench', 'hello', '--isolation', 'inline', '--calls', '50')).toMatchObject({ code: 0 });
    expect(bifrost('build', 'hello', '--version', '1.2.0')).toMatchObject({ code: 0 });
    expect(bifrost('keygen', 'acme').code).toBe(0);
    expect(bifrost('sign', 'hello/dist', '--key', 'acme.key').code).toBe(0);
    expect(bifrost('verify', 'hello/dist', '--key', 'acme.pub').code).toBe(0);
    const config = join(folder, 'config.json');
    writeFileSync(config, JSON.stringify({ plugins: [{ name: 'hello', path: './hello/dist', enabled: true }] }));
    await using running = await runGateway([gateway], { args: ['-config', config, '-app-dir', folder] });
    await running.until(/Plugin loaded successfully: hello/);
    expect((await complete(running.url)).response.headers.get('x-hello')).toBe('Hello');
  });

  it('has no bundler for a plugin of several files, and says what does', () => {
    writeTwoFiles('two');
    const { code, text } = bifrost('build', 'two');
    expect(code).toBe(1);
    expect(text).toMatch(/it imports \.\/word\.ts, and the bundler .* `make build DYNAMIC=1`/);
  });

  it('works where there is nothing else', ({ skip }) => {
    const reason = explainNoChroot();
    if (reason !== undefined) skip(reason);
    using root = createRoot();
    root.add(gateway, 'bifrost-http');
    expect(run(root.command(['/bifrost-http', 'plugin', 'new', '/data/hello']))).toMatchObject({ code: 0 });
    const { text } = run(root.command(['/bifrost-http', 'plugin', 'test', '/data/hello', '--reloads', '1']));
    expect(text).toMatch(/All \d+ passed/);
  });
});

it('the dynamic executable bundles with the bundler of the plugin', { timeout: 120_000 }, async () => {
  const gateway = await dynamicExecutable();
  writeTwoFiles('bundled');
  expect(run([gateway, 'plugin', 'build', 'bundled']).text).toContain('npm install --save-dev rolldown in ');
  symlinkSync(join(repository, 'node_modules'), join(folder, 'bundled/node_modules'));
  expect(run([gateway, 'plugin', 'build', 'bundled'])).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, 'bundled/dist/bundled.mjs'), 'utf8')).toContain('two-files');
});
