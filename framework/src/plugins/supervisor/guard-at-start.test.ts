import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entry, pluginFolder } from '../__tests__/plugin-folder.ts';
import { resolveArtefact } from '../artefacts/resolve-artefact.ts';
import type { PluginEntry } from '../plugin-entry.ts';
import type { PluginMemory, RememberedPlugin } from '../store/plugin-memory.ts';
import { answers, setUp, tagging } from './__tests__/managed.ts';

describe('a guard that cannot be loaded at the start', () => {
  const failing = `export const guard = true; export const preRequestHook = () => {};
    export const init = () => { throw new Error('no list of words'); };`;
  const refusal = 'as it is a guard, every request that it would have seen is refused';

  it('refuses requests in every thread, also in those that start later, and the status says why', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'g.mjs': failing });
    const setup = setUp(folder.path);
    const { manager, lines } = setup;
    await manager.load([entry('a', './a.mjs'), entry('g', './g.mjs')]);
    await setup.group.join();
    expect(await answers(setup)).toEqual(Array(3).fill('BF_PLUGIN_HOOK_FAILED'));
    expect(manager.list()[1]).toMatchObject({
      state: 'error',
      isGuard: true,
      code: 'BF_PLUGIN_INIT_FAILED',
      message: expect.stringMatching(new RegExp(`no list of words \\(g.mjs:2\\); ${refusal}$`)),
    });
    expect(lines.find((line) => line.startsWith('error failed to load'))).toContain(refusal);
    folder.write({ 'g.mjs': tagging('g', 'export const guard = true;') });
    await manager.reload('g');
    expect(await answers(setup)).toEqual(['ag', 'ag', 'ag']);
  });

  it('is known by its entry, its manifest or what its code says, however early it fails', async () => {
    using folder = pluginFolder({
      'manifest/bifrost-plugin.json': JSON.stringify({
        name: 'm',
        version: '1.0.0',
        api: '1',
        main: 'm.mjs',
        guard: true,
        integrity: `sha256-${'A'.repeat(43)}=`,
      }),
      'manifest/m.mjs': tagging('m'),
      'broken.mjs': 'export const guard = true; this is no JavaScript',
      'misspelt.mjs': 'export default { guard: true, preLLMhook() {} }',
      'config.mjs': `export default { guard: true, preRequestHook() {}, configSchema: { '~standard': {
        version: 1, vendor: 'v', validate: () => ({ issues: [{ message: 'wrong' }] }) } } }`,
    });
    for (const [path, more] of [
      ['./manifest', {}],
      ['./misspelt.mjs', {}],
      ['./config.mjs', {}],
      ['./broken.mjs', { guard: true }],
      ['./missing.mjs', { guard: true }],
      ['./missing.mjs', { onLoadFailure: 'deny' }],
    ] as const) {
      const setup = setUp(folder.path, {
        threads: 1,
        resolveArtefact: (one, baseDirectory) =>
          resolveArtefact(one, { baseDirectory, workingDirectory: baseDirectory }),
      });
      await setup.manager.load([entry('g', path, more)]);
      expect([path, await answers(setup)]).toEqual([path, ['BF_PLUGIN_HOOK_FAILED']]);
      expect(setup.manager.list()[0]?.message).toContain(refusal);
    }
  });

  it('lets requests pass where the operator says so, which is said with the failure', async () => {
    using folder = pluginFolder({ 'g.mjs': failing });
    const setup = setUp(folder.path);
    await setup.manager.load([entry('g', './g.mjs', { onLoadFailure: 'continue' })]);
    expect(await answers(setup)).toEqual([undefined, undefined]);
    const passing = 'it is a guard, and requests pass without it (on_load_failure: continue)';
    expect(setup.manager.list()[0]?.message).toContain(passing);
    expect(setup.lines.find((line) => line.startsWith('error failed to load'))).toContain(passing);
  });

  it('refuses after it has served in any case: on_load_failure is about the start', async () => {
    using folder = pluginFolder({ 'g.mjs': tagging('g', 'export const guard = true;') });
    const setup = setUp(folder.path);
    await setup.manager.load([entry('g', './g.mjs', { onLoadFailure: 'continue' })]);
    await setup.manager.quarantine('g', 'it ended serving thread 1');
    expect(await answers(setup)).toEqual(Array(2).fill('BF_PLUGIN_HOOK_FAILED'));
  });
});

describe('a plugin that cannot be loaded and says nothing of itself', () => {
  const memory = (): PluginMemory & { readonly names: () => readonly string[] } => {
    const known = new Map<string, RememberedPlugin>();
    return {
      recall: (name) => known.get(name),
      note: (name, description) => void known.set(name, description),
      forget: (name) => void known.delete(name),
      names: () => [...known.keys()],
    };
  };

  it('is taken for the guard that it was at an earlier start', async () => {
    using folder = pluginFolder({ 'g.mjs': tagging('g', 'export const guard = true;'), 'a.mjs': tagging('a') });
    const kinds = memory();
    const entries = [entry('g', './g.mjs'), entry('a', './a.mjs')];
    await setUp(folder.path, { memory: kinds }).manager.load(entries);
    rmSync(join(folder.path, 'g.mjs'));
    folder.write({ 'a.mjs': 'this is no JavaScript' });
    const setup = setUp(folder.path, { memory: kinds });
    await setup.manager.load(entries);
    expect(await answers(setup)).toEqual(Array(2).fill('BF_PLUGIN_HOOK_FAILED'));
    const [guard, other] = setup.manager.list();
    expect(guard?.message).toMatch(
      /as it was a guard when it was last loaded, every request that it would have seen is refused$/,
    );
    expect(other?.message).not.toMatch(/guard/);
    expect(setup.group.isReady).toEqual([true, true]);
    folder.write({ 'g.mjs': tagging('g') });
    await setup.manager.reload('g');
    expect(await answers(setup)).toEqual(['g', 'g']);
    expect(kinds.recall('g')).toMatchObject({ isGuard: false });
    await setup.manager.remove('g');
    expect(kinds.names()).toEqual(['a']);
  });

  it('keeps the gateway from being ready at its first start, until somebody knows', async () => {
    using folder = pluginFolder({ 'broken.mjs': 'this is no JavaScript' });
    const setup = setUp(folder.path, { threads: 1 });
    await setup.manager.load([entry('m', './missing.mjs'), entry('b', './broken.mjs')]);
    expect([await answers(setup), setup.group.isReady]).toEqual([[undefined], [false]]);
    expect(setup.manager.list().map(({ message }) => message)).toEqual([
      expect.stringMatching(/missing\.mjs.*; whether it is a guard is not known: .*"guard": true or false$/),
      expect.stringMatching(/syntax error.*; whether it is a guard is not known/),
    ]);
    await setup.group.join();
    expect(setup.group.isReady).toEqual([false, false]);
    folder.write({ 'missing.mjs': tagging('m') });
    await setup.manager.reload('m');
    expect(setup.group.isReady).toEqual([false, false]);
    await setup.manager.remove('b');
    expect([await answers(setup), setup.group.isReady]).toEqual([
      ['m', 'm'],
      [true, true],
    ]);
  });

  it.each<readonly [string, Partial<PluginEntry>, string]>([
    ['its entry says that it is none', { guard: false }, './missing.mjs'],
    ['its entry says what becomes of requests', { onLoadFailure: 'continue' }, './missing.mjs'],
    ['its manifest says that it is none', {}, './stated'],
    ['its code was read', {}, './failing.mjs'],
    ['it is off', { enabled: false }, './missing.mjs'],
  ])('does not where %s', async (_what, more, path) => {
    using folder = pluginFolder({
      'failing.mjs': 'export const preRequestHook = () => {}; export const init = () => { throw new Error("no"); };',
      'stated/bifrost-plugin.json': '{"name":"s","version":"1.0.0","api":"1","main":"s.mjs","guard":false}',
      'stated/s.mjs': 'this is no JavaScript',
    });
    const setup = setUp(folder.path, {
      threads: 1,
      resolveArtefact: (one, baseDirectory) => resolveArtefact(one, { baseDirectory, workingDirectory: baseDirectory }),
    });
    await setup.manager.load([entry('p', path, more)]);
    expect([await answers(setup), setup.group.isReady]).toEqual([[undefined], [true]]);
    expect(setup.manager.list()[0]?.message ?? '').not.toContain('not known');
  });
});
