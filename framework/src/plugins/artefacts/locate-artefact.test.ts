import { mkdirSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { pluginFolder } from '../__tests__/plugin-folder.ts';
import { locateArtefact } from './locate-artefact.ts';
import { packageEntry } from './package-entry.ts';
import { sha256Of } from './download/integrity.ts';
import { thisMachine } from './inspection/machine.ts';
import { resolveArtefact } from './resolve-artefact.ts';

const manifest = (main: string, rest: object = {}): string =>
  JSON.stringify({ name: 'tester', version: '1.0.0', api: '1', main, ...rest });

/** What is found for `path` in a folder with `files`, with the folder's name left out. */
async function locate(files: Readonly<Record<string, string>>, path: string): Promise<unknown> {
  using folder = pluginFolder(files);
  const options = { baseDirectory: folder.path, workingDirectory: '/nowhere' };
  const found: unknown = await locateArtefact('p', path.replace('<folder>', folder.path), options).catch(
    (error: unknown) => (error instanceof Error ? error.message : error),
  );
  return JSON.parse(JSON.stringify(found).replaceAll(folder.path, '<folder>'));
}

describe('the path of an entry', () => {
  it.each([
    ['a file', { 'p.mjs': '' }, './p.mjs', { file: '<folder>/p.mjs', directory: '<folder>' }],
    ['an absolute file', { 'p.mjs': '' }, '<folder>/p.mjs', { file: '<folder>/p.mjs' }],
    ['a file URL', { 'a b.mjs': '' }, 'file://<folder>/a%20b.mjs', { file: '<folder>/a b.mjs' }],
    ['a folder with an index', { 'p/index.ts': '' }, './p', { file: '<folder>/p/index.ts', directory: '<folder>/p' }],
    [
      'a folder with a package.json',
      { 'p/package.json': '{"exports":{".":{"types":"./a.d.ts","import":"./b.mjs"}}}', 'p/b.mjs': '' },
      './p',
      { file: '<folder>/p/b.mjs' },
    ],
    [
      'a folder with a manifest',
      { 'p/bifrost-plugin.json': manifest('dist/p.so'), 'p/dist/p.so': '', 'p/index.ts': '' },
      './p',
      { file: '<folder>/p/dist/p.so', directory: '<folder>/p', manifest: { name: 'tester' } },
    ],
    [
      'a manifest itself',
      { 'p/bifrost-plugin.json': manifest('p.so'), 'p/p.so': '' },
      './p/bifrost-plugin.json',
      { file: '<folder>/p/p.so', manifest: { name: 'tester' } },
    ],
    [
      'a file with its manifest beside it',
      { 'bifrost-plugin.json': manifest('./p.so'), 'p.so': '' },
      './p.so',
      { file: '<folder>/p.so', manifest: { name: 'tester' } },
    ],
    [
      'a package with a manifest in package.json',
      { 'node_modules/@a/b/package.json': `{"bifrost":${manifest('x.wasm')}}`, 'node_modules/@a/b/x.wasm': '' },
      '@a/b',
      { file: '<folder>/node_modules/@a/b/x.wasm', packageName: '@a/b', manifest: { name: 'tester' } },
    ],
    [
      'a subpath of a package',
      { 'node_modules/b/package.json': '{"exports":{"./*":"./dist/*.mjs"}}', 'node_modules/b/dist/sub.mjs': '' },
      'b/sub',
      { file: '<folder>/node_modules/b/dist/sub.mjs', packageName: 'b' },
    ],
    ['a file called like a package', { 'b.d/x': '', b: 'text' }, 'b', { file: '<folder>/b' }],
  ])('may be %s', async (_what, files, path, expected) => {
    expect(await locate(files, path)).toMatchObject(expected);
  });

  it('leaves a manifest alone that is for another file', async () => {
    const files = { 'bifrost-plugin.json': manifest('other.mjs'), 'p.mjs': '', 'other.mjs': '' };
    expect(await locate(files, './p.mjs')).not.toHaveProperty('manifest');
  });

  it.each([
    [
      'a file that is there in another spelling',
      { 'plugin.mjs': '' },
      './plugn.mjs',
      'did you mean <folder>/plugin.mjs?',
    ],
    ['another extension', { 'guard.ts': '' }, './guard.js', 'did you mean <folder>/guard.ts?'],
    ['a folder that is misspelt', { 'plugins/p.mjs': '' }, './plugin/p.mjs', 'did you mean <folder>/plugins?'],
    [
      'a subpath that is not exported',
      { 'node_modules/b/package.json': '{"exports":"./a.js"}' },
      'b/sub',
      'does not export "./sub"',
    ],
    [
      'a manifest that leads out of its folder',
      { 'p/bifrost-plugin.json': manifest('../x.so') },
      './p',
      "main: expected a path below the manifest's folder",
    ],
    [
      'a manifest that is no JSON',
      { 'p/bifrost-plugin.json': '{\n  "name": "p",\n}' },
      './p',
      'bifrost-plugin.json:3:1 is not JSON: a comma stands before }',
    ],
  ])('may be wrong: %s', async (_what, files, path, message) => {
    expect(await locate(files, path)).toContain(message);
  });
});

describe('the entry of a package', () => {
  /** Node's own answer, by its own `import`. */
  const importNatively = createRequire(import.meta.url)('../__tests__/import-natively.cjs') as (
    url: string,
  ) => Promise<{ default: string }>;

  it.each<[string, object, string]>([
    ['a string', { exports: './a.mjs' }, '.'],
    ['conditions in their order', { exports: { require: './a.cjs', import: './b.mjs', default: './a.mjs' } }, '.'],
    ['nested conditions', { exports: { '.': { node: { import: './b.mjs' }, default: './a.mjs' } } }, '.'],
    ['a list', { exports: { '.': ['./b.mjs', './a.mjs'] } }, '.'],
    ['exports before main', { exports: { '.': './b.mjs' }, main: './a.mjs' }, '.'],
    ['main alone', { main: './b.mjs' }, '.'],
    ['a pattern', { exports: { './x/*': './*.mjs' } }, './x/b'],
    ['the longer of two patterns', { exports: { './*': './a.mjs', './x/*': './*.mjs' } }, './x/b'],
    ['an exact path before a pattern', { exports: { './*': './a.mjs', './b': './b.mjs' } }, './b'],
  ])('is the one that Node finds: %s', async (_what, stated, subpath) => {
    using folder = pluginFolder({
      'node_modules/pack/package.json': JSON.stringify({ name: 'pack', type: 'module', ...stated }),
      'node_modules/pack/a.mjs': 'export default "a.mjs";',
      'node_modules/pack/b.mjs': 'export default "b.mjs";',
      'ask.mjs': `export { default } from "pack${subpath.slice(1)}";`,
    });
    const node = await importNatively(pathToFileURL(join(folder.path, 'ask.mjs')).href);
    expect(packageEntry(stated as Parameters<typeof packageEntry>[0], subpath)).toBe(`./${node.default}`);
  });

  it('is none where the package shuts the door', () => {
    expect(packageEntry({ exports: { './*': './*.js', './private/*': null } }, './private/a')).toBeUndefined();
    expect(packageEntry({ exports: { '.': null } }, '.')).toBeUndefined();
    expect(packageEntry({ exports: './a.js' }, './b')).toBeUndefined();
  });

  it('is found through a link, as npm makes it for workspaces', async () => {
    using folder = pluginFolder({ 'src/pack/package.json': '{"main":"a.mjs"}', 'src/pack/a.mjs': '' });
    mkdirSync(join(folder.path, 'node_modules'));
    symlinkSync('../src/pack', join(folder.path, 'node_modules/pack'));
    const options = { baseDirectory: folder.path, workingDirectory: folder.path };
    expect((await locateArtefact('p', 'pack', options)).packageName).toBe('pack');
  });
});

describe('an artefact that is fine', () => {
  it('has its kind, digest, manifest and config with defaults', async () => {
    const configSchema = { properties: { level: { default: 'low' }, url: { type: 'string' } } };
    using folder = pluginFolder({
      'bifrost-plugin.json': manifest('p.mjs', {
        configSchema,
        platforms: ['*-*'],
        capabilities: { net: ['a.example'] },
      }),
      'p.mjs': 'export {};',
    });
    const options = { baseDirectory: folder.path, workingDirectory: folder.path, machine: thisMachine() };
    const found = await resolveArtefact({ name: 'p', path: '.', config: { url: 'x' } }, options);
    expect(found).toMatchObject({
      kind: 'module',
      file: join(folder.path, 'p.mjs'),
      source: 'file',
      digest: sha256Of(Buffer.from('export {};')),
      config: { url: 'x', level: 'low' },
    });
    expect(structuredClone(found)).toEqual(found);
  });

  it('needs no grant where grants are not enforced', async () => {
    using folder = pluginFolder({
      'bifrost-plugin.json': manifest('p.mjs', { capabilities: { sqlite: true } }),
      'p.mjs': 'export {};',
    });
    const options = { baseDirectory: folder.path, workingDirectory: folder.path };
    await expect(resolveArtefact({ name: 'p', path: '.' }, options)).resolves.toBeDefined();
    await expect(resolveArtefact({ name: 'p', path: '.', isolation: 'process' }, options)).rejects.toThrow(
      'asks for sqlite',
    );
    const granted = { name: 'p', path: '.', isolation: 'process', capabilities: { sqlite: true } } as const;
    await expect(resolveArtefact(granted, options)).resolves.toBeDefined();
  });
});
