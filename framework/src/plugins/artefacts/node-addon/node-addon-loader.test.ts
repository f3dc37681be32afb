import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requestFor, runPlugin } from '../native/__tests__/load-native.ts';
import { buildScripted, buildScriptedAddon } from '../native/__tests__/native-builds.ts';
import { createNodeAddonLoader, nodeAddonLoader } from './node-addon-loader.ts';

const head = { model: 'm', isStream: false, fallbacks: [] };
const mappingsOf = (part: string): number =>
  readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes(part)).length;
const refusal = (file: string): Promise<unknown> =>
  nodeAddonLoader.load(requestFor(file)).then(
    () => 'loaded',
    (thrown: unknown) => thrown,
  );

describe('a Node-API add-on', () => {
  it.each([
    [
      'named',
      "({ name: 'a', preRequestHook: (context, request) => ({ model: request.model + '-named' }) })",
      'm-named',
    ],
    ['default', "({ default: { name: 'a', preRequestHook: () => ({ model: 'of default' }) } })", 'of default'],
    ['options', "({ preRequestHook: { reads: 'head', handler: async () => ({ model: 'awaited' }) } })", 'awaited'],
  ])('with %s exports is a plugin', async (name, exports, model) => {
    const file = buildScriptedAddon(`addon-${name}`, exports);
    await using plugin = await runPlugin(requestFor(file), {}, nodeAddonLoader);
    expect(await plugin.call('preRequestHook', head)).toEqual({ model });
  });

  it('is loaded anew from a changed file, and the old one goes on with its own code', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bifrost-native-test-'));
    const file = join(folder, 'plugin.node');
    const write = (stamp: string): void =>
      writeFileSync(
        file,
        readFileSync(buildScriptedAddon(`addon-${stamp}`, `({ preRequestHook: () => ({ model: '${stamp}' }) })`)),
      );
    write('first');
    await using first = await runPlugin(requestFor(file), {}, nodeAddonLoader);
    write('second');
    await using second = await runPlugin(requestFor(file), {}, nodeAddonLoader);
    expect([first, second].map((plugin) => plugin.call('preRequestHook', head))).toEqual([
      { model: 'first' },
      { model: 'second' },
    ]);
    rmSync(folder, { recursive: true });
  });

  it('has state of its own in each load, also of the same file', async () => {
    const file = buildScriptedAddon(
      'addon-counts',
      '{ let n = 0; ({ preRequestHook: () => ({ model: String(++n) }) }) }',
    );
    await using first = await runPlugin(requestFor(file), {}, nodeAddonLoader);
    first.call('preRequestHook', head);
    await using second = await runPlugin(requestFor(file), {}, nodeAddonLoader);
    expect(second.call('preRequestHook', head)).toEqual({ model: '1' });
    expect(first.call('preRequestHook', head)).toEqual({ model: '2' });
  });
});

describe('an add-on is refused', () => {
  it('by a portable build, which names the build that loads it', async () => {
    const loader = createNodeAddonLoader({ isNativeCodeAllowed: false });
    await expect(loader.load(requestFor('/lib/x.node'))).rejects.toMatchObject({
      code: 'BF_PLUGIN_NATIVE_DISABLED',
      message: expect.stringContaining('/lib/x.node is native code') as unknown,
    });
    await expect(loader.load(requestFor('/lib/x.node'))).rejects.toThrow('make build DYNAMIC=1');
  });

  it('where it does not register itself', async () => {
    const file = buildScripted();
    expect(String(await refusal(file))).toContain(
      `plugin p: ${file} does not register itself; it is no Node-API add-on: export it with NAPI_MODULE_INIT`,
    );
  });

  it('where its initialisation throws', async () => {
    const file = buildScriptedAddon('addon-throws', "throw new Error('no licence')");
    expect(String(await refusal(file))).toContain(
      "the system's loader refuses it, or its initialisation threw: no licence",
    );
  });

  it.each([
    ['a number', '7', 'the add-on exports a number, expected an object'],
    ['nothing', 'null', 'the add-on exports null, expected an object'],
  ])('where it exports %s', async (name, exports, message) => {
    const refused = await refusal(buildScriptedAddon(`addon-${name.replaceAll(' ', '-')}`, exports));
    expect(refused).toMatchObject({ code: 'BF_PLUGIN_SHAPE_INVALID' });
    expect(String(refused)).toContain(message);
  });

  it('with a "did you mean" where a hook is misspelt', async () => {
    const file = buildScriptedAddon('addon-misspelt', '({ preRequestHok() {} })');
    await expect(runPlugin(requestFor(file), {}, nodeAddonLoader)).rejects.toThrow('did you mean preRequestHook?');
  });

  it('where a function is in no library, before any of its code runs', async () => {
    const file = buildScriptedAddon('addon-unbound', '({})', ['-DUNBOUND']);
    expect(String(await refusal(file))).toContain('undefined symbol: is_nowhere');
    expect(mappingsOf('addon-unbound')).toBe(0);
  });

  it('in a process that was not granted native code', () => {
    const file = buildScriptedAddon('addon-granted', '({ inject() {} })');
    const program = `
      const { nodeAddonLoader } = await import(${JSON.stringify(join(import.meta.dirname, 'node-addon-loader.ts'))});
      await nodeAddonLoader.load(${JSON.stringify({ name: 'p', file, generation: '1', grants: {} })}).then(
        ({ module }) => console.log(Object.keys(module.default).join()), (error) => console.log(error.message));`;
    const run = (...flags: string[]): string =>
      execFileSync(
        process.execPath,
        ['--permission', '--allow-fs-read=/', ...flags, '--input-type=module', '-e', program],
        {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      ).trim();
    expect(run()).toBe(
      'plugin p: native code was not granted to it: set `capabilities: { "native": true }` in its entry',
    );
    expect(run('--allow-addons')).toBe('inject');
  });
});
