import { describe, expect, it } from 'vitest';
import { entry, pluginFolder } from '../__tests__/plugin-folder.ts';
import { resolveArtefact } from '../artefacts/resolve-artefact.ts';
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
      message: expect.stringMatching(new RegExp(`no list of words; ${refusal}$`)),
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
