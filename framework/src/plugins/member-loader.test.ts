import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { LocalSharedState } from '@bifrost/core/plugins';
import { entry, hostIn, pluginFolder } from './__tests__/plugin-folder.ts';
import type { InstanceEvents } from './load-plugin.ts';
import type { ConnectRemote } from './member-loader.ts';
import type { PlannedPlugin } from './plugin-plan.ts';

const facts = { requestId: 'r', requestType: 'chat_completion', method: 'POST', path: '/', isStream: false };
const trace = { facts, statusCode: 200, startedAt: 0, latencyMs: 1, attempts: [], lane: 'none' } as const;
const here = 'export const preRequestHook = () => undefined;';

function inline(load: number, name = 'p'): PlannedPlugin {
  return { entry: entry(name, './p.ts'), load, source: { kind: 'inline' } };
}

/** A plugin that runs elsewhere, with the other end of its channel. */
function remote(load: number) {
  const { port1: port, port2 } = new MessageChannel();
  const description = { isGuard: false, hooks: { preRequestHook: {} } };
  const planned: PlannedPlugin = {
    entry: { name: 'far', enabled: true, isolation: 'worker' },
    load,
    source: { kind: 'remote', description, channel: { kind: 'port', port } },
  };
  return { planned, closed: once(port2, 'close') };
}

/** Connects to nothing, and hands over how the host is told of what the plugin does. */
function connector(told: InstanceEvents[]): ConnectRemote {
  return async ({ entry: { name } }, { logger }, events) => {
    told.push(events);
    return {
      instance: {
        name,
        config: {},
        hooks: { preRequestHook: () => undefined },
        self: {},
        isGuard: false,
        placement: 'post_builtin',
        order: 0,
        shared: new LocalSharedState(name),
        log: (level, message, fields) => logger[level](message, fields),
      },
      hooks: ['preRequestHook'],
      cleanup: () => Promise.resolve(),
    };
  };
}

describe('a channel to a plugin that runs elsewhere', () => {
  it('is closed where the thread has the plugin already', async () => {
    const { host } = hostIn('/', { connectRemote: connector([]) });
    await host.prepare({ generation: 1, plugins: [remote(1).planned] });
    const again = remote(1);
    await host.prepare({ generation: 2, plugins: [again.planned] });
    await again.closed;
    expect(host.counts).toMatchObject({ inits: 1, live: 1 });
  });

  it('is closed where nothing can be made of it, and the load is given back', async () => {
    const released: number[] = [];
    const { host } = hostIn('/', { onReleased: (load) => released.push(load) });
    const { planned, closed } = remote(7);
    const generation = await host.prepare({ generation: 1, plugins: [planned] });
    await closed;
    expect(released).toEqual([7]);
    expect(generation.status()).toMatchObject([{ state: 'error', code: 'BF_PLUGIN_NOT_SERVING' }]);
  });
});

describe('work that a plugin leaves running', () => {
  it('is counted where it fails, told of in its status, and logged ever more rarely', async () => {
    const told: InstanceEvents[] = [];
    const { host, lines } = hostIn('/', { connectRemote: connector(told) });
    const generation = await host.prepare({ generation: 1, plugins: [remote(1).planned] });
    for (const thrown of [new Error('a'), new Error('b'), 'c']) told[0]?.onEscape(thrown);
    expect(generation.status()).toMatchObject([
      { state: 'degraded', message: 'work that it left running failed 3 times, last: threw c, not an Error' },
    ]);
    expect(lines).toEqual([
      'error plugin far: work that it left running failed: a',
      'error plugin far: work that it left running failed: b',
    ]);
  });
});

describe('a guard that lets pass what it cannot judge', () => {
  const guard = `export const guard = true;
    export const preRequestHook = { onError: 'skip', handler: () => undefined };
    export const postLLMHook = () => undefined;
    export const inject = () => undefined;`;

  it('is told of once a load, by the hooks that say so', async () => {
    using folder = pluginFolder({ 'p.ts': guard });
    const { host, lines } = hostIn(folder.path);
    for (const generation of [1, 2]) await host.prepare({ generation, plugins: [inline(1)] });
    expect(lines).toEqual([
      'warn plugin p is a guard, but where its preRequestHook fails the request passes (onError: skip)',
    ]);
  });

  it("is told of where the operator's word stands for its own", async () => {
    using folder = pluginFolder({ 'p.ts': guard });
    const { host, lines } = hostIn(folder.path);
    const planned = { ...inline(1), entry: entry('p', './p.ts', { onError: 'continue' }) };
    await host.prepare({ generation: 1, plugins: [planned] });
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('postLLMHook fails the request passes (onError: continue)');
  });
});

describe('a plan', () => {
  it('waits for a place where too many replaced generations have requests, and is refused where none comes', async () => {
    using folder = pluginFolder({ 'p.ts': here });
    const { host } = hostIn(folder.path, { maxDraining: 1, drainWaitMs: 200 });
    const first = await host.prepare({ generation: 1, plugins: [inline(1)] });
    const run = first.chains?.open(facts, {}, new AbortController().signal);
    await host.prepare({ generation: 2, plugins: [inline(2)] });
    const retired = first.retire();
    await expect(host.prepare({ generation: 3, plugins: [inline(3)] })).rejects.toMatchObject({
      code: 'BF_PLUGIN_DRAINING',
    });
    const waiting = host.prepare({ generation: 4, plugins: [inline(4)] });
    run?.finish(trace);
    await retired;
    expect((await waiting).status()).toMatchObject([{ state: 'active', load: 4 }]);
  });

  it('says of each plugin when it was loaded and how long that took, and of none that was not', async () => {
    using folder = pluginFolder({ 'p.ts': here });
    const { host } = hostIn(folder.path);
    const since = Date.now();
    const off: PlannedPlugin = { entry: entry('off', './p.ts', { enabled: false }), load: 2, source: { kind: 'off' } };
    const [loaded, other] = (await host.prepare({ generation: 1, plugins: [inline(1), off] })).status();
    expect(loaded?.loadedAt).toBeGreaterThanOrEqual(since);
    expect(loaded?.loadMs).toBeGreaterThan(0);
    expect(other).not.toHaveProperty('loadedAt');
    expect(other).not.toHaveProperty('loadMs');
  });
});

describe('a view of a config', () => {
  it('names the load that is asked for it only while it is asked', async () => {
    using folder = pluginFolder({
      'p.ts': `export const preRequestHook = () => undefined;
        export const redactConfig = (config) => ({ ...config, loading: globalThis.loadingOfTheTest?.[0] });`,
    });
    const loading = new Int32Array(new SharedArrayBuffer(4));
    Object.assign(globalThis, { loadingOfTheTest: loading });
    const { host } = hostIn(folder.path, { loading });
    await host.prepare({ generation: 1, plugins: [inline(9)] });
    const question = { plugin: 'p', view: 'redactConfig', config: { a: 1 } } as const;
    expect(await host.viewConfig(9, question)).toEqual({ a: 1, loading: 9 });
    expect(loading[0]).toBe(0);
    Reflect.deleteProperty(globalThis, 'loadingOfTheTest');
    const plain = hostIn(folder.path).host;
    await plain.prepare({ generation: 1, plugins: [inline(9)] });
    expect(await plain.viewConfig(9, question)).toEqual({ a: 1 });
  });
});
