import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { PluginChains } from '@bifrost/core';
import { afterEach, describe, expect, it } from 'vitest';
import { entry, hostIn, pluginFolder } from '../__tests__/plugin-folder.ts';
import { guardProcess } from './guard-process.ts';
import { IntrinsicsGuard } from './intrinsics-guard.ts';

const facts = { requestId: 'r', requestType: 'chat_completion', method: 'POST', path: '/', isStream: false };
const trace = { facts, statusCode: 200, startedAt: 0, latencyMs: 1, attempts: [], lane: 'none' } as const;

async function ask(chains: PluginChains | null): Promise<unknown> {
  const run = chains?.open(facts, {}, new AbortController().signal);
  const outcome = await run?.preRequest({ model: 'm', isStream: false, fallbacks: [] });
  run?.finish(trace);
  return outcome?.model;
}

let takeAway: (() => void) | undefined;
afterEach(() => {
  takeAway?.();
  takeAway = undefined;
});

describe('calls that would hit the whole process', () => {
  it.each([
    ['exit()', 'process.exit(3)'],
    ['exit() of node:process', "import('node:process').then(({ exit }) => exit(3))"],
    ['kill()', "process.kill(process.pid, 'SIGKILL')"],
    ['abort()', 'process.abort()'],
    ['chdir()', "process.chdir('/')"],
    ['umask()', 'process.umask(0)'],
  ])('%s is refused in a hook and the plugin named', async (_name, call) => {
    takeAway = guardProcess();
    using folder = pluginFolder({ 'p.mjs': `export const preRequestHook = async () => { await ${call}; };` });
    const { host, lines } = hostIn(folder.path);
    const generation = await host.load([entry('p', './p.mjs')]);
    expect(await ask(generation.chains)).toBeUndefined();
    expect(lines.at(-1)).toMatch(/^error plugin p: preRequestHook PluginError: plugin p: process\.\w+\(\) is refused/);
    await generation.retire();
  });

  it('is refused where a timer or the module itself calls', async () => {
    takeAway = guardProcess();
    using folder = pluginFolder({
      'timer.mjs': `export const preRequestHook = () => new Promise((resolve) => setTimeout(() => {
        try { process.exit(3); } catch (error) { resolve({ model: error.code }); } }, 1));`,
      'module.mjs': `process.exit(4); export const inject = () => {};`,
    });
    const { host } = hostIn(folder.path);
    const generation = await host.load([entry('timer', './timer.mjs'), entry('module', './module.mjs')]);
    expect(await ask(generation.chains)).toBe('BF_PLUGIN_PROCESS_CALL');
    expect(host.status()[1]).toMatchObject({
      state: 'error',
      message: expect.stringContaining('process.exit() is refused'),
    });
    await generation.retire();
  });

  it('is left alone where no plugin calls, and where it only asks', async () => {
    takeAway = guardProcess();
    const before = process.cwd();
    using folder = pluginFolder({
      'p.mjs': `export const preRequestHook = () => ({ model: String(process.umask()) });`,
    });
    try {
      process.chdir('/');
    } catch (error) {
      // Threads have none.
      expect(error).toMatchObject({ code: 'ERR_WORKER_UNSUPPORTED_OPERATION' });
    }
    if (process.cwd() !== before) process.chdir(before);
    const generation = await hostIn(folder.path).host.load([entry('p', './p.mjs')]);
    expect(await ask(generation.chains)).toBe(String(process.umask()));
  });

  it('is as before once the guard is taken away, by both ways to it', async () => {
    const callsOf = (target: object): readonly unknown[] => ['exit', 'kill'].map((name) => Reflect.get(target, name));
    const originals = callsOf(process);
    const release = guardProcess();
    expect(callsOf(process)).not.toEqual(originals);
    release();
    expect(callsOf(process)).toEqual(originals);
    expect(callsOf(await import('node:process'))).toEqual(originals);
  });
});

describe('what is closed for good', () => {
  it('takes no new member and no other method, and nothing else in the realm is hindered', async () => {
    const script = `
      import { IntrinsicsGuard } from ${JSON.stringify(new URL('./intrinsics-guard.ts', import.meta.url).href)};
      new IntrinsicsGuard().close();
      const tries = [
        () => { Object.prototype.polluted = 1; },
        () => { Object.defineProperty(Object.prototype, 'x', { value: 1 }); },
        () => { ({}).__proto__.y = 1; },
        () => { JSON.parse = () => 1; },
        () => { Math.max = () => 1; },
        () => { Reflect.own = 1; },
      ];
      const refused = tries.map((attempt) => { try { attempt(); return 'done'; } catch (error) { return error.name; } });
      const own = {}; own.toString = () => 'own'; own.constructor = 1; own.hasOwnProperty = 2;
      class Child { valueOf() { return 7; } }
      const parsed = JSON.parse('{"__proto__":{"polluted":1},"toString":1}');
      console.log(JSON.stringify({ refused, own: String(own), child: +new Child(), polluted: 'polluted' in {}, parsed: parsed.toString }));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(JSON.parse(stdout)).toEqual({
      refused: Array(6).fill('TypeError'),
      own: 'own',
      child: 7,
      polluted: false,
      parsed: 1,
    });
  });
});

describe('changes of what all code shares', () => {
  it.each([
    ['a new member of a prototype', 'Object.prototype.polluted = 1', 'Object.prototype.polluted'],
    ['another method', 'Array.prototype.copyWithin = () => []', 'Array.prototype.copyWithin'],
    [
      'another accessor',
      "Object.defineProperty(DataView.prototype, 'byteLength', { get: () => 0 })",
      'DataView.prototype.byteLength',
    ],
    ['another function of a namespace', 'Math.cosh = () => 0', 'Math.cosh'],
    ['a member that is gone', 'delete String.prototype.anchor', 'String.prototype.anchor'],
    ['a symbol', 'RegExp.prototype[Symbol.matchAll] = () => []', 'RegExp.prototype[Symbol(Symbol.matchAll)]'],
  ])('are found, undone and charged: %s', async (_name, code, path) => {
    const intrinsics = new IntrinsicsGuard();
    using folder = pluginFolder({
      'quiet.mjs': `export const preRequestHook = { filter: { path: '/never' }, handler() {} };`,
      'p.mjs': `export const preRequestHook = () => { ${code}; };`,
    });
    const { host, lines } = hostIn(folder.path, { intrinsics });
    const generation = await host.load([entry('quiet', './quiet.mjs'), entry('p', './p.mjs')]);
    host.checkIntrinsics();
    await ask(generation.chains);
    host.checkIntrinsics();
    expect(intrinsics.check()).toEqual([]);
    expect(lines.at(-1)).toBe(`error plugin p: it changed ${path}, which all code shares; that was undone`);
    expect(host.status().map(({ name, state }) => `${name} ${state}`)).toEqual(['quiet active', 'p degraded']);
    await generation.retire();
  });

  it('are charged at once to the plugin whose loading made them', async () => {
    using folder = pluginFolder({ 'p.mjs': `Object.prototype.polluted = 1; export const inject = () => {};` });
    const { host } = hostIn(folder.path, { intrinsics: new IntrinsicsGuard() });
    await host.load([entry('p', './p.mjs')]);
    expect(host.status()).toMatchObject([
      { state: 'degraded', message: expect.stringContaining('Object.prototype.polluted') },
    ]);
    expect({}).not.toHaveProperty('polluted');
  });

  it('are charged to all that were called where it cannot be told', async () => {
    using folder = pluginFolder({
      'a.mjs': `export const preRequestHook = () => {};`,
      'b.mjs': `export const preRequestHook = () => { Object.prototype.polluted = 1; };`,
    });
    const { host } = hostIn(folder.path, { intrinsics: new IntrinsicsGuard() });
    const generation = await host.load([entry('a', './a.mjs'), entry('b', './b.mjs')]);
    await ask(generation.chains);
    host.checkIntrinsics();
    expect(host.status().map(({ message }) => message)).toEqual(
      Array(2).fill('one of a, b changed Object.prototype.polluted, which all code shares; that was undone'),
    );
  });

  it('that were made permanent are said to be so', () => {
    const intrinsics = new IntrinsicsGuard();
    const realm = Symbol('permanent');
    Object.defineProperty(WeakRef, realm, { value: 1 });
    expect(intrinsics.check()).toEqual([{ path: 'WeakRef[Symbol(permanent)]', isUndone: false }]);
  });
});
