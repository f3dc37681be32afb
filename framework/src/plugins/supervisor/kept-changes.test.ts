import { describe, expect, it } from 'vitest';
import { entry, pluginFolder } from '../__tests__/plugin-folder.ts';
import { answer, answers, lifeOf, settled, setUp, tagging } from './__tests__/managed.ts';
import type { PluginManager } from './plugin-manager.ts';
import type { ChangeOptions } from './plugin-manager-options.ts';

const candidate = { kind: 'canary', share: 0 } as const;

/** Every change that can be kept, to a list of `a` and `b` with a candidate for the place of `a`. */
const changes: readonly [string, (manager: PluginManager, options: ChangeOptions) => Promise<unknown>][] = [
  ['added', (manager, options) => manager.add(entry('c', './c.mjs'), options)],
  ['changed', (manager, options) => manager.update(entry('a', './c.mjs'), options)],
  ['moved', (manager, options) => manager.setSequence([{ name: 'a', order: 5 }], options)],
  ['removed', (manager, options) => manager.remove('a', options)],
  ['replaced by its candidate', (manager, options) => manager.promoteCandidate('a', options)],
];

describe('a change that is to be kept', () => {
  it.each(changes)('is not made where it cannot be: a plugin is %s', async (_what, change) => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'b.mjs': tagging('b'), 'c.mjs': tagging('c') });
    const setup = setUp(folder.path);
    const { manager } = setup;
    await manager.load([entry('a', './a.mjs'), entry('b', './b.mjs')]);
    await manager.stageCandidate(entry('a', './c.mjs'), candidate);
    const before = manager.list();
    lifeOf();
    const served: unknown[] = [];
    const keep = async (): Promise<void> => {
      served.push(...(await answers(setup)));
      throw new Error('the disk is full');
    };
    await expect(change(manager, { keep })).rejects.toThrow('the disk is full');
    await settled();
    // Not for a moment, and with the instances of before, in their order.
    expect(served).toEqual(['ab', 'ab']);
    expect(await answers(setup)).toEqual(['ab', 'ab']);
    expect(lifeOf().filter((line) => !line.endsWith('c'))).toEqual([]);
    expect(manager.list().map(({ name, load }) => ({ name, load }))).toEqual(
      before.map(({ name, load }) => ({ name, load })),
    );
    await manager.refresh();
    expect(manager.counts.live).toBe(6);
  });

  it.each(changes)('is kept when it is prepared, and serves then: a plugin is %s', async (_what, change) => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'b.mjs': tagging('b'), 'c.mjs': tagging('c') });
    const setup = setUp(folder.path);
    const { manager, group } = setup;
    await manager.load([entry('a', './a.mjs'), entry('b', './b.mjs')]);
    await manager.stageCandidate(entry('a', './c.mjs'), candidate);
    const kept: unknown[] = [];
    await change(manager, { keep: async () => void kept.push(await answer(group.chains[0])) });
    expect(kept).toEqual(['ab']);
    expect(await answer(group.chains[0])).not.toBe('ab');
  });

  it('is stored as the version on its way makes of its config', async () => {
    using folder = pluginFolder({
      'a.mjs': tagging('a', `export const marshalConfigForStorage = (config) => ({ ...config, by: 'before' });`),
      'b.mjs': tagging('b', `export const marshalConfigForStorage = (config) => ({ ...config, by: 'after' });`),
    });
    const { manager } = setUp(folder.path);
    await manager.load([entry('a', './a.mjs')]);
    let stored: unknown;
    await manager.update(entry('a', './b.mjs'), {
      keep: async () => void (stored = await manager.viewConfig('a', 'marshalConfigForStorage', { key: 1 })),
    });
    expect(stored).toEqual({ key: 1, by: 'after' });
  });
});

describe('a new version that cannot be loaded', () => {
  it('is tried by one thread, and not by the others', async () => {
    using folder = pluginFolder({
      'a.mjs': tagging('a'),
      'b.mjs': `(globalThis.managedLife ??= []).push('?b'); throw new Error('no');`,
      'c.mjs': tagging('c'),
    });
    const setup = setUp(folder.path, { threads: 3 });
    const { manager } = setup;
    await manager.load([entry('a', './a.mjs')]);
    lifeOf();
    await expect(manager.update(entry('a', './b.mjs'))).rejects.toMatchObject({ code: 'BF_PLUGIN_LOAD_FAILED' });
    expect(lifeOf()).toEqual(['?b']);
    expect(await answers(setup)).toEqual(['a', 'a', 'a']);
    await manager.update(entry('a', './c.mjs'));
    expect(lifeOf()).toEqual(['+c', '+c', '+c']);
    expect(await answers(setup)).toEqual(['c', 'c', 'c']);
  });
});

describe('a list with an entry that is wrong in itself', () => {
  it('can be changed all the same, and gets no further one', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'b.mjs': tagging('b') });
    const setup = setUp(folder.path);
    const { manager } = setup;
    await manager.load([entry('../x', './a.mjs'), entry('a', './a.mjs'), entry('b', './b.mjs')]);
    await manager.setSequence([{ name: 'b', order: -1 }]);
    expect(await answers(setup)).toEqual(['ba', 'ba']);
    await expect(manager.add(entry('a@candidate', './a.mjs'))).rejects.toMatchObject({
      code: 'BF_PLUGIN_ENTRY_INVALID',
    });
    expect(manager.list()).toHaveLength(3);
  });
});

describe('a version that is rolled back', () => {
  it('is told of, with the entry that serves again', async () => {
    using folder = pluginFolder({
      'a.mjs': tagging('a'),
      'b.mjs': `export const preRequestHook = () => { throw new Error('new and wrong'); };`,
    });
    const { manager, group } = setUp(folder.path, { probation: { everyMs: 5 } });
    const told: unknown[] = [];
    manager.onRolledBack((serving) => told.push(serving.path));
    await manager.load([entry('a', './a.mjs')]);
    await manager.update(entry('a', './b.mjs'));
    for (let index = 0; index < 12; index += 1) for (const chains of group.chains) await answer(chains);
    await expect.poll(() => told).toEqual(['./a.mjs']);
  });
});
