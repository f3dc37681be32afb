import { hookNames } from '@bifrost/sdk';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { PluginChains } from '@bifrost/core';
import { entry, hostIn, pluginFolder } from './__tests__/plugin-folder.ts';

const facts = { requestId: 'r', requestType: 'chat_completion', method: 'POST', path: '/', isStream: false };

function modelOf(chains: PluginChains | null): unknown {
  const run = chains?.open(facts, {}, new AbortController().signal);
  const outcome = run?.preRequest({ model: 'm', isStream: false, fallbacks: [] });
  run?.finish({ facts, statusCode: 200, startedAt: 0, latencyMs: 1, attempts: [], lane: 'none' });
  return outcome;
}

/** A plugin that writes its life to a global list. */
const living = (name: string, more = ''): string => `
  import { definePlugin } from '@bifrost/sdk';
  const log = ((globalThis as any).pluginLife ??= []) as string[];
  export default definePlugin({
    name: '${name}',
    init() { log.push('init ${name}'); },
    cleanup() { log.push('cleanup ${name}'); },
    preRequestHook: () => ({ model: '${name}' }),
    ${more}
  });`;

function lifeOf(): string[] {
  const life = (globalThis as { pluginLife?: string[] }).pluginLife?.splice(0) ?? [];
  return life;
}

describe('loading plugins', () => {
  it('loads TypeScript with nested imports and @bifrost/sdk from any folder, and says so', async () => {
    using folder = pluginFolder({
      'plugins/hello/index.ts': `
        import { definePlugin, headerValue } from '@bifrost/sdk';
        import type { PreRequestResult } from '@bifrost/sdk';
        import { model } from './lib/model.ts';
        export default definePlugin({ name: 'hello', version: '1.2.3',
          preRequestHook: (): PreRequestResult => ({ model: model(headerValue({ a: 'x' }, 'A')) }) });`,
      'plugins/hello/lib/model.ts': `
        import { suffix } from '../../shared.js';
        export const model = (text: string | undefined): string => text + suffix;`,
      'plugins/shared.js': `import { hookNames } from '@bifrost/sdk'; export const suffix = hookNames.length;`,
    });
    const { host, lines } = hostIn(folder.path);
    const generation = await host.load([entry('greeter', 'plugins/hello')]);
    expect(modelOf(generation.chains)).toEqual({ model: `x${hookNames.length}` });
    expect(lines).toEqual(['info Plugin loaded successfully: greeter', 'info plugin status: greeter - active']);
    expect(host.status()).toMatchObject([
      {
        name: 'greeter',
        actualName: 'hello',
        version: '1.2.3',
        state: 'active',
        hooks: ['preRequestHook'],
        file: join(folder.path, 'plugins/hello/index.ts'),
      },
    ]);
    await generation.retire();
  });

  it.each([
    ['one.mts', `export const name = 'x'; export function preRequestHook() { return { model: 'named' }; }`],
    ['one.mjs', `export default { name: 'x', preRequestHook: () => ({ model: 'named' }) };`],
    ['one.js', `module.exports = { name: 'x', preRequestHook: () => ({ model: 'named' }) };`],
    ['one/package.json', `{ "type": "module", "main": "lib/start.js" }`],
  ])('accepts a default export and named exports: %s', async (file, text) => {
    using folder = pluginFolder({
      [file]: text,
      'one/lib/start.js': `export const preRequestHook = () => ({ model: 'named' });`,
    });
    const { host } = hostIn(folder.path);
    const generation = await host.load([entry('one', file.replace('/package.json', ''))]);
    expect(host.status()).toMatchObject([{ state: 'active' }]);
    expect(modelOf(generation.chains)).toEqual({ model: 'named' });
  });

  it('finds an npm package from the config folder upwards, then from the working directory', async () => {
    const files = {
      'node_modules/gateway-plugin/package.json': `{ "name": "gateway-plugin", "type": "module", "exports": { "import": "./main.js" } }`,
      'node_modules/gateway-plugin/main.js': `import { model } from './deep/model.js'; import { definePlugin } from '@bifrost/sdk'; export default definePlugin({ name: 'p', preRequestHook: () => ({ model }) });`,
      'node_modules/gateway-plugin/deep/model.js': `export const model = import.meta.url.includes('?plugin=') ? 'own' : 'shared';`,
    };
    using folder = pluginFolder(files);
    using elsewhere = pluginFolder();
    const near = await hostIn(join(folder.path, 'config')).host.load([entry('p', 'gateway-plugin')]);
    expect(modelOf(near.chains)).toEqual({ model: 'own' });
    const far = hostIn(elsewhere.path, { workingDirectory: folder.path });
    await far.host.load([entry('p', 'gateway-plugin')]);
    expect(far.host.status()).toMatchObject([{ state: 'active' }]);
  });

  it('takes paths with blanks and signs, JSON imports, CommonJS dependencies and late imports', async () => {
    using folder = pluginFolder({
      'my plugins/a #1?/p.mts': `
        import data from './data.json' with { type: 'json' };
        import dependency from './old.cjs';
        export const preRequestHook = async () => ({ model: data.model + dependency.suffix + (await import('./late.mts')).late });`,
      'my plugins/a #1?/data.json': '{ "model": "json" }',
      'my plugins/a #1?/old.cjs': `module.exports = { suffix: require('./older.cjs') };`,
      'my plugins/a #1?/older.cjs': `module.exports = '+cjs';`,
      'my plugins/a #1?/late.mts': `import { hookNames } from '@bifrost/sdk'; export const late = '+late' + hookNames.length;`,
    });
    const { host, lines } = hostIn(folder.path);
    const generation = await host.load([
      entry('relative', './my plugins/a #1?/p.mts'),
      entry('url', pathToFileURL(join(folder.path, 'my plugins/a #1?/p.mts')).href),
    ]);
    expect(lines.filter((line) => line.startsWith('error'))).toEqual([]);
    expect(await modelOf(generation.chains)).toEqual({ model: `json+cjs+late${hookNames.length}` });
  });

  it('gives two entries on one file their own module, config and state', async () => {
    using folder = pluginFolder({
      'count.ts': `let calls = 0; export function preRequestHook(ctx: any) { calls += 1; return { model: ctx.config.tag + calls }; }`,
    });
    const { host } = hostIn(folder.path);
    const generation = await host.load([
      entry('a', './count.ts', { config: { tag: 'a' } }),
      entry('b', './count.ts', { config: { tag: 'b' } }),
    ]);
    expect([modelOf(generation.chains), modelOf(generation.chains)]).toEqual([{ model: 'b1' }, { model: 'b2' }]);
  });

  it('runs no code of a disabled plugin', async () => {
    using folder = pluginFolder({
      'bomb.ts': `(globalThis as any).exploded = true; export const preLLMHook = () => {};`,
    });
    const { host, lines } = hostIn(folder.path);
    const generation = await host.load([entry('bomb', './bomb.ts', { enabled: false })]);
    expect(globalThis).not.toHaveProperty('exploded');
    expect(generation.chains).toBeNull();
    expect(lines).toEqual(['info plugin status: bomb - disabled']);
  });

  it('leaves out a hook whose `when` says no to the config', async () => {
    using folder = pluginFolder({
      'p.ts': `export const inject = { when: (config: any) => config.on, handler() {} }; export const preLLMHook = () => {};`,
    });
    const { host } = hostIn(folder.path);
    await host.load([
      entry('off', './p.ts', { config: { on: false } }),
      entry('on', './p.ts', { config: { on: true } }),
    ]);
    expect(host.status().map(({ hooks }) => hooks)).toEqual([['preLLMHook'], ['preLLMHook', 'inject']]);
  });

  it('runs fresh code with all nested imports in a later generation', async () => {
    using folder = pluginFolder({
      'p.ts': `import { model } from './m.ts'; export const preRequestHook = () => ({ model });`,
      'm.ts': `export const model = 'old';`,
    });
    const { host } = hostIn(folder.path);
    const old = await host.load([entry('p', './p.ts')]);
    folder.write({ 'm.ts': `export const model = 'new';` });
    const fresh = await host.load([entry('p', './p.ts')]);
    expect([modelOf(old.chains), modelOf(fresh.chains)]).toEqual([{ model: 'old' }, { model: 'new' }]);
    expect(fresh.id).toBeGreaterThan(old.id);
  });

  it('takes built-in plugins through the same checks', async () => {
    const builtins = new Map([['echo', { default: { name: 'echo', preRequestHook: () => ({ model: 'built in' }) } }]]);
    const { host, lines } = hostIn('/', { builtins });
    const generation = await host.load([
      { name: 'echo', enabled: true, placement: 'builtin' },
      { name: 'otel', enabled: true },
    ]);
    expect(modelOf(generation.chains)).toEqual({ model: 'built in' });
    expect(lines[1]).toBe(
      'error failed to load plugin otel: it has no `path`, and the gateway has no built-in plugin of that name',
    );
  });
});

describe('the life of a plugin', () => {
  it('runs init in order and cleanup last in, first out, each once, when the last request has ended', async () => {
    using folder = pluginFolder({ 'a.ts': living('a'), 'b.ts': living('b') });
    const { host } = hostIn(folder.path);
    const generation = await host.load([entry('a', './a.ts'), entry('b', './b.ts')]);
    expect(lifeOf()).toEqual(['init a', 'init b']);
    const run = generation.chains?.open(facts, {}, new AbortController().signal);
    const retired = generation.retire();
    expect(generation.status().map(({ state }) => state)).toEqual(['draining', 'draining']);
    await new Promise((resolve) => setImmediate(resolve));
    expect([lifeOf(), generation.inFlight]).toEqual([[], 1]);
    run?.finish({ facts, statusCode: 200, startedAt: 0, latencyMs: 1, attempts: [], lane: 'none' });
    await Promise.all([retired, generation.retire()]);
    expect(lifeOf()).toEqual(['cleanup b', 'cleanup a']);
    expect(generation.status().map(({ state }) => state)).toEqual(['disabled', 'disabled']);
  });

  it('does not wait for ever for requests that never end', async () => {
    using folder = pluginFolder({ 'a.ts': living('a') });
    const generation = await hostIn(folder.path).host.load([entry('a', './a.ts')]);
    generation.chains?.open(facts, {}, new AbortController().signal);
    await generation.retire({ drainTimeoutMs: 5 });
    expect(lifeOf()).toEqual(['init a', 'cleanup a']);
  });

  it('goes on with the other cleanups when one throws or hangs', async () => {
    using folder = pluginFolder({
      'a.ts': living('a'),
      'throws.ts': `export const preLLMHook = () => {}; export function cleanup() { throw new Error('no'); }`,
      'hangs.ts': `export const preLLMHook = () => {}; export const cleanup = () => new Promise(() => {});`,
    });
    const { host, lines } = hostIn(folder.path, { cleanupTimeoutMs: 20 });
    const generation = await host.load([
      entry('a', './a.ts'),
      entry('throws', './throws.ts'),
      entry('hangs', './hangs.ts'),
    ]);
    await generation.retire();
    expect(lifeOf()).toEqual(['init a', 'cleanup a']);
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([
      'warn PluginError: plugin hangs: cleanup did not end within 20 ms',
      'warn PluginError: plugin throws: cleanup failed: Error: no (throws.ts:1)',
    ]);
  });

  it('cleans up after an init that ends when its deadline has passed, and not after one that failed', async () => {
    using folder = pluginFolder({
      'late.ts': `
        const log = ((globalThis as any).pluginLife ??= []) as string[];
        export const init = (ctx: any) => new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => setTimeout(() => { log.push('late init'); resolve(); }, 5)));
        export const cleanup = () => { log.push('late cleanup'); };`,
      'fails.ts': living('fails', `...{ init() { throw new Error('no database'); } },`),
    });
    const { host, lines } = hostIn(folder.path, { initTimeoutMs: 30 });
    await host.load([entry('late', './late.ts'), entry('fails', './fails.ts')]);
    await expect
      .poll(() => (globalThis as { pluginLife?: string[] }).pluginLife)
      .toEqual(['late init', 'late cleanup']);
    lifeOf();
    expect(lines).toContain('error failed to load plugin late: init did not end within 30 ms');
    expect(lines).toContainEqual(
      expect.stringMatching(/^error failed to load plugin fails: init failed: Error: no database \(fails\.ts:\d+\)$/),
    );
    expect(host.status()).toMatchObject([{ code: 'BF_PLUGIN_INIT_TIMEOUT' }, { code: 'BF_PLUGIN_INIT_FAILED' }]);
  });
});

describe('required plugins', () => {
  const broken = `throw new Error('cannot start');`;

  it('loads the others where a plugin fails that is not required', async () => {
    using folder = pluginFolder({ 'broken.ts': broken, 'a.ts': living('a') });
    const { host, lines } = hostIn(folder.path);
    const generation = await host.load([entry('broken', './broken.ts'), entry('a', './a.ts')]);
    expect(host.status().map(({ name, state }) => `${name} ${state}`)).toEqual(['broken error', 'a active']);
    expect(lines).toContain('info plugin status: broken - error');
    expect(generation.isReady).toBe(true);
    lifeOf();
  });

  it('rejects, cleans up and keeps the generation before it where a required one fails', async () => {
    using folder = pluginFolder({ 'broken.ts': broken, 'a.ts': living('a') });
    const { host } = hostIn(folder.path);
    const serving = await host.load([entry('a', './a.ts')]);
    lifeOf();
    await expect(
      host.load([entry('a', './a.ts'), entry('broken', './broken.ts', { required: true })]),
    ).rejects.toMatchObject({
      code: 'BF_PLUGIN_REQUIRED_FAILED',
      message: expect.stringContaining(
        'plugin broken: it is required and cannot be loaded. plugin broken: its module threw',
      ),
    });
    expect(lifeOf()).toEqual(['init a', 'cleanup a']);
    expect(host.current).toBe(serving);
    expect(modelOf(serving.chains)).toEqual({ model: 'a' });
  });

  it('is not ready once a required plugin has been disabled by its failures', async () => {
    using folder = pluginFolder({
      'p.ts': `export const preRequestHook = { onError: { disableAfter: 2 }, handler() { throw new Error('x'); } };`,
    });
    const { host, lines } = hostIn(folder.path);
    const generation = await host.load([entry('p', './p.ts', { required: true })]);
    expect(generation.isReady).toBe(true);
    modelOf(generation.chains);
    modelOf(generation.chains);
    expect(generation.isReady).toBe(false);
    expect(host.status()).toMatchObject([{ state: 'disabled', message: 'preRequestHook failed 2 times in a row' }]);
    expect(lines.at(-1)).toBe('info plugin status: p - disabled');
  });

  it('calls a plugin degraded while its calls fail', async () => {
    using folder = pluginFolder({
      'p.ts': `let calls = 0; export const preRequestHook = () => { calls += 1; if (calls <= 5) throw new Error('x'); };`,
    });
    const generation = await hostIn(folder.path).host.load([entry('p', './p.ts')]);
    for (let index = 0; index < 5; index += 1) modelOf(generation.chains);
    expect(generation.status()).toMatchObject([{ state: 'degraded' }]);
    modelOf(generation.chains);
    expect(generation.status()).toMatchObject([{ state: 'active' }]);
  });
});
