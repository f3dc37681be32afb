import type { PluginRun } from '@bifrost/core';
import { describe, expect, it } from 'vitest';
import { entry, pluginFolder } from '../__tests__/plugin-folder.ts';
import { answer, answers, open, setUp, tagging, trace } from './__tests__/managed.ts';
import type { Setup } from './__tests__/managed.ts';

/** As many versions of `a` as may be held are held by requests, beside a plugin `b`. */
async function full(setup: Setup): Promise<readonly (PluginRun | null)[]> {
  const { manager, group } = setup;
  await manager.load([entry('a', './a.mjs', { probationMs: 60_000 }), entry('b', './b.mjs')]);
  const runs: (PluginRun | null)[] = [];
  for (let index = 0; index < 3; index += 1) {
    runs.push(open(group.chains[0]));
    await manager.reload('a');
  }
  return runs;
}

const host = { maxDraining: 2, drainWaitMs: 20 };

describe('while requests hold as many replaced versions as may be held', () => {
  it('nothing new is loaded, but plugins are moved, caught, disabled and removed', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'b.mjs': tagging('b') });
    const setup = setUp(folder.path, { threads: 1, host });
    const { manager, group } = setup;
    const runs = await full(setup);
    await expect(manager.reload('a')).rejects.toMatchObject({ code: 'BF_PLUGIN_DRAINING', statusCode: 503 });
    await manager.setSequence([{ name: 'b', order: -1 }]);
    expect(await answers(setup)).toEqual(['ba']);
    await manager.quarantine('a', 'it was caught');
    expect(await answer(group.chains[0])).toBe('b');
    await manager.update(entry('b', './b.mjs', { enabled: false }));
    expect(await answer(group.chains[0])).toBeUndefined();
    await manager.remove('a');
    expect(manager.entries.map(({ name }) => name)).toEqual(['b']);
    for (const run of runs) run?.finish(trace);
    await expect.poll(async () => (await manager.refresh(), manager.counts.live)).toBe(0);
  });

  it('a version that fails gives its place back', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'b.mjs': tagging('b') });
    const held = { ...host, maxDraining: 1 };
    const setup = setUp(folder.path, { threads: 1, host: held, probation: { everyMs: 5 } });
    const { manager, group } = setup;
    await manager.load([entry('a', './a.mjs')]);
    const runs = [open(group.chains[0])];
    await manager.reload('a');
    runs.push(open(group.chains[0]));
    folder.write({ 'a.mjs': `export const preRequestHook = () => { throw new Error('new and wrong'); };` });
    await manager.reload('a');
    runs.push(open(group.chains[0]));
    for (let index = 0; index < 25; index += 1) await answer(group.chains[0]);
    await expect.poll(() => manager.list()[0]?.message).toContain('rolled back');
    expect(await answers(setup)).toEqual(['a']);
    for (const run of runs) run?.finish(trace);
  });
});
