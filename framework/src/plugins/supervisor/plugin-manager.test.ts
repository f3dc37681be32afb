import type { PluginRun } from '@bifrost/core';
import { describe, expect, it } from 'vitest';
import { entry, pluginFolder } from '../__tests__/plugin-folder.ts';
import { answer, facts, answers, lifeOf, open, settled, setUp, tagging, trace } from './__tests__/managed.ts';
import type { Setup } from './__tests__/managed.ts';

describe('the plugins of all threads', () => {
  it('are loaded once in each, said once, and shown as one', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'b.mjs': tagging('b') });
    const setup = setUp(folder.path);
    const { manager, lines } = setup;
    await manager.load([entry('a', './a.mjs'), entry('b', './b.mjs'), entry('off', './x.mjs', { enabled: false })]);
    expect(await answers(setup)).toEqual(['ab', 'ab']);
    // Within a thread one after the other; threads do not wait for each other.
    expect(lifeOf().toSorted()).toEqual(['+a', '+a', '+b', '+b']);
    expect(lines).toEqual([
      'info Plugin loaded successfully: a',
      'info Plugin loaded successfully: b',
      'info plugin status: a - active',
      'info plugin status: b - active',
      'info plugin status: off - disabled',
    ]);
    expect(manager.list()).toMatchObject([
      { name: 'a', state: 'active', instances: { serving: 2, draining: 0 }, generation: 1, isolation: 'inline' },
      { name: 'b', state: 'active' },
      { name: 'off', state: 'disabled', instances: { serving: 0 } },
    ]);
    expect(manager.counts).toEqual({ inits: 4, cleanups: 0, live: 4 });
  });

  it('keep their instances when another one is reloaded, and lose the old one when its last request has ended', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'b.mjs': tagging('b1') });
    const setup = setUp(folder.path);
    const { manager, group } = setup;
    await manager.load([entry('a', './a.mjs'), entry('b', './b.mjs', { probationMs: 0 })]);
    const run = open(group.chains[0]);
    lifeOf();
    folder.write({ 'b.mjs': tagging('b2') });
    const before = manager.list();
    expect(await manager.reload('b')).toMatchObject({ name: 'b', state: 'active', generation: 2 });
    await settled();
    expect(await answers(setup)).toEqual(['ab2', 'ab2']);
    expect(lifeOf()).toEqual(['+b2', '+b2', '-b1']);
    expect((await manager.refresh())[1]).toMatchObject({ instances: { serving: 2, draining: 1 } });
    expect(await run?.preRequest({ model: '', isStream: false, fallbacks: [] })).toEqual({ model: 'ab1' });
    run?.finish(trace);
    await settled();
    expect(lifeOf()).toEqual(['-b1']);
    expect((await manager.refresh()).map(({ load }) => load)).toEqual([before[0]?.load, expect.any(Number)]);
    expect(manager.counts).toEqual({ inits: 6, cleanups: 2, live: 4 });
  });

  it('are added, moved, changed and removed one change at a time', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'b.mjs': tagging('b'), 'c.mjs': tagging('c') });
    const setup = setUp(folder.path);
    const { manager } = setup;
    await manager.load([entry('a', './a.mjs')]);
    await Promise.all([manager.add(entry('b', './b.mjs')), manager.add(entry('c', './c.mjs'))]);
    expect(await answers(setup)).toEqual(['abc', 'abc']);
    lifeOf();
    await manager.setSequence([
      { name: 'c', placement: 'pre_builtin' },
      { name: 'a', order: 7 },
    ]);
    expect(await answers(setup)).toEqual(['cba', 'cba']);
    expect(lifeOf()).toEqual([]);
    await manager.update(entry('b', './b.mjs', { order: 9 }));
    expect(lifeOf()).toEqual([]);
    await manager.update(entry('b', './b.mjs', { enabled: false }));
    await manager.remove('c');
    await settled();
    expect(await answers(setup)).toEqual(['a', 'a']);
    expect(lifeOf().toSorted()).toEqual(['-b', '-b', '-c', '-c']);
    expect(manager.entries.map(({ name }) => name)).toEqual(['a', 'b']);
    await expect(manager.add(entry('a', './a.mjs'))).rejects.toMatchObject({
      code: 'BF_PLUGIN_EXISTS',
      statusCode: 409,
    });
    await expect(manager.reload('x')).rejects.toMatchObject({ code: 'BF_PLUGIN_NOT_FOUND', statusCode: 404 });
  });

  it('come with the rest of a new configuration, entries that are as before keep their instances', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'b.mjs': tagging('b'), 'c.mjs': tagging('c') });
    const setup = setUp(folder.path);
    const { manager, group } = setup;
    await manager.load([entry('a', './a.mjs'), entry('b', './b.mjs')], { settings: { version: 1 } });
    lifeOf();
    await manager.load([entry('c', './c.mjs'), entry('b', './b.mjs', { required: true })], {
      settings: { version: 2 },
    });
    await settled();
    expect([await answers(setup), group.settings]).toEqual([['cb', 'cb'], { version: 2 }]);
    expect(lifeOf().toSorted()).toEqual(['+c', '+c', '-a', '-a']);
  });
});

describe('a change that fails', () => {
  const broken = `export const init = () => { throw new Error('no database'); }; export const inject = () => {};`;

  it('changes nothing, and the status says why', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'broken.mjs': broken });
    const setup = setUp(folder.path);
    const { manager, lines } = setup;
    await manager.load([entry('a', './a.mjs')]);
    lifeOf();
    await expect(manager.add(entry('b', './broken.mjs'))).rejects.toThrow('plugin b: init failed: Error: no database');
    folder.write({ 'a.mjs': broken });
    await expect(manager.reload('a')).rejects.toMatchObject({ code: 'BF_PLUGIN_INIT_FAILED' });
    await expect(manager.load([entry('z', './z.mjs')])).rejects.toMatchObject({ code: 'BF_PLUGIN_FILE_MISSING' });
    await expect(manager.setIsolation('a', 'process')).rejects.toMatchObject({
      code: 'BF_PLUGIN_ISOLATION_UNAVAILABLE',
    });
    expect(await answers(setup)).toEqual(['a', 'a']);
    expect(lifeOf()).toEqual([]);
    expect(manager.list()).toMatchObject([{ name: 'a', state: 'active', generation: 1, isolation: 'inline' }]);
    expect(manager.list()[0]?.lastError).toMatchObject({ code: 'BF_PLUGIN_ISOLATION_UNAVAILABLE' });
    expect(lines).toContain('error failed to load plugin b: init failed: Error: no database (broken.mjs:1)');
    folder.write({ 'a.mjs': tagging('A') });
    expect(await manager.reload('a')).not.toHaveProperty('lastError');
  });

  it('in one thread only ends in all as it was', async () => {
    using folder = pluginFolder({
      'a.mjs': tagging('a'),
      'b.mjs': `export const init = () => { if ((globalThis.inits = (globalThis.inits ?? 0) + 1) === 2) throw new Error('second'); };
        export const cleanup = () => { globalThis.inits -= 1; };`,
    });
    const setup = setUp(folder.path);
    await setup.manager.load([entry('a', './a.mjs')]);
    await expect(setup.manager.add(entry('b', './b.mjs'))).rejects.toThrow('init failed: Error: second');
    await settled();
    expect((globalThis as { inits?: number }).inits).toBe(1);
    expect(setup.manager.counts.live).toBe(2);
  });

  it('at the start is a status, and the others serve with the instances that were made first', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'broken.mjs': broken, 'c.mjs': tagging('c') });
    const setup = setUp(folder.path);
    await setup.manager.load([
      entry('a', './a.mjs'),
      entry('b', './broken.mjs'),
      entry('c', './c.mjs'),
      entry('a', './c.mjs'),
      entry('d', './none.mjs'),
    ]);
    expect(await answers(setup)).toEqual(['ac', 'ac']);
    expect(lifeOf()).toEqual(['+a', '+a', '+c', '+c']);
    expect(setup.manager.list().map(({ name, state, code }) => [name, state, code])).toEqual([
      ['a', 'active', undefined],
      ['b', 'error', 'BF_PLUGIN_INIT_FAILED'],
      ['c', 'active', undefined],
      ['a', 'error', 'BF_PLUGIN_ENTRY_INVALID'],
      ['d', 'error', 'BF_PLUGIN_FILE_MISSING'],
    ]);
    expect(setup.lines).toContain('error failed to load plugin b: init failed: Error: no database (broken.mjs:1)');
    expect(setup.lines).toContain('info plugin status: d - error');
  });

  it('of a required plugin at the start rejects with nothing left', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'broken.mjs': broken });
    const { manager } = setUp(folder.path);
    await expect(
      manager.load([entry('a', './a.mjs'), entry('b', './broken.mjs', { required: true })]),
    ).rejects.toMatchObject({ code: 'BF_PLUGIN_REQUIRED_FAILED' });
    await settled();
    expect(lifeOf().toSorted()).toEqual(['+a', '+a', '-a', '-a']);
  });

  it('is a refusal while too many replaced generations have requests, and is made once one has ended', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a') });
    const setup = setUp(folder.path, { threads: 1, host: { maxDraining: 2, drainWaitMs: 40 } });
    const { manager, group } = setup;
    await manager.load([entry('a', './a.mjs', { probationMs: 0 })]);
    const runs: (PluginRun | null)[] = [];
    for (let index = 0; index < 2; index += 1) {
      runs.push(open(group.chains[0]));
      await manager.reload('a');
    }
    runs.push(open(group.chains[0]));
    await expect(manager.reload('a')).rejects.toMatchObject({ code: 'BF_PLUGIN_DRAINING', statusCode: 503 });
    expect(manager.list()[0]?.lastError?.message).toContain('2 replaced plugin generations still have 2 requests');
    const reloading = manager.reload('a');
    runs[1]?.finish(trace);
    await reloading;
    for (const run of [runs[0], runs[2]]) run?.finish(trace);
    await settled();
    expect(manager.counts.live).toBe(3);
    await expect.poll(async () => (await manager.refresh())[0]?.instances.draining).toBe(0);
    expect(manager.counts).toEqual({ inits: 4, cleanups: 3, live: 1 });
  });
});

describe('a new version on probation', () => {
  it('gives its place back to the version before when it fails, whose instances were kept', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('good') });
    const setup = setUp(folder.path, { probation: { everyMs: 5 } });
    const { manager, group, lines } = setup;
    await manager.load([entry('a', './a.mjs')]);
    folder.write({ 'a.mjs': `export const preRequestHook = () => { throw new Error('new and wrong'); };` });
    await manager.reload('a');
    for (let index = 0; index < 12; index += 1) for (const chains of group.chains) await answer(chains);
    await expect
      .poll(() => manager.list()[0]?.message)
      .toMatch(/^rolled back: \d+ of \d+ calls failed within 1 s of the swap$/);
    expect(await answers(setup)).toEqual(['good', 'good']);
    expect(lifeOf()).toEqual(['+good', '+good']);
    expect(manager.list()).toMatchObject([{ state: 'active', instances: { serving: 2, draining: 0 } }]);
    expect(lines.find((line) => line.startsWith('warn'))).toContain('plugin a is rolled back to the version before');
    await settled();
    await manager.refresh();
    expect(manager.counts).toEqual({ inits: 4, cleanups: 2, live: 2 });
  });

  it('keeps its place when it works, and the version before is cleaned up', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('1') });
    const setup = setUp(folder.path, { probation: { everyMs: 5 } });
    await setup.manager.load([entry('a', './a.mjs', { probationMs: 60 })]);
    folder.write({ 'a.mjs': tagging('2') });
    await setup.manager.reload('a');
    expect(lifeOf()).toEqual(['+1', '+1', '+2', '+2']);
    await expect.poll(() => setup.manager.counts).toEqual({ inits: 4, cleanups: 0, live: 4 });
    await expect.poll(lifeOf).toEqual(['-1', '-1']);
    expect(await answers(setup)).toEqual(['2', '2']);
  });

  it('is not watched where the entry says so, and any further change ends the watch', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('1'), 'b.mjs': tagging('b') });
    const setup = setUp(folder.path, { probation: { everyMs: 5 } });
    const { manager } = setup;
    await manager.load([entry('a', './a.mjs', { rollback: false }), entry('b', './b.mjs')]);
    await manager.reload('a');
    await settled();
    await manager.refresh();
    expect(manager.counts.live).toBe(4);
    await manager.reload('b');
    expect((await manager.refresh(), manager.counts.live)).toBe(6);
    await manager.setSequence([{ name: 'a', order: 1 }]);
    await settled();
    expect((await manager.refresh(), manager.counts.live)).toBe(4);
  });
});

describe('a plugin in quarantine', () => {
  it('is not called any more, in no thread, until it is reloaded', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'b.mjs': tagging('b') });
    const setup = setUp(folder.path);
    const { manager, group, lines } = setup;
    await manager.load([entry('a', './a.mjs'), entry('b', './b.mjs')]);
    await manager.quarantine('a', 'it blocked serving thread 1 for 1200 ms');
    await group.join();
    expect(await answers(setup)).toEqual(['b', 'b', 'b']);
    expect(manager.list()[0]).toMatchObject({
      state: 'error',
      code: 'BF_PLUGIN_QUARANTINED',
      message: 'it is quarantined: it blocked serving thread 1 for 1200 ms',
    });
    expect(lines).toContain('info plugin status: a - error');
    await manager.reload('a');
    expect(await answers(setup)).toEqual(['ab', 'ab', 'ab']);
  });

  it('refuses the requests that it would have seen, where it is a guard', async () => {
    using folder = pluginFolder({ 'g.mjs': tagging('g', 'export const guard = true;') });
    const setup = setUp(folder.path);
    await setup.manager.load([entry('g', './g.mjs')]);
    await setup.manager.quarantine('g', 'it ended serving thread 1');
    await setup.group.join();
    expect(await answers(setup)).toEqual(Array(3).fill('BF_PLUGIN_HOOK_FAILED'));
    await setup.manager.remove('g');
    expect(await answers(setup)).toEqual([undefined, undefined, undefined]);
  });

  it('is named by the mark that it left in its thread, also while it is being loaded', async () => {
    using folder = pluginFolder({
      'a.mjs': tagging('a'),
      'b.mjs': `await new Promise((resolve) => (globalThis.goOn = resolve)); export const inject = () => {};`,
    });
    const { manager, group } = setUp(folder.path, { threads: 1 });
    await manager.load([entry('a', './a.mjs')]);
    const adding = manager.add(entry('b', './b.mjs'));
    await expect.poll(() => (globalThis as { goOn?: () => void }).goOn).toBeTypeOf('function');
    const loading = (manager.list()[0]?.load ?? 0) + 1;
    expect(group.observer?.onFault({ thread: 1, what: 'ended serving thread 1', running: 0, loading })).toBe('b');
    (globalThis as { goOn?: () => void }).goOn?.();
    await expect(adding).rejects.toThrow('plugin b: it ended serving thread 1');
    expect(manager.list().map(({ name, state }) => [name, state])).toEqual([['a', 'active']]);
    expect(group.observer?.onFault({ thread: 1, what: 'blocked it', running: 0, loading: 0 })).toBeUndefined();
    const running = (0 + 1) << 5;
    expect(
      group.observer?.onFault({ thread: 1, what: 'blocked serving thread 1', running: running | 3, loading: 0 }),
    ).toBe('a');
    await expect.poll(() => manager.list()[0]?.message).toBe('it is quarantined: it blocked serving thread 1');
  });
});

describe('a candidate', () => {
  const ids = Array.from({ length: 40 }, (_, index) => `request ${index}`);
  const answersById = async ({ group }: Setup): Promise<unknown[]> =>
    Promise.all(
      ids.map(async (requestId) => {
        const run = group.chains[0]?.open({ ...facts, requestId }, {}, new AbortController().signal);
        const outcome = await run?.preRequest({ model: '', isStream: false, fallbacks: [] });
        run?.finish(trace);
        return outcome?.model;
      }),
    );

  it('takes a share of the requests as a canary, and then all of them', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('old'), 'new.mjs': tagging('new'), 'b.mjs': tagging('b') });
    const setup = setUp(folder.path);
    const { manager } = setup;
    await manager.load([entry('a', './a.mjs', { order: 3, probationMs: 0 }), entry('b', './b.mjs')]);
    const staged = await manager.stageCandidate(entry('a', './new.mjs', { probationMs: 0 }), {
      kind: 'canary',
      share: 0.5,
    });
    expect(staged).toMatchObject({
      name: 'a@candidate',
      state: 'active',
      trial: { kind: 'canary', of: 'a', share: 0.5 },
    });
    expect(manager.entries.map(({ name }) => name)).toEqual(['a', 'b']);
    const shared = await answersById(setup);
    expect(new Set(shared)).toEqual(new Set(['bold', 'bnew']));
    lifeOf();
    await manager.stageCandidate(entry('a', './new.mjs', { probationMs: 0 }), { kind: 'canary', share: 1 });
    expect(lifeOf()).toEqual([]);
    expect(new Set(await answersById(setup))).toEqual(new Set(['bnew']));
    expect(await manager.promoteCandidate('a')).toMatchObject({ name: 'a', order: 3, path: './new.mjs' });
    await settled();
    expect(manager.list().map(({ name }) => name)).toEqual(['a', 'b']);
    expect(await answers(setup)).toEqual(['bnew', 'bnew']);
    await manager.refresh();
    expect(manager.counts.live).toBe(4);
  });

  it('only watches as a shadow, is compared, and goes', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('old'), 'new.mjs': tagging('new') });
    const setup = setUp(folder.path);
    const { manager } = setup;
    await manager.load([entry('a', './a.mjs')]);
    await manager.stageCandidate(entry('a', './new.mjs'), { kind: 'shadow', share: 1 });
    expect(new Set(await answersById(setup))).toEqual(new Set(['old']));
    await expect
      .poll(() => manager.comparisons())
      .toMatchObject([{ of: 'a', candidate: 'a@candidate', equal: 0, different: 40 }]);
    await manager.abortCandidate('a');
    expect(await manager.comparisons()).toEqual([]);
    await expect(manager.promoteCandidate('a')).rejects.toMatchObject({ code: 'BF_PLUGIN_NOT_FOUND' });
    await expect(manager.stageCandidate(entry('x', './new.mjs'), { kind: 'shadow', share: 1 })).rejects.toMatchObject({
      code: 'BF_PLUGIN_NOT_FOUND',
    });
  });

  it('that fails leaves the plugin as it is', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('old'), 'new.mjs': `throw new Error('no');` });
    const setup = setUp(folder.path);
    await setup.manager.load([entry('a', './a.mjs')]);
    await expect(setup.manager.stageCandidate(entry('a', './new.mjs'), { kind: 'canary', share: 1 })).rejects.toThrow(
      'plugin a@candidate: its module threw',
    );
    expect(await answers(setup)).toEqual(['old', 'old']);
    expect(setup.manager.list()).toHaveLength(1);
  });
});

describe('memory of replaced modules', () => {
  it('has threads recycled once there are too many', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a') });
    const { manager, group } = setUp(folder.path, { maxStaleModules: 3 });
    await manager.load([entry('a', './a.mjs', { probationMs: 0 })]);
    for (let index = 0; index < 3; index += 1) await manager.reload('a');
    expect(group.recycled).toEqual([]);
    await settled();
    await manager.refresh();
    expect(group.recycled).toEqual(['1,2: 3 or more modules of replaced plugins']);
  });
});
