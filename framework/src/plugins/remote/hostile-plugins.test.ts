import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { remotePlugin, request, trace } from './__tests__/remote-fixture.ts';
import type { FixtureOptions } from './__tests__/remote-fixture.ts';

const quick: FixtureOptions = { start: { graceMs: 200 } };
const megabyte = 1_048_576;

/** A plugin that does `what` when it is called for the model `bad`, and is right otherwise. */
const hostile = (
  what: string,
  options = 'timeoutMs: 300,',
): string => `export default { name: 'p', preRequestHook: { ${options}
  async handler(c, r) { if (r.model === 'bad') { ${what} } return { model: 'fine' }; } } };`;

/** Runs a request that goes wrong, and shows that the plugin works on after it. */
describe.each(['worker', 'process'] as const)('a hostile plugin in isolation: %s', (isolation) => {
  it.each([
    ['throws', `throw new Error('x');`, 'Error: x'],
    ['rejects', `await Promise.reject(new TypeError('y'));`, 'TypeError: y'],
    ['returns garbage', `return { model: 7 };`, 'returned a wrong value'],
    ['never resolves', `await new Promise(() => undefined);`, 'did not settle within 300 ms'],
    ['calls process.exit', `process.exit(3);`, 'process.exit() is refused'],
    ['calls an imported exit', `(await import('node:process')).exit(3);`, 'process.exit() is refused'],
    ['calls process.reallyExit', `process.reallyExit(3);`, 'process.reallyExit() is refused'],
    ['calls process.abort', `process.abort();`, 'process.abort() is refused'],
    ['kills itself', `process.kill(process.pid, 'SIGKILL');`, 'process.kill() is refused'],
    ['kills its parent', `process.kill(process.ppid, 'SIGKILL');`, 'process.kill() is refused'],
    ['kills by the inner name', `process._kill(process.ppid, 9);`, 'process._kill() is refused'],
    ['changes priorities', `(await import('node:os')).setPriority(process.ppid, 19);`, 'os.setPriority() is refused'],
    [
      'sets flags',
      `(await import('node:v8')).setFlagsFromString('--expose-gc');`,
      'v8.setFlagsFromString() is refused',
    ],
    ['asks for bindings', `process.binding('fs');`, 'process.binding() is refused'],
  ])('that %s is contained, named and called again', async (_what, code, words) => {
    await using fixture = await remotePlugin(isolation, hostile(code), quick);
    const run = fixture.open();
    expect(await run.preRequest({ ...request, model: 'bad' })).toBeUndefined();
    expect(fixture.lines.join('\n')).toContain(words);
    expect(await run.preRequest(request)).toEqual({ model: 'fine' });
    run.finish(trace);
  });

  it.each([
    ['a rejection that nobody handles', `void Promise.reject(new Error('lost'));`],
    ['a throw in a timer', `setTimeout(() => { throw new Error('lost'); });`],
    ['a throw in a microtask', `queueMicrotask(() => { throw new Error('lost'); });`],
  ])('that leaves %s behind is charged with it and lives', async (_what, code) => {
    await using fixture = await remotePlugin(isolation, hostile(code), quick);
    expect(await fixture.open().preRequest({ ...request, model: 'bad' })).toEqual({ model: 'fine' });
    await expect.poll(() => fixture.escapes).toEqual(['Error: lost (plugin.mjs:2)']);
    expect(await fixture.open().preRequest(request)).toEqual({ model: 'fine' });
  });

  it('that pollutes prototypes changes nothing outside', async () => {
    const pollution = `Object.prototype.polluted = 1; Array.prototype.push = () => 0; Object.prototype.kind = 'abort';
      return JSON.parse('{"model":"x","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');`;
    await using fixture = await remotePlugin(isolation, hostile(pollution), quick);
    const outcome = await fixture.open().preRequest({ ...request, model: 'bad' });
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
    expect((outcome as { polluted?: number } | undefined)?.polluted).toBeUndefined();
    expect([].push).not.toBe(undefined);
    const list: number[] = [];
    expect(list.push(1)).toBe(1);
  });

  it.each([
    ['a loop', `while (true);`],
    ['a loop of microtasks', `const again = () => queueMicrotask(again); again(); await new Promise(() => undefined);`],
    ['a regular expression', `/^(a+)+$/.test('a'.repeat(64) + 'b');`],
    ['Atomics.wait', `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`],
  ])('that blocks in %s is ended, with what it blocked in', async (_what, code) => {
    await using fixture = await remotePlugin(isolation, hostile(code), quick);
    const startedAt = performance.now();
    const run = fixture.open();
    const others = fixture.open().preRequest(request);
    expect(await run.preRequest({ ...request, model: 'bad' })).toBeUndefined();
    await others;
    const exit = await fixture.exit();
    expect(exit.reason).toMatch(/^was ended: a call blocked it for [\d.]+ s$/);
    if (!code.includes('again')) expect(exit.hook).toBe('preRequestHook');
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    // While it is gone, calls fail at once.
    const before = performance.now();
    expect(await fixture.open().preRequest(request)).toBeUndefined();
    expect(performance.now() - before).toBeLessThan(250);
    expect(fixture.lines.join('\n')).toContain('plugin "p" is not running: ');
    await expect(fixture.plugin.openChannel()).rejects.toThrow('it is not running: was ended');
  });

  it.each([
    ['a growing Map', `const m = new Map(); for (let i = 0; ; i += 1) m.set(i, { i });`],
    [
      'growing Buffers',
      `const all = []; for (;;) { all.push(Buffer.alloc(1e6, 1)); if (all.length % 50 === 0) await new Promise(setImmediate); }`,
    ],
    ['strings', `const all = []; for (let i = 0; ; i += 1) all.push('x'.repeat(1000) + i);`],
  ])('that fills memory with %s is ended', async (_what, code) => {
    const entry = { memoryLimitBytes: 192 * megabyte };
    await using fixture = await remotePlugin(isolation, hostile(code, 'timeoutMs: 20000,'), { ...quick, entry });
    const run = fixture.open();
    expect(await run.preRequest({ ...request, model: 'bad' })).toBeUndefined();
    const exit = await fixture.exit();
    expect(exit.reason).toMatch(/its memory passed 192 MB|ran out of memory/);
  });
});

describe.each(['worker', 'process'] as const)('the processor time of a plugin in isolation: %s', (isolation) => {
  /** Works for `busyMs` of every 50 ms, and answers all the while. */
  const working = (busyMs: number): string => `setInterval(() => {
    const end = performance.now() + ${busyMs}; while (performance.now() < end);
  }, 50);
  export default { name: 'p', preRequestHook: () => ({ model: 'fine' }) };`;

  it('is bounded: what burns more than it may is ended, though it never blocks a call', async () => {
    const options = { start: { cpuWindowMs: 1000 }, entry: { cpuLimit: 0.1 } };
    await using fixture = await remotePlugin(isolation, working(40), options);
    expect(await fixture.open().preRequest(request)).toEqual({ model: 'fine' });
    expect(await fixture.exit()).toEqual({
      reason: 'was ended: it used more than 0.1 of a processor over 1 s (`cpu_limit`)',
    });
  });

  it('is shown, and one that keeps to it lives', async () => {
    const options = { start: { cpuWindowMs: 500 }, entry: { cpuLimit: 0.95 } };
    await using fixture = await remotePlugin(isolation, working(5), options);
    await expect.poll(() => fixture.plugin.cpuLoad(), { timeout: 10_000 }).toBeGreaterThan(0.02);
    expect(await fixture.open().preRequest(request)).toEqual({ model: 'fine' });
    expect(fixture.plugin.cpuLoad()).toBeLessThan(0.95);
  });
});

describe('in a thread', () => {
  it('a call of the system that does not return is left to itself, and told', async () => {
    const code = `(await import('node:child_process')).execSync('sleep 6');`;
    await using fixture = await remotePlugin('worker', hostile(code), quick);
    const startedAt = performance.now();
    expect(await fixture.open().preRequest({ ...request, model: 'bad' })).toBeUndefined();
    expect((await fixture.exit()).reason).toContain('a call blocked it');
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });
});

describe('in a worker', () => {
  it('what a library posts to the parent of the thread is left alone; words of the runner that are none end it', async () => {
    const code = `const { parentPort } = await import('node:worker_threads');
      for (const stray of [null, 'ready', 5, [], { kind: 'hello' }]) parentPort.postMessage(stray);
      if (r.isStream) parentPort.postMessage({ kind: 'escape', message: { toString: 1 } }); return { model: 'fine' };`;
    await using fixture = await remotePlugin('worker', hostile(code), quick);
    expect(await fixture.open().preRequest({ ...request, model: 'bad' })).toEqual({ model: 'fine' });
    expect(await fixture.open().preRequest(request)).toEqual({ model: 'fine' });
    await fixture.open().preRequest({ ...request, model: 'bad', isStream: true });
    expect((await fixture.exit()).reason).toContain('was ended: it posted what is no message');
  });
});

describe('in a process', () => {
  const inProcess = (code: string, options: FixtureOptions = quick): ReturnType<typeof remotePlugin> =>
    remotePlugin('process', hostile(code), options);

  it('one giant allocation is survived', async () => {
    const code = `globalThis.x = Buffer.alloc(3e9, 1);`;
    await using fixture = await inProcess(code, { entry: { memoryLimitBytes: 192 * megabyte } });
    expect(await fixture.open().preRequest({ ...request, model: 'bad' })).toBeUndefined();
    expect((await fixture.exit()).reason).toMatch(/memory|SIGKILL/);
  });

  it('a call of the system that does not return is ended, with all that it has started', async () => {
    const code = `(await import('node:child_process')).execSync('exec sleep 1234.5');`;
    await using fixture = await inProcess(code, { ...quick, entry: { capabilities: { childProcess: true } } });
    expect(await fixture.open().preRequest({ ...request, model: 'bad' })).toBeUndefined();
    expect((await fixture.exit()).reason).toContain('a call blocked it');
    expect(execFileSync('ps', ['-eo', 'args']).toString()).not.toContain('sleep 1234.5');
  });

  it('a crash in native code is survived and named', async () => {
    const code = `const ffi = (await import('node:ffi')); ffi.dlopen(null, { abs: { arguments: ['i32'], return: 'i32' } }); ffi.getInt32(8n);`;
    await using fixture = await inProcess(code, { ...quick, entry: { capabilities: { native: true } } });
    expect(await fixture.open().preRequest({ ...request, model: 'bad' })).toBeUndefined();
    const exit = await fixture.exit();
    expect(exit.reason).toContain('crashed (SIGSEGV');
  });

  it.each([
    ['garbage to the control connection', 3, `'x'.repeat(64)`],
    ['a message of endless length to the control connection', 3, `Buffer.from([255, 255, 255, 255])`],
    ['JSON that is no list', 3, `Buffer.concat([Buffer.from([6, 0, 0, 0, 2, 0, 0, 0]), Buffer.from('{}')])`],
  ])('who writes %s is ended, and nobody else', async (_what, descriptor, bytes) => {
    const code = `(await import('node:fs')).writeSync(${descriptor}, ${bytes}); await new Promise(() => undefined);`;
    await using fixture = await inProcess(code);
    expect(await fixture.open().preRequest({ ...request, model: 'bad' })).toBeUndefined();
    expect((await fixture.exit()).reason).toContain('was ended: it wrote what is no message');
  });

  it.each([
    ['a failure without words', `{ kind: 'failed', code: 'C', message: 5 }`],
    ['a log line that is no text', `{ kind: 'log', level: 'info', message: { toString: 1 }, fields: {} }`],
    ['a connection to no host', `{ kind: 'connect', connection: { valueOf: 1 }, host: { toString: 1 }, port: 1 }`],
  ])('who says %s in the name of its runner is ended, and nobody else', async (_what, message) => {
    const code = `const json = Buffer.from(JSON.stringify([${message}])); const head = Buffer.alloc(8);
      head.writeUInt32LE(json.length + 4, 0); head.writeUInt32LE(json.length, 4);
      (await import('node:fs')).writeSync(3, Buffer.concat([head, json])); await new Promise(() => undefined);`;
    await using fixture = await inProcess(code);
    expect(await fixture.open().preRequest({ ...request, model: 'bad' })).toBeUndefined();
    expect((await fixture.exit()).reason).toContain('was ended: it wrote what is no message');
  });

  it('garbage in every descriptor that it holds harms nobody but itself', async () => {
    const code = `const fs = await import('node:fs');
      for (let fd = 3; fd < 40; fd += 1) { try { fs.writeSync(fd, Buffer.from([1, 0, 0, 0, 91])); } catch {} try { fs.ftruncateSync(fd, 0); } catch {} try { fs.closeSync(fd); } catch {} }
      while (true);`;
    await using fixture = await inProcess(code);
    expect(await fixture.open().preRequest({ ...request, model: 'bad' })).toBeUndefined();
    expect((await fixture.exit()).reason).not.toBe('');
  });

  it('holds no file that it could fill past the limit of its memory', async () => {
    const code = `const fs = await import('node:fs'); const files = [];
      for (let fd = 0; fd < 64; fd += 1) { try { if (fs.fstatSync(fd).isFile()) files.push(fd); } catch {} }
      return { model: 'files: ' + files };`;
    await using fixture = await inProcess(code);
    expect(await fixture.open().preRequest({ ...request, model: 'bad' })).toEqual({ model: 'files: ' });
  });

  it('does not see the memory by which descriptors come to it', async () => {
    const code = `globalThis.seen = []; const original = DataView;
      for (const name of ['setBigUint64', 'setInt32', 'getInt32']) {
        const method = original.prototype[name];
        original.prototype[name] = function (...args) { seen.push(this.buffer.byteLength); return method.apply(this, args); };
      }
      globalThis.DataView = class extends original { constructor(buffer) { super(buffer); seen.push(buffer.byteLength); } };`;
    await using fixture = await inProcess(`if (r.isStream) return { model: 'seen: ' + seen }; ${code}`);
    await fixture.open().preRequest({ ...request, model: 'bad' });
    await fixture.connect();
    const answer = await fixture.open().preRequest({ ...request, model: 'bad', isStream: true });
    expect(answer).toEqual({ model: 'seen: ' });
  });

  it('standard output and error become lines of the log, cut where they have no end', async () => {
    const code = `console.log('to out'); console.error('to err'); process.stdout.write('y'.repeat(20000) + '\\n');`;
    await using fixture = await inProcess(code);
    await fixture.open().preRequest({ ...request, model: 'bad' });
    await expect.poll(() => fixture.lines).toContain('info to out');
    await expect.poll(() => fixture.lines).toContain('warn to err');
    await expect.poll(() => fixture.lines).toContain(`info ${'y'.repeat(8192)}`);
  });

  it('a flood of lines is bounded and counted', async () => {
    const code = `for (let i = 0; i < 30000; i += 1) c.log.info('flood'); await new Promise((resolve) => setTimeout(resolve, 1200)); c.log.info('after');`;
    await using fixture = await remotePlugin('process', hostile(code, ''), quick);
    await fixture.open().preRequest({ ...request, model: 'bad' });
    await expect.poll(() => fixture.lines, { timeout: 5000 }).toContain('info after');
    expect(fixture.lines.filter((line) => line === 'info flood').length).toBeLessThan(10_000);
    expect(fixture.lines.join('\n')).toMatch(/\d+ log lines were left out/);
  });
});
