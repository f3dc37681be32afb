import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FilePluginStore } from './file-plugin-store.ts';
import { MemoryPluginStore } from './plugin-store.ts';
import type { PluginStore, StoredPlugin } from './plugin-store.ts';
import { hashEntry, reconcilePlugins } from './reconcile.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'store-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const plugins: readonly StoredPlugin[] = [
  { name: 'a', file: { name: 'a', path: './a.ts', config: { key: 'env.KEY' } } },
  { name: 'b', replaces: 'x' },
];

describe.each([
  ['in memory', (): PluginStore => new MemoryPluginStore()],
  ['in a file', (): PluginStore => new FilePluginStore(join(directory, 'deep', 'plugins.json'))],
])('a plugin store %s', (_where, create) => {
  it('is empty at first, and gives back what was written last', async () => {
    const store = create();
    expect(await store.read()).toEqual([]);
    await store.write(plugins);
    await store.write(plugins.slice(0, 1));
    expect(await store.read()).toEqual(plugins.slice(0, 1));
  });
});

describe('a plugin store in a file', () => {
  it('is read by another process, belongs to its owner alone and leaves no draft', async () => {
    const path = join(directory, 'plugins.json');
    await new FilePluginStore(path).write(plugins);
    expect(await new FilePluginStore(path).read()).toEqual(plugins);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['plugins.json']);
    expect(readFileSync(path, 'utf8')).toContain('env.KEY');
  });

  it.each(['', 'no json', '[]', '{"version":9,"plugins":[]}', '{"version":1,"plugins":[{}]}'])(
    'does not go on without what it cannot read (%j)',
    async (text) => {
      const path = join(directory, 'plugins.json');
      writeFileSync(path, text);
      await expect(new FilePluginStore(path).read()).rejects.toThrow(/repair it, or move it away/);
    },
  );

  it('keeps the old file where the new one cannot be written', async () => {
    const path = join(directory, 'plugins.json');
    const store = new FilePluginStore(path);
    await store.write(plugins);
    rmSync(`${path}.${process.pid}.tmp`, { force: true });
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    await expect(store.write([{ name: 'c', file: circular as never }])).rejects.toThrow(/cannot be written/);
    expect(await store.read()).toEqual(plugins);
    expect(readdirSync(directory)).toEqual(['plugins.json']);
  });
});

describe('reconcilePlugins', () => {
  const entry = { name: 'a', path: './a.ts', config: { b: 1, a: 2 } };

  it('takes the file where nothing was changed', () => {
    expect(reconcilePlugins([entry], [])).toEqual({ entries: [entry], stored: [], notes: [] });
  });

  it('keeps a change until the file is edited, whatever the order of its keys', () => {
    const changed = { ...entry, enabled: false };
    const stored = [{ name: 'a', file: changed, replaces: hashEntry(entry) }];
    const same = { config: { a: 2, b: 1 }, path: './a.ts', name: 'a' };
    expect(reconcilePlugins([same], stored).entries).toEqual([changed]);
    expect(reconcilePlugins([same], stored).notes).toEqual([
      expect.stringContaining('was changed at run time: that stays until its entry in the file is edited'),
    ]);
    const edited = { ...entry, order: 3 };
    const result = reconcilePlugins([edited], stored);
    expect(result).toMatchObject({ entries: [edited], stored: [] });
    expect(result.notes[0]).toContain('was edited');
  });

  it('keeps a deletion until the file is edited', () => {
    const stored = [{ name: 'a', replaces: hashEntry(entry) }];
    expect(reconcilePlugins([entry], stored).entries).toEqual([]);
    expect(reconcilePlugins([entry], stored).notes).toEqual([expect.stringContaining('was deleted at run time')]);
    expect(reconcilePlugins([{ ...entry, order: 1 }], stored).entries).toHaveLength(1);
  });

  it('keeps what the file never had, and lets go of what it has no more', () => {
    const own = { name: 'mine', file: { name: 'mine' } };
    const gone = { name: 'gone', file: { name: 'gone' }, replaces: 'x' };
    expect(reconcilePlugins([entry], [own, gone])).toMatchObject({ entries: [entry, own.file], stored: [own] });
  });
});
