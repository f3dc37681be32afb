import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { PluginManifest } from '@bifrost/sdk';
import { Workshop } from './__tests__/workshop.ts';

const repository = resolve(import.meta.dirname, '../..');
const tsc = join(repository, 'node_modules/typescript/bin/tsc');

const manifestIn = (workshop: Workshop, folder: string): PluginManifest =>
  JSON.parse(readFileSync(workshop.path(folder, 'bifrost-plugin.json'), 'utf8')) as PluginManifest;

describe('a new plugin in TypeScript', () => {
  it('passes tsc without a package installed, and a wrong result is a type error', async () => {
    using workshop = new Workshop();
    await workshop.run('plugin', 'new', 'hello');
    const check = (): string => {
      try {
        return execFileSync(process.execPath, [tsc, '-p', workshop.path('hello')], { encoding: 'utf8', stdio: 'pipe' });
      } catch (error) {
        return String((error as { readonly stdout?: unknown }).stdout);
      }
    };
    expect(check()).toBe('');
    const file = workshop.path('hello/index.ts');
    writeFileSync(file, readFileSync(file, 'utf8').replace('statusCode: 403', "statusCode: '403'"));
    expect(check()).toMatch(/index\.ts\(\d+,\d+\): error TS/);
  });

  it('is what `check` says ok to, with the configuration beside it', async () => {
    using workshop = new Workshop();
    await workshop.run('plugin', 'new', 'hello');
    const { exitCode, out } = await workshop.run('plugin', 'check', 'hello');
    expect(out).toContain('ok: hello 0.1.0, module');
    expect(out).toContain('preLLMHook, streamEventHook');
    expect(exitCode).toBe(0);
  });

  it('is not written over what is there', async () => {
    using workshop = new Workshop();
    await workshop.run('plugin', 'new', 'hello');
    appendFileSync(workshop.path('hello/index.ts'), '// mine\n');
    expect((await workshop.run('plugin', 'new', 'hello')).exitCode).toBe(2);
    expect(readFileSync(workshop.path('hello/index.ts'), 'utf8')).toContain('// mine');
  });
});

describe('check', () => {
  it.each([
    ['export default { name: "p", preLLMHok() {} };', 'did you mean preLLMHook', 'BF_PLUGIN_SHAPE_INVALID'],
    ['export default 7;', 'its default export is a number', 'BF_PLUGIN_SHAPE_INVALID'],
    ['import "./gone.js"; export default {};', 'gone.js', 'BF_PLUGIN'],
    ['export default { name: "p", apiVersion: "v9" };', 'v9', 'BF_PLUGIN_API_VERSION'],
  ])('says of %j what the gateway would say', async (source, sentence, code) => {
    using workshop = new Workshop();
    workshop.write('p.mjs', source);
    const { exitCode, err } = await workshop.run('plugin', 'check', 'p.mjs');
    expect(err).toContain(sentence);
    expect(err).toContain(code);
    expect(exitCode).toBe(1);
  });

  it('checks a configuration against the schema, without a run of init', async () => {
    using workshop = new Workshop();
    await workshop.run('plugin', 'new', 'hello');
    appendFileSync(workshop.path('hello/index.ts'), "\nexport function init() { throw new Error('ran'); }\n");
    const wrong = await workshop.run('plugin', 'check', 'hello', '--config', '{"greeting": 7}');
    expect(wrong.err).toContain('config.greeting: expected a string, got the number 7');
    expect(wrong.exitCode).toBe(1);
  });

  it('names the file that is nearly there', async () => {
    using workshop = new Workshop();
    await workshop.run('plugin', 'new', 'hello');
    const { exitCode, err } = await workshop.run('plugin', 'check', './hello/indx.ts');
    expect(err).toContain(`did you mean ${workshop.path('hello/index.ts')}?`);
    expect(exitCode).toBe(1);
  });
});

describe('a config that nobody gave', () => {
  it('is what the failure says, with where it comes from', async () => {
    using workshop = new Workshop();
    await workshop.run('plugin', 'new', 'hello');
    rmSync(workshop.path('hello/config.json'));
    const manifest = readFileSync(workshop.path('hello/bifrost-plugin.json'), 'utf8');
    workshop.write(
      'hello/bifrost-plugin.json',
      manifest.replace('"properties"', '"required": ["greeting"], "properties"'),
    );
    for (const command of ['check', 'test']) {
      const { err, exitCode } = await workshop.run('plugin', command, 'hello');
      expect(err).toContain('config.greeting: is missing');
      expect(err).toContain('; nothing was given as its config: use --config, or a config.json beside it');
      expect(exitCode).toBe(1);
    }
    const given = await workshop.run('plugin', 'check', 'hello', '--config', '{}');
    expect(given.err).not.toContain('nothing was given');
    const gone = await workshop.run('plugin', 'check', 'hello', '--config', 'gone.json');
    expect(gone).toMatchObject({ exitCode: 2, err: expect.stringContaining('gone.json is not there') });
  });
});

describe('build, sign and verify', () => {
  it('makes one file with version, time and digest, the same bytes for the same sources', async () => {
    using workshop = new Workshop();
    await workshop.run('plugin', 'new', 'hello');
    workshop.write('hello/words.ts', "export const word = 'from another file';\n");
    appendFileSync(
      workshop.path('hello/index.ts'),
      "\nimport { word } from './words.ts';\nexport const note = word;\n",
    );
    expect(await workshop.run('plugin', 'build', 'hello', '--version', 'v1.2.0')).toMatchObject({ exitCode: 0 });
    const first = readFileSync(workshop.path('hello/dist/hello.mjs'), 'utf8');
    expect(first).toContain('/* hello 1.2.0, built 2025-10-09T08:53:20Z */');
    expect(first).toContain('from another file');
    expect(first).toContain('from "@bifrost/sdk"');
    expect(manifestIn(workshop, 'hello/dist')).toMatchObject({
      version: '1.2.0',
      main: 'hello.mjs',
      build: { time: '2025-10-09T08:53:20Z' },
    });
    await workshop.run('plugin', 'build', 'hello', '--version', '1.2.0', '--out', 'again');
    expect(readFileSync(workshop.path('again/hello.mjs'), 'utf8')).toBe(first);
    expect(await workshop.run('plugin', 'check', 'hello/dist')).toMatchObject({ exitCode: 0 });
  });

  it('says what cannot be bundled, and leaves no manifest', async () => {
    using workshop = new Workshop();
    workshop.write('p.ts', "import './gone.ts';\nexport default {};\n");
    const { exitCode, err } = await workshop.run('plugin', 'build', 'p.ts', '--out', 'out');
    expect(err).toContain('gone.ts');
    expect(exitCode).toBe(1);
    expect(existsSync(workshop.path('out/bifrost-plugin.json'))).toBe(false);
  });

  it('signs what was built; a change of the file or another key is found', async () => {
    using workshop = new Workshop();
    await workshop.run('plugin', 'new', 'hello');
    await workshop.run('plugin', 'build', 'hello');
    await workshop.run('plugin', 'keygen', 'acme');
    await workshop.run('plugin', 'keygen', 'other');
    expect(statSync(workshop.path('acme.key')).mode & 0o777).toBe(0o600);
    const signed = await workshop.run('plugin', 'sign', 'hello/dist', '--key', 'acme.key');
    expect(signed).toMatchObject({ exitCode: 0 });
    const swapped = await workshop.run('plugin', 'sign', 'hello/dist', '--key', 'acme.pub');
    expect(swapped).toMatchObject({ exitCode: 2, err: expect.stringContaining('is a public key: sign with acme.key') });
    const shown = await workshop.run('plugin', 'verify', 'hello/dist', '--key', 'acme.key');
    expect(shown).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('is a private key: verify with acme.pub'),
    });
    const secret = readFileSync(workshop.path('acme.key'), 'utf8').trim();
    expect(`${signed.out}${signed.err}`).not.toContain(secret);
    expect(await workshop.run('plugin', 'verify', 'hello/dist', '--key', 'acme.pub')).toMatchObject({ exitCode: 0 });
    const foreign = await workshop.run('plugin', 'verify', 'hello/dist', '--key', 'other.pub');
    expect(foreign.err).toContain('signed with the key "acme"');
    expect(foreign.exitCode).toBe(1);
    const renamed = `acme=${readFileSync(workshop.path('other.pub'), 'utf8').trim()}`;
    expect((await workshop.run('plugin', 'verify', 'hello/dist', '--key', renamed)).exitCode).toBe(1);
    appendFileSync(workshop.path('hello/dist/hello.mjs'), '\n');
    expect((await workshop.run('plugin', 'verify', 'hello/dist', '--key', 'acme.pub')).err).toContain('was changed');
    expect((await workshop.run('plugin', 'sign', 'hello/dist', '--key', 'acme.key')).err).toContain('build it anew');
  });

  it('signs every file of the folder: one that is changed or comes later is found', async () => {
    using workshop = new Workshop();
    await workshop.run('plugin', 'new', 'hello');
    await workshop.run('plugin', 'build', 'hello');
    await workshop.run('plugin', 'keygen', 'acme');
    workshop.write('hello/dist/data/words.txt', 'one');
    const signed = await workshop.run('plugin', 'sign', 'hello/dist', '--key', 'acme.key');
    expect(signed.out).toContain('with hello.mjs and 1 other file');
    expect(Object.keys(manifestIn(workshop, 'hello/dist').files ?? {})).toEqual(['data/words.txt']);
    const verify = () => workshop.run('plugin', 'verify', 'hello/dist', '--key', 'acme.pub');
    expect(await verify()).toMatchObject({ exitCode: 0 });
    workshop.write('hello/dist/data/words.txt', 'two');
    expect(await verify()).toMatchObject({ exitCode: 1, err: expect.stringContaining('data/words.txt was changed') });
    expect((await workshop.run('plugin', 'check', 'hello/dist')).err).toContain('data/words.txt was changed');
    workshop.write('hello/dist/data/words.txt', 'one');
    workshop.write('hello/dist/late.mjs', '');
    expect((await verify()).err).toContain('late.mjs is not named in it');
  });

  it('never writes over a key', async () => {
    using workshop = new Workshop();
    await workshop.run('plugin', 'keygen', 'acme');
    const before = readFileSync(workshop.path('acme.key'), 'utf8');
    expect((await workshop.run('plugin', 'keygen', 'acme')).exitCode).toBe(2);
    expect(readFileSync(workshop.path('acme.key'), 'utf8')).toBe(before);
  });
});
