import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { survivors } from '../__tests__/collect-garbage.ts';
import { entry, pluginFolder } from '../__tests__/plugin-folder.ts';
import type { PluginEntry } from '../plugin-entry.ts';
import { connectRemote } from '../remote/connect-remote.ts';
import type { RemotePlugin } from '../remote/remote-plugin.ts';
import { answers, lifeOf, setUp, settled, tagging } from './__tests__/managed.ts';
import { RemoteLoads } from './remote-loads.ts';

const reloads = 30;

/** A plugin elsewhere that nobody calls; `ports` counts the channels that are open. */
function farPlugin(ports: { open: number }): RemotePlugin {
  return {
    description: { isGuard: false, hooks: { preRequestHook: {} } },
    openChannel() {
      const { port1, port2 } = new MessageChannel();
      ports.open += 1;
      port1.on('close', () => (ports.open -= 1));
      port1.unref();
      return Promise.resolve({ kind: 'port', port: port2 });
    },
    onExit: () => undefined,
    memoryBytes: () => undefined,
    cpuLoad: () => undefined,
    close: () => Promise.resolve(),
  };
}

describe('a plugin that is reloaded again and again', () => {
  it('elsewhere leaves nothing of its replaced loads, neither in the manager nor in the threads', async () => {
    using folder = pluginFolder();
    const ports = { open: 0 };
    const plugins: WeakRef<RemotePlugin>[] = [];
    const { manager, group } = setUp(folder.path, {
      host: { connectRemote },
      startRemote: {
        worker: () => {
          const plugin = farPlugin(ports);
          plugins.push(new WeakRef(plugin));
          return Promise.resolve(plugin);
        },
      },
    });
    const configs: WeakRef<object>[] = [];
    const next = (): PluginEntry => {
      const config = { number: configs.length };
      configs.push(new WeakRef(config));
      return entry('far', './far.mjs', { isolation: 'worker', probationMs: 0, config });
    };
    await manager.load([next()]);
    const chains: WeakRef<object>[] = [];
    for (let reload = 0; reload < reloads; reload += 1) {
      chains.push(...group.chains.flatMap((one) => (one === null ? [] : new WeakRef(one))));
      await manager.update(next());
      await settled();
    }
    expect(plugins).toHaveLength(reloads + 1);
    expect(chains).toHaveLength(2 * reloads);
    expect(await survivors(plugins, 1)).toBe(1);
    // That which serves, and that which the last change replaced.
    expect(await survivors(configs, 2)).toBeLessThanOrEqual(2);
    expect(await survivors(chains, 0)).toBe(0);
    await expect.poll(() => ports.open).toBe(2);
    await manager.refresh();
    // One for all threads; each thread counts its connection to it.
    expect(manager.counts).toEqual({ inits: 3 * (reloads + 1), cleanups: 3 * reloads, live: 3 });
    await manager.close();
  });

  it('in the threads leaves its chains to the collector', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a') });
    const setup = setUp(folder.path);
    await setup.manager.load([entry('a', './a.mjs', { probationMs: 0 })]);
    const chains: WeakRef<object>[] = [];
    for (let reload = 0; reload < reloads; reload += 1) {
      expect(await answers(setup)).toEqual(['a', 'a']);
      chains.push(...setup.group.chains.flatMap((one) => (one === null ? [] : new WeakRef(one))));
      await setup.manager.reload('a');
      await settled();
    }
    expect(await survivors(chains, 0)).toBe(0);
    lifeOf();
    await setup.manager.close();
  });
});

describe('a version that is gone', () => {
  it('is named where its cleanup stands still, and its plugin serves on', async () => {
    using folder = pluginFolder({ 'a.mjs': tagging('a'), 'b.mjs': tagging('b') });
    const setup = setUp(folder.path);
    const { manager, group } = setup;
    await manager.load([entry('a', './a.mjs', { probationMs: 0 }), entry('b', './b.mjs')]);
    const [a, b] = manager.list().map(({ load }) => load);
    await manager.reload('a');
    await manager.remove('b');
    const blame = (loading = 0): string | undefined =>
      group.observer?.onFault({ thread: 1, what: 'blocked serving thread 1 for 1.2 s', running: 0, loading });
    expect([blame(a), blame(b), blame(9_999_999)]).toEqual(['a', 'b', undefined]);
    expect(manager.list()).toMatchObject([
      { state: 'active', message: 'a version of it that does not serve any more blocked serving thread 1 for 1.2 s' },
    ]);
    expect(await answers(setup)).toEqual(['a', 'a']);
    expect(group.observer?.hasInlinePlugins).toBe(true);
    lifeOf();
  });
});

describe('what runs outside the serving threads', () => {
  const load = (loads: RemoteLoads, number = 1): ReturnType<RemoteLoads['create']> =>
    loads.create(number, {
      start: () => Promise.resolve(farPlugin({ open: 0 })),
      isPerThread: false,
      onExit: () => undefined,
    });

  it('is kept for as long as a plan or a thread has it', async () => {
    const loads = new RemoteLoads();
    const first = load(loads);
    await first.start();
    await first.sourceFor(7);
    first.retire();
    await settled();
    expect([loads.size, loads.counts]).toEqual([1, { inits: 1, cleanups: 0, live: 1 }]);
    loads.release(7, 1);
    await settled();
    expect([loads.size, loads.counts]).toEqual([0, { inits: 1, cleanups: 1, live: 0 }]);
  });

  it('is found again where a plan that was on its way asks for what was let go', async () => {
    const loads = new RemoteLoads();
    const first = load(loads);
    await first.start();
    first.retire();
    await settled();
    expect(loads.size).toBe(0);
    expect(await first.sourceFor(7)).toMatchObject({ kind: 'remote' });
    expect([loads.size, loads.counts.live]).toEqual([1, 1]);
    loads.releaseAll(7);
    await settled();
    expect([loads.size, loads.counts]).toEqual([0, { inits: 2, cleanups: 2, live: 0 }]);
  });
});
