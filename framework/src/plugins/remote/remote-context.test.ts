import { createPluginChains } from '@bifrost/core';
import { PluginError } from '@bifrost/sdk';
import type { LLMRequest } from '@bifrost/sdk';
import { describe, expect, it, vi } from 'vitest';
import { entry as entryOf, hostIn, pluginFolder } from '../__tests__/plugin-folder.ts';
import { connectRemotePlugin } from './connect-remote-plugin.ts';
import { facts, remotePlugin, request, trace } from './__tests__/remote-fixture.ts';
import { createSharedStateBuffer } from '../shared-state/layout.ts';

describe.each(['worker', 'process'] as const)('the context in isolation: %s', (isolation) => {
  it('has facts, config, log, values, state, and what a plugin says through it arrives', async () => {
    const source = `export default { name: 'p',
      preRequestHook(c) {
        c.state.set('list', [1]);
        c.setValue('own', { a: 1 }); c.setValue('p/full', 2);
        c.setTraceAttribute('why', 'x'); c.addRoutingNote('because');
        return { model: [c.config.suffix, c.facts.requestId, c.getValue('other/team'), c.facts.provider].join() };
      },
      preLLMHook(c) {
        c.state.get('list').push(2);
        c.log.warn('seen', { n: c.state.get('list').length });
        return { error: { statusCode: 400, origin: 'plugin', message: JSON.stringify([c.getValue('own'), c.getValue('full'), c.getValue('other/team'), c.facts.provider, c.state.get('list')]) } };
      },
      postLLMHook(c) { c.setValue('other/team', 'stolen'); } }`;
    await using fixture = await remotePlugin(isolation, source, { entry: { config: { suffix: 's' } } });
    const values: unknown[] = [];
    const other = {
      name: 'other',
      hooks: {
        preRequestHook: (c: { setValue(k: string, v: string): void }) => c.setValue('team', 'red'),
        preLLMHook: (c: { getValue(k: string): unknown }) =>
          void values.push(c.getValue('p/own'), c.getValue('p/full')),
      },
    };
    const channel = await fixture.plugin.openChannel();
    const connected = connectRemotePlugin(fixture.plugin.description, channel, { name: 'p' });
    const base = { config: {}, self: {}, isGuard: false, placement: 'post_builtin', shared: {} } as const;
    const lines: string[] = [];
    const log = (level: string, message: string): void => void lines.push(`${level} ${message}`);
    const chains = createPluginChains([
      { ...base, ...other, order: 0, log } as never,
      { ...base, name: 'p', hooks: connected.hooks, onRequestEnd: connected.onRequestEnd, order: 1, log } as never,
    ]);
    const run = chains.open(facts, {}, new AbortController().signal);
    expect(await run?.preRequest(request)).toEqual({ model: 's,request-1,red,' });
    run?.update({ provider: 'openai', model: 'gpt' });
    const outcome = await run?.preLLM(request);
    expect(JSON.parse(outcome?.error?.message ?? '')).toEqual([{ a: 1 }, 2, 'red', 'openai', [1, 2]]);
    expect(values).toEqual([{ a: 1 }, 2]);
    await run?.postLLM({ request, statusCode: 200, latencyMs: 1 });
    expect(lines.join()).toContain('a plugin writes only its own values');
    expect(connected.size).toEqual({ calls: 0, requests: 1, streams: 0 });
    run?.finish(trace);
    expect(connected.size.requests).toBe(0);
    // What a plugin logs has a way of its own: it may arrive after the answer.
    await vi.waitFor(() => expect(fixture.lines).toContain('warn seen'));
    connected.close();
  });

  it('knows the model of the request and the catalogue that it was started with', async () => {
    const prices = { inputUsdNano: 3, outputUsdNano: 5 };
    const source = `export default { name: 'p', preLLMHook: (c) => ({ error: { statusCode: 400, origin: 'plugin',
      message: JSON.stringify([c.getModelInfo()?.contextWindow, c.calculateCost({ inputTokens: 2, outputTokens: 1 }), c.getModelInfo('a', 'b')?.contextWindow, c.getModelInfo('no', 'no') ?? null]) } }) }`;
    const models = [{ provider: 'a', model: 'b', contextWindow: 7 }];
    await using fixture = await remotePlugin(isolation, source, { start: { models } });
    const { description } = fixture.plugin;
    const connected = connectRemotePlugin(description, await fixture.plugin.openChannel(), {
      name: 'p',
      getModelInfo: (provider, model) => ({ provider, model, contextWindow: 9, prices }),
    });
    const instance = { name: 'p', hooks: connected.hooks, config: {}, self: {}, isGuard: false, placement: 'builtin' };
    const chains = createPluginChains([{ ...instance, order: 0, shared: {}, log: () => undefined } as never]);
    const run = chains.open({ ...facts, provider: 'x', model: 'y' }, {}, new AbortController().signal);
    expect(JSON.parse((await run?.preLLM(request))?.error?.message ?? '')).toEqual([9, 11, 7, null]);
    connected.close();
  });

  it('aborts the signal when the client goes, and when the deadline passes; what late code writes is lost', async () => {
    const source = `const until = (signal) => new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      export default { name: 'p',
        preRequestHook: async (c) => { c.log.info('waits'); await until(c.signal); c.log.info('gone: ' + c.signal.reason.message); return { model: 'late' }; },
        preLLMHook: { timeoutMs: 100, async handler(c) { c.state.set('kept', 1); await until(c.signal); c.setValue('late', 1); c.state.set('late', 1); c.log.info('expired'); } },
        postLLMHook: (c) => ({ error: { statusCode: 400, origin: 'plugin', message: String([c.getValue('late'), c.state.get('kept'), c.state.get('late')]) } }) }`;
    await using fixture = await remotePlugin(isolation, source);
    const client = new AbortController();
    const run = fixture.open({}, client.signal);
    const routing = run.preRequest(request);
    await expect.poll(() => fixture.lines).toContain('info waits');
    client.abort(new Error('x'));
    expect(await routing).toEqual({ model: 'late' });
    await expect.poll(() => fixture.lines).toContain('info gone: the client has gone');
    run.finish(trace);
    const second = fixture.open();
    expect(await second.preLLM(request)).toBeUndefined();
    expect(fixture.lines).toContain('error plugin p: preLLMHook did not settle within 100 ms');
    await expect.poll(() => fixture.lines).toContain('info expired');
    const outcome = await second.postLLM({ request, statusCode: 200, latencyMs: 1 });
    expect(outcome?.error?.message).toBe(',1,');
    second.finish(trace);
  });

  it('fails as an inline plugin does: the same words for what is thrown or wrong', async () => {
    const source = `export default { name: 'p', preLLMHook: async (c, r) => {
      switch (r.model) {
        case 'error': throw new RangeError('too far');
        case 'text': throw 'a text';
        case 'number': throw 42;
        case 'frozen': r.model = 'x'; return;
      } },
      async preRequestHook(c, r) { switch (r.model) {
        case 'garbage': return 12;
        case 'member': return { modle: 'x' };
        case 'shape': return { error: { statusCode: 'x' } };
        case 'getter': return { get error() { throw new Error('no'); } };
      } } }`;
    const models = ['error', 'text', 'number', 'frozen', 'garbage', 'member', 'shape'];
    using folder = pluginFolder({ 'plugin.mjs': source });
    const inline = hostIn(folder.path);
    const generation = await inline.host.load([entryOf('p', 'plugin.mjs')]);
    await using fixture = await remotePlugin(isolation, source);
    const inlineRun = generation.chains?.open(facts, {}, new AbortController().signal);
    const run = fixture.open();
    inline.lines.length = 0;
    for (const model of models) {
      const asked: LLMRequest = { ...request, model };
      expect(await run.preRequest(asked)).toEqual(await inlineRun?.preRequest({ ...asked }));
      expect(await run.preLLM(asked)).toEqual(await inlineRun?.preLLM({ ...asked }));
    }
    const words = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith('error'));
    expect(words(fixture.lines)).toEqual(words(inline.lines));
    expect(words(fixture.lines)[0]).toContain('RangeError: too far (plugin.mjs:3)');
    expect(words(fixture.lines)).toHaveLength(models.length);
    expect(await run.preRequest({ ...request, model: 'getter' })).toBeUndefined();
    run.finish(trace);
    inlineRun?.finish(trace);
    await generation.retire();
  });

  it('tells of a result that cannot leave its realm', async () => {
    const cycle = `const a = { error: { statusCode: 1n } }; a.self = a; return a;`;
    const source = `export default { name: 'p', preLLMHook() { ${isolation === 'worker' ? 'return { error: () => 1 };' : cycle} } }`;
    await using fixture = await remotePlugin(isolation, source);
    expect(await fixture.open().preLLM(request)).toBeUndefined();
    expect(fixture.lines.join()).toContain('what it returned cannot leave its realm');
  });

  it('answers many calls of two threads at once, each with its own', async () => {
    const source = `export default { name: 'p', preRequestHook: async (c, r) => {
      await new Promise((resolve) => setTimeout(resolve, r.model.length)); return { model: r.model + c.facts.requestId }; } }`;
    await using fixture = await remotePlugin(isolation, source);
    const all = [fixture.chains, await fixture.connect()];
    const results = await Promise.all(
      Array.from({ length: 400 }, async (_, index) => {
        const run = all[index % 2]?.open({ ...facts, requestId: String(index) }, {}, new AbortController().signal);
        const outcome = await run?.preRequest({ ...request, model: 'x'.repeat(index % 9) });
        run?.finish(trace);
        return outcome?.model;
      }),
    );
    expect(results).toEqual(results.map((_, index) => 'x'.repeat(index % 9) + String(index)));
  });
});

describe('shared state', () => {
  it('of a worker is that of all threads', async () => {
    const shared = createSharedStateBuffer();
    const source = `export default { name: 'p', init(c) { c.shared.add('n', 5); }, preRequestHook: (c) => ({ model: 'n' + c.shared.add('n') }) }`;
    await using first = await remotePlugin('worker', source, { start: { shared } });
    await using second = await remotePlugin('worker', source, { start: { shared } });
    expect(await first.open().preRequest(request)).toEqual({ model: 'n11' });
    expect(await second.open().preRequest(request)).toEqual({ model: 'n12' });
  });

  it('of a process is its own', async () => {
    const source = `export default { name: 'p', preRequestHook: (c) => ({ model: 'n' + c.shared.add('n') }) }`;
    await using fixture = await remotePlugin('process', source, { start: { shared: createSharedStateBuffer() } });
    expect(await fixture.open().preRequest(request)).toEqual({ model: 'n1' });
  });
});

describe.each(['worker', 'process'] as const)('a load that fails in isolation: %s', (isolation) => {
  it.each([
    ['a throwing module', `throw new Error('at once');`],
    ['no hook', `export default { name: 'p' };`],
    ['a misspelt hook', `export default { name: 'p', preLLMHok() {} };`],
    ['a wrong option', `export default { name: 'p', preLLMHook: { handler() {}, timeoutMs: -1 } };`],
    ['a failing init', `export default { name: 'p', async init() { throw new Error('no key'); }, preLLMHook() {} };`],
    ['another API', `export default { name: 'p', apiVersion: 'v9', preLLMHook() {} };`],
    ['a missing import', `import './missing.mjs'; export default {};`],
    ['a syntax error', `export default {{;`],
  ])('says what an inline load says: %s', async (_what, source) => {
    using folder = pluginFolder({ 'plugin.mjs': source });
    const { host } = hostIn(folder.path);
    await host.load([entryOf('p', 'plugin.mjs')]);
    const [status] = host.status();
    const error: unknown = await remotePlugin(isolation, source).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PluginError);
    const anonymous = (text: string | undefined): string | undefined =>
      text?.replaceAll(/[^\s()]*\/bifrost-plugins-\w+/g, '');
    const { message, code } = error as PluginError;
    expect({ message: anonymous(message), code }).toEqual({ message: anonymous(status?.message), code: status?.code });
  });

  it.each([
    ['in its module', `while (true);`, 'its module was not loaded within 100 ms'],
    [
      'in init',
      `export default { name: 'p', init() { while (true); }, preLLMHook() {} };`,
      'init did not end within 100 ms',
    ],
  ])('ends a plugin that blocks %s', async (_where, source, words) => {
    const started = remotePlugin(isolation, source, { start: { initTimeoutMs: 100, graceMs: 200 } });
    await expect(started).rejects.toThrow(words);
  });

  it('names the exit of a realm that ends while it loads', async () => {
    const crash =
      isolation === 'worker'
        ? ''
        : `process.permission.drop('fs.read'); import('node:fs').then((fs) => { fs.closeSync(3); });`;
    const source = `${crash} await new Promise(() => undefined);`;
    const started = remotePlugin(isolation, source, { start: { initTimeoutMs: 300 } });
    await expect(started).rejects.toThrow(isolation === 'worker' ? 'was not loaded within 300 ms' : 'plugin p: ');
  });
});
