import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { pluginFolder } from '../../__tests__/plugin-folder.ts';
import { serve, stopServers } from './__tests__/far-plugin.ts';
import type { Behaviour } from './__tests__/far-plugin.ts';
import { collectingLog, startProgram, TestSession } from './__tests__/grpc-session.ts';
import { parseGrpcAddress } from './grpc-address.ts';
import { parseHandshake } from './handshake.ts';
import { startGrpcPlugin } from './start-grpc-plugin.ts';
import type { RemoteExit } from '../remote-plugin.ts';

const orphanParent = fileURLToPath(new URL('./__tests__/orphan-grpc-parent.ts', import.meta.url));

afterEach(stopServers);

const failureOf = (started: Promise<unknown>): Promise<string> =>
  started.then(
    () => 'it was started',
    (error: unknown) => String(error),
  );

describe('a program that is no plugin', () => {
  it.each([
    [
      'prints something else',
      'console.log("Hello"); setInterval(() => {}, 1000)',
      'its first line is "Hello", expected one like 1|1|unix|',
    ],
    [
      'ends with words',
      'console.error("Traceback\\nNo module named grpc"); process.exitCode = 1;',
      'it exited with code 1 before it said where it listens; its last words: No module named grpc',
    ],
    [
      'ends with a stack',
      'import "no-such-package";',
      "it exited with code 1 before it said where it listens; its last words: Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'no-such-package'",
    ],
    ['ends', 'process.exit(3)', 'it exited with code 3 before it said where it listens'],
    ['says nothing', 'setInterval(() => {}, 1000)', 'it did not say within 700 ms where it listens'],
    [
      'speaks a later protocol',
      'console.log("1|7|unix|/x|grpc")',
      'it speaks version 7 of the plugin protocol; this gateway speaks 1',
    ],
    ['listens for everybody', 'console.log("1|1|tcp|0.0.0.0:1|grpc")', 'it listens on tcp "0.0.0.0:1"'],
    [
      'listens nowhere',
      'console.log("1|1|tcp|127.0.0.1:1|grpc"); setInterval(() => {}, 1000)',
      'no connection to 127.0.0.1:1 within 700 ms',
    ],
  ])('%s', async (_what, script, message) => {
    expect(await failureOf(startProgram({ script }, { initTimeoutMs: 700 }))).toContain(`plugin p: ${message}`);
  });

  it('is not there', async () => {
    const started = startProgram({ command: '/no/such/program', args: [], directory: '/' });
    expect(await failureOf(started)).toContain('it could not be started: there is no program /no/such/program');
  });

  it.each([
    ['is not executable', '#!/bin/sh\n', 0o644, 'it may not be executed: chmod +x'],
    [
      'names an interpreter that is not there',
      '#!/no/such/python\n',
      0o755,
      'its first line names /no/such/python, which is not there',
    ],
  ])('%s', async (_what, text, mode, message) => {
    using folder = pluginFolder({ 'plugin.py': text });
    const command = join(folder.path, 'plugin.py');
    chmodSync(command, mode);
    expect(await failureOf(startProgram({ command, args: [], directory: folder.path }))).toContain(message);
  });

  it('leaves nothing running', async () => {
    const script = `import { spawn } from 'node:child_process'; spawn('sleep', ['4242.5']); console.log('no');setInterval(() => {}, 1000)`;
    await failureOf(startProgram({ script }));
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(processes).not.toContain('sleep 4242.5');
  });
});

it.skipIf(process.platform !== 'linux')('a program that burns more processor time than it may is ended', async () => {
  const script = `setInterval(() => { const end = performance.now() + 40; while (performance.now() < end); }, 50);
    await import('./plugin.ts');`;
  await using started = await startProgram({ script }, { cpuLimit: 0.1, cpuWindowMs: 1000 });
  const exit = await new Promise<RemoteExit>((resolve) => started.plugin.onExit(resolve));
  expect(exit.reason).toBe('was ended: it used more than 0.1 of a processor over 1 s (`cpu_limit`)');
  expect(started.plugin.cpuLoad()).toBeGreaterThan(0.1);
});

describe('a program whose gateway is killed', () => {
  const isAlive = (pid: number): boolean => {
    try {
      // A zombie waits for whoever is its parent by now: it is dead.
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };

  it.skipIf(process.platform !== 'linux')('is ended with all that it started, though it hangs', async () => {
    using folder = pluginFolder();
    folder.write({
      'hanging.mjs': `
        import { spawn } from 'node:child_process';
        import { writeFileSync } from 'node:fs';
        const helper = spawn('sleep', ['3600'], { stdio: 'ignore' });
        writeFileSync(${JSON.stringify(join(folder.path, 'pids'))}, process.pid + ' ' + helper.pid);
        process.on('SIGTERM', () => {});
        process.stdout.write('1|1|tcp|127.0.0.1:1|grpc\\n', () => { while (true); });`,
    });
    const parent = spawn(process.execPath, [orphanParent, join(folder.path, 'hanging.mjs')], { stdio: 'ignore' });
    const pids = (): readonly number[] => {
      try {
        return readFileSync(join(folder.path, 'pids'), 'utf8').split(' ').map(Number);
      } catch {
        return [];
      }
    };
    await expect.poll(() => pids().length, { timeout: 10_000 }).toBe(2);
    expect(pids().map(isAlive)).toEqual([true, true]);
    parent.kill('SIGKILL');
    await expect.poll(() => pids().map(isAlive), { timeout: 5000 }).toEqual([false, false]);
  });

  it('leaves nothing behind that waits for its end, once it has ended by itself or was told to', async () => {
    const keepers = (): number =>
      execFileSync('ps', ['-eo', 'ppid,args'], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => line.includes('bifrost-group-keeper') && line.trim().startsWith(`${process.pid} `)).length;
    await failureOf(startProgram({ script: 'process.exit(3)' }));
    await expect.poll(keepers).toBe(0);
  });
});

describe('a remote plugin', () => {
  const log = collectingLog().log;
  const start = (address: string): ReturnType<typeof startGrpcPlugin> =>
    startGrpcPlugin({ name: 'p', address, config: {}, log, initTimeoutMs: 2000, healthEveryMs: 20 });

  it('is described, and its lines are logged', async () => {
    const { log: own, lines } = collectingLog();
    const address = await serve();
    const plugin = await startGrpcPlugin({ name: 'p', address, config: {}, log: own });
    await expect.poll(() => lines).toContain('warn from far');
    expect(plugin.description).toEqual({ actualName: 'far', isGuard: false, hooks: { preRequestHook: {} } });
    await plugin.close();
  });

  it.each([
    ['a misspelt hook', { description: '{"name":"x","hooks":{"preLLMhook":{}}}' }, 'did you mean preLLMHook'],
    [
      'another API',
      { description: '{"name":"x","api":"9","hooks":{"inject":{}}}' },
      'it was written for plugin API "9"',
    ],
    ['no JSON', { description: 'hello' }, 'its description is wrong: it is not JSON'],
    ['another protocol', { protocol: 4 }, 'it speaks version 4 of the plugin protocol; this gateway speaks 1'],
    ['bad health', { health: () => 2 }, 'its health service says that it is not serving'],
    [
      'an init that fails',
      {
        init: () => {
          throw new TypeError('limit must be a number');
        },
      },
      'init failed: TypeError: limit must be a number',
    ],
  ])('with %s is refused', async (_what, behaviour: Behaviour, message) => {
    expect(await failureOf(start(await serve(behaviour)))).toContain(message);
  });

  it('that stops to serve has ended', async () => {
    let status = 1;
    const plugin = await start(await serve({ health: () => status }));
    const exit = new Promise<RemoteExit>((resolve) => plugin.onExit(resolve));
    status = 2;
    expect((await exit).reason).toContain('did not serve in 3 health checks');
    await plugin.close();
  });

  it('whose connection breaks has ended, however well the next one would serve: its sessions are gone', async () => {
    const address = await serve();
    const plugin = await startGrpcPlugin({ name: 'p', address, config: {}, log });
    const exit = new Promise<RemoteExit>((resolve) => plugin.onExit(resolve));
    stopServers();
    expect((await exit).reason).toBe('lost its connection');
    await plugin.close();
  });

  it('fails a call whose answer cannot be read, and keeps the session', async () => {
    const address = await serve({
      session(session) {
        session.on('data', ({ messages }: { messages: { call: { call: number } }[] }) => {
          for (const { call } of messages) {
            const result = call.call === 1 ? '{"body":{"$bytes":3}}' : '{"__proto__":{"isAdmin":true},"model":"m"}';
            session.write({ messages: [{ reply: { call: call.call, result } }] });
          }
        });
      },
    });
    using session = new TestSession(address);
    expect(await session.call('preRequestHook', {})).toMatchObject({
      kind: 'threw',
      thrown: { message: 'its answer cannot be read: its result names attachment 3 of 0' },
    });
    const reply = await session.call('preRequestHook', {});
    expect(reply).toMatchObject({ kind: 'reply', value: { model: 'm' } });
    expect('value' in reply && Object.getOwnPropertyNames(reply.value)).toEqual(['model']);
  });

  it('that ends a session ends what is under way in it', async () => {
    const address = await serve({ session: (session) => void session.on('data', () => session.end()) });
    using session = new TestSession(address);
    void session.call('preRequestHook', {});
    expect(await session.ended).toBe('it ended its session');
  });
});

describe('parseHandshake', () => {
  it('reads unix sockets and loopback', () => {
    expect(parseHandshake('1|1|unix|/tmp/p.sock|grpc\n')).toBe('unix:/tmp/p.sock');
    expect(parseHandshake('1|1|tcp|127.0.0.1:5000|grpc|extra')).toBe('127.0.0.1:5000');
  });

  it.each(['', 'x', '2|1|unix|/x|grpc', '1|1|unix|relative|grpc', '1|1|unix|/x|netrpc'])('refuses "%s"', (line) => {
    expect(() => parseHandshake(line)).toThrow();
  });
});

describe('parseGrpcAddress', () => {
  it.each([
    ['unix:/run/p.sock', 'unix:/run/p.sock', false],
    ['localhost:50051', 'localhost:50051', false],
    ['[::1]:50051', '[::1]:50051', false],
    ['plugins.example.com:443', 'plugins.example.com:443', true],
    ['http://10.0.0.7:50051', '10.0.0.7:50051', false],
    ['https://localhost:50051', 'localhost:50051', true],
    ['localhost.example.com:1', 'localhost.example.com:1', true],
  ])('%s is %s', (address, target, isSecure) => {
    const parsed = parseGrpcAddress(address);
    expect(parsed.target).toBe(target);
    expect(parsed.credentials._isSecure()).toBe(isSecure);
  });

  it.each(['', 'host', 'unix:relative', 'ftp://host:1', 'host:port'])('refuses "%s"', (address) => {
    expect(() => parseGrpcAddress(address)).toThrow(/is no address/);
  });
});
