import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pluginFolder } from '../plugins/__tests__/plugin-folder.ts';
import { catalogue, problemsOf } from './__tests__/load-file.ts';
import { loadConfig } from './load-config.ts';
import type { LoadedConfig } from './loaded-config.ts';

const plugin = 'export default {};';

/** A configuration whose folder of plugins is `directory`; its relative paths start at the working directory. */
const load = (directory: string, file: object = {}): LoadedConfig =>
  loadConfig({
    catalogue,
    environment: {},
    text: JSON.stringify(file),
    pluginsDirectory: directory,
    builtinPlugins: ['guard'],
  });

const shown = ({ plugins }: LoadedConfig, directory: string): readonly string[] =>
  plugins.map(({ name, path = '', isolation = '' }) =>
    [name, path.replace(`${directory}/`, ''), isolation].join(' ').trim(),
  );

describe('a folder of plugins', () => {
  it('has a plugin in each artefact and in each folder of one, by name', () => {
    using folder = pluginFolder({
      'b.ts': plugin,
      'a.wasm': '',
      'native.so': '',
      'folder/index.mjs': plugin,
      'packed/package.json': '{ "main": "x.js" }',
      'own/bifrost-plugin.json': '{ "name": "by-manifest", "main": "x.wasm" }',
      'program/bifrost-plugin.json': '{ "name": "program", "kind": "grpc", "main": "plugin.py" }',
      'member/package.json': '{ "bifrost": { "name": "by-member" } }',
    });
    const config = load(folder.path);
    expect(shown(config, folder.path)).toEqual([
      'a a.wasm',
      'b b.ts',
      'folder folder',
      'by-member member',
      'native native.so',
      'by-manifest own',
      'packed packed',
      'program program grpc',
    ]);
    expect(config.plugins.every(({ enabled }) => enabled)).toBe(true);
    expect(config.pluginFiles).toHaveLength(8);
    expect(config.notes[0]?.message).toBe(
      `plugins in ${folder.path}: a, b, folder, by-member, native, by-manifest, packed, program`,
    );
  });

  it('has none in what is beside plugins', () => {
    using folder = pluginFolder({
      'README.md': '',
      'types.d.ts': '',
      'a.test.ts': '',
      '.hidden.ts': plugin,
      'node_modules/x/index.js': plugin,
      'data/rules.json': '{}',
    });
    const config = load(folder.path);
    expect(config.plugins).toEqual([]);
    expect(config.notes[0]?.message).toBe(`plugins in ${folder.path}: none`);
  });

  it('leaves it to an entry of the same name how a plugin is run, or that it is not', () => {
    using folder = pluginFolder({
      'a.ts': plugin,
      'b.ts': plugin,
      'c.ts': plugin,
      'program/bifrost-plugin.json': '{"kind":"grpc"}',
    });
    const entries = [
      { name: 'b', isolation: 'process', config: { level: 1 } },
      { name: 'a', enabled: false },
      { name: 'program', isolation: 'process' },
    ];
    const config = load(folder.path, { plugins: entries });
    expect(shown(config, folder.path)).toEqual(['b b.ts process', 'a a.ts', 'program program process', 'c c.ts']);
    expect(config.plugins[0]).toMatchObject({ config: { level: 1 } });
    expect(config.plugins[1]).toMatchObject({ enabled: false });
    expect(config.pluginFiles[0]).toEqual({ ...entries[0], path: join(folder.path, 'b.ts') });
  });

  it('does not load twice what an entry names by its path', () => {
    using folder = pluginFolder({ 'a.ts': plugin });
    const config = load(folder.path, { plugins: [{ name: 'other', path: join(folder.path, 'a.ts') }] });
    expect(shown(config, folder.path)).toEqual(['other a.ts']);
  });

  it("takes nobody else's place, and says what it leaves out", () => {
    using folder = pluginFolder({
      'guard.ts': plugin,
      'governance.ts': plugin,
      'two.ts': plugin,
      'two.wasm': '',
      'spaced name.ts': plugin,
      'moved.ts': plugin,
    });
    const config = load(folder.path, { plugins: [{ name: 'guard' }, { name: 'moved', path: '/elsewhere.ts' }] });
    expect(config.plugins.map(({ name, path }) => [name, path])).toEqual([
      ['guard', undefined],
      ['moved', '/elsewhere.ts'],
      ['two', join(folder.path, 'two.ts')],
    ]);
    const left = config.notes
      .filter(({ level }) => level === 'warn')
      .map(({ message }) => message.replaceAll(`${folder.path}/`, ''));
    expect(left).toEqual([
      'left out of the plugins: governance.ts: "governance" is the name of a plugin of the gateway; give it another one, or name its path in an entry',
      'left out of the plugins: guard.ts: "guard" is the name of a plugin of the gateway; give it another one, or name its path in an entry',
      'left out of the plugins: moved.ts: "moved" is the name of an entry with another path too',
      'left out of the plugins: spaced name.ts: "spaced name" is no name for a plugin (letters, digits, ".", "_", "-")',
      'left out of the plugins: two.wasm: "two" is the name of two.ts too',
    ]);
  });

  it('is found from the configuration file on, where the file names it', () => {
    using folder = pluginFolder({ 'config.json': '{ "plugins_dir": "env.WHERE" }', 'plugins/a.ts': plugin });
    const path = join(folder.path, 'config.json');
    const config = loadConfig({ catalogue, environment: { WHERE: './plugins' }, path });
    expect(shown(config, folder.path)).toEqual(['a plugins/a.ts']);
  });

  it.runIf(process.platform !== 'win32')(
    'is refused where it is missing, a file, a plugin, or open to everybody',
    () => {
      using folder = pluginFolder({ 'a.ts': plugin, 'own/bifrost-plugin.json': '{}' });
      const open = join(folder.path, 'open');
      mkdirSync(open);
      chmodSync(open, 0o777);
      const problem = (name: string): string | undefined =>
        problemsOf({}, { pluginsDirectory: join(folder.path, name) })[0]?.replaceAll(`${folder.path}/`, '');
      expect(['none', 'a.ts', 'own', 'open'].map(problem)).toEqual([
        '-plugins-dir: there is no folder none',
        '-plugins-dir: a.ts is no folder',
        '-plugins-dir: own is a plugin itself (it has bifrost-plugin.json): give the folder above it, or its path in an entry',
        '-plugins-dir: every user of this machine may write to open, and what lies there is run: `chmod o-w open`',
      ]);
      expect(problemsOf({ plugins_dir: '/no/such' })).toEqual(['plugins_dir: there is no folder /no/such']);
    },
  );
});
