/** What a plugin that runs in the serving threads can do to the gateway, and what it cannot: docs/plugins names what is asserted here. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ManagedPlugin } from '@bifrost/framework/plugins';
import { startTestServer, testConfig } from '../__tests__/test-server.ts';
import { useCompileCache } from '../program/compile-cache.ts';
import { outageBoundMs, reportOutage } from './outage-bound.ts';
import type { TestServer } from '../__tests__/test-server.ts';

const hostile = `
  const deeds = {
    throw() { throw new Error('hostile'); },
    reject: () => Promise.reject(new Error('hostile')),
    garbage: () => ({ response: 'no response' }),
    never: () => new Promise(() => {}),
    loop() { for (;;); },
    microtasks: () => { const again = () => Promise.resolve().then(again); return again(); },
    map() { const map = new Map(); for (let n = 0; ; n += 1) map.set(n, [n]); },
    buffers() { const all = []; for (;;) all.push(Buffer.alloc(4_000_000, 1)); },
    exit: () => process.exit(3),
    kill: () => process.kill(process.pid, 'SIGKILL'),
    rejection() { void Promise.reject(new Error('forgotten')); },
    async awaited() { await null; await new Promise((resolve) => setTimeout(resolve, 5)); for (;;); },
    timer() { setTimeout(() => { throw new Error('late'); }, 1); },
    pollution() { Object.prototype.polluted = 'yes'; },
    namespace() { JSON.parse = () => 'no'; },
    method() { Array.prototype.copyWithin = () => 'no'; },
  };
  export const httpTransportPreHook = { timeoutMs: 300, handler: (ctx, request) => deeds[request.headers['x-deed']]?.() };`;

// As the program does it: a thread that starts compiles nothing anew.
useCompileCache();

let folder: string;
let gateway: TestServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-hostile-'));
  const path = join(folder, 'hostile.mjs');
  writeFileSync(path, hostile);
  gateway = await startTestServer(
    {},
    {
      threads: 1,
      maxThreadMegabytes: 300,
      engineModule: '@bifrost/core',
      config: {
        ...testConfig({}),
        plugins: [{ name: 'hostile', path, enabled: true, breaker: false, probationMs: 0 }],
      },
    },
  );
});
afterAll(async () => {
  await gateway.server.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** The status of an answer, or `cut` where the connection broke. */
async function ask(deed: string): Promise<number | 'cut'> {
  const body = JSON.stringify({ model: 'mock/x', messages: [{ role: 'user', content: 'x' }] });
  const headers = { 'x-deed': deed, connection: 'close' };
  try {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body, headers });
    await response.text();
    return response.status;
  } catch {
    return 'cut';
  }
}

/** The status of an answer, and the client's port: another one after a connection was lost. */
function askOn(agent: Agent): Promise<readonly [number | 'cut', number]> {
  const body = JSON.stringify({ model: 'mock/x', messages: [{ role: 'user', content: 'x' }] });
  const headers = { 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve) => {
    const sent = request(`${gateway.url}/v1/chat/completions`, { method: 'POST', agent, headers }, (response) => {
      const port = response.socket.localPort ?? 0;
      response.resume().on('end', () => resolve([response.statusCode ?? 0, port]));
    });
    sent.on('error', () => resolve(['cut', 0]));
    sent.end(body);
  });
}

async function status(): Promise<ManagedPlugin | undefined> {
  return (await gateway.server.plugins.refresh())[0];
}

describe('in a serving thread', () => {
  it.each([
    'throw',
    'reject',
    'garbage',
    'never',
    'exit',
    'kill',
    'rejection',
    'timer',
    'pollution',
    'namespace',
    'method',
  ])('%s fails no request, and costs no thread', async (deed) => {
    const before = gateway.server.threads;
    expect(await ask(deed)).toBe(200);
    expect(await ask('nothing')).toBe(200);
    expect(gateway.server.threads).toEqual(before);
  });

  it.each(['pollution', 'namespace'])('%s is refused at once: the call fails, nothing is changed', async (deed) => {
    await gateway.server.plugins.reload('hostile');
    const errors = async (): Promise<number> =>
      (await gateway.server.plugins.figures())[0]?.hooks.httpTransportPreHook?.errors ?? 0;
    const before = await errors();
    expect(await ask(deed)).toBe(200);
    expect(await errors()).toBe(before + 1);
    expect((await status())?.state).toBe('active');
  });

  it('what it left running and what it changed for all is in its status', async () => {
    await gateway.server.plugins.reload('hostile');
    await ask('rejection');
    await expect
      .poll(async () => (await status())?.message)
      .toContain('work that it left running failed 1 times, last: Error: forgotten');
    await ask('method');
    await expect
      .poll(async () => (await status())?.message)
      .toMatch(/it changed Array.prototype.copyWithin, which all code shares/);
    expect((await status())?.state).toBe('degraded');
  });

  it.each([
    ['loop', /^it is quarantined: it blocked serving thread \d+ for \d+ ms$/],
    ['awaited', /^it is quarantined: it blocked serving thread \d+ for \d+ ms$/],
    ['map', /^it is quarantined: it (filled serving thread \d+ with \d+ MB|blocked serving thread \d+ for \d+ ms)$/],
    [
      'buffers',
      /^it is quarantined: it (filled serving thread \d+ with \d+ MB|blocked serving thread \d+ for \d+ ms)$/,
    ],
  ])(
    '%s costs the requests of its thread, and is then not called again',
    { timeout: 30_000 },
    async (deed, message) => {
      await gateway.server.plugins.reload('hostile');
      const [before] = gateway.server.threads;
      const startedAt = performance.now();
      expect(await ask(deed)).toBe('cut');
      expect(await ask('nothing')).toBe(200);
      const outageMs = performance.now() - startedAt;
      expect(gateway.server.threads).not.toContain(before);
      expect(await status()).toMatchObject({
        state: 'error',
        code: 'BF_PLUGIN_QUARANTINED',
        message: expect.stringMatching(message),
      });
      reportOutage(`${deed} inline, one thread`, outageMs);
      expect(outageMs).toBeLessThan(outageBoundMs());
      expect(await ask(deed)).toBe(200);
    },
  );

  it(
    'loop costs no request of others that it has not begun: their connections go on in another thread',
    {
      timeout: 30_000,
    },
    async () => {
      await gateway.server.plugins.reload('hostile');
      const agents = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
      const before = await Promise.all(agents.map((agent) => askOn(agent)));
      const blocked = ask('loop');
      // By then it loops.
      await new Promise((resolve) => setTimeout(resolve, 200));
      const during = await Promise.all(agents.map((agent) => askOn(agent)));
      expect(during).toEqual(before);
      expect(await Promise.all(agents.map((agent) => askOn(agent)))).toEqual(before);
      expect(await blocked).toBe('cut');
      for (const agent of agents) agent.destroy();
    },
  );
});
