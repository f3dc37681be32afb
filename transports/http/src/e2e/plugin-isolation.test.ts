/** One plugin in every isolation, switched while the gateway serves; one that ends by itself comes back. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ManagedPlugin } from '@bifrost/framework/plugins';
import { startTestServer, testConfig } from '../__tests__/test-server.ts';
import type { TestServer } from '../__tests__/test-server.ts';

const plugin = `
  import { threadId } from 'node:worker_threads';
  export const httpTransportResponseHeadersHook = () => ({ headers: { 'x-where': process.pid + '/' + threadId } });
  export const httpTransportPreHook = (ctx, request) => {
    ctx.shared.add('asked');
    if (request.headers['x-deed'] === 'loop') for (;;);
  };`;

let folder: string;
let gateway: TestServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-isolation-'));
  const path = join(folder, 'where.mjs');
  writeFileSync(path, plugin);
  const plugins = [{ name: 'where', path, enabled: true, timeoutMs: 1000, breaker: false, probationMs: 0 } as const];
  gateway = await startTestServer(
    {},
    { threads: 2, engineModule: '@bifrost/core', config: { ...testConfig({}), plugins } },
  );
});
afterAll(async () => {
  await gateway.server.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function where(
  deed = 'none',
): Promise<{ readonly pid: number; readonly thread: number; readonly status: number }> {
  const body = JSON.stringify({ model: 'mock/x', messages: [{ role: 'user', content: 'x' }] });
  const headers = { connection: 'close', 'x-deed': deed };
  const response = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', body, headers });
  await response.text();
  const [pid, thread] = (response.headers.get('x-where') ?? '').split('/').map(Number);
  return { pid: pid ?? 0, thread: thread ?? 0, status: response.status };
}

const stateOf = (plugin: ManagedPlugin | undefined): string => `${plugin?.state}: ${plugin?.message}`;

it(
  'moves between serving threads, a thread and a process of its own without a request that fails',
  { timeout: 90_000 },
  async () => {
    const { plugins } = gateway.server;
    let isOver = false;
    const faults: unknown[] = [];
    const asking = (async () => {
      while (!isOver) {
        const answer = await where().catch((error: unknown) => error as Error);
        if (answer instanceof Error || answer.status !== 200 || answer.pid === 0) faults.push(answer);
      }
    })();
    expect((await where()).pid).toBe(process.pid);
    expect(await plugins.setIsolation('where', 'worker')).toMatchObject({ isolation: 'worker', state: 'active' });
    const places = new Set<string>();
    for (let index = 0; index < 6; index += 1) {
      const { pid, thread } = await where();
      places.add(`${pid === process.pid} ${thread}`);
    }
    // One instance for all serving threads.
    expect(places.size).toBe(1);
    expect(await plugins.setIsolation('where', 'process')).toMatchObject({ isolation: 'process', state: 'active' });
    expect((await where()).pid).not.toBe(process.pid);
    await plugins.setIsolation('where', 'inline');
    expect((await where()).pid).toBe(process.pid);
    isOver = true;
    await asking;
    expect(faults).toEqual([]);
    await expect.poll(async () => (await plugins.refresh(), plugins.counts.live), { timeout: 20_000 }).toBe(2);
  },
);

it(
  'is started again when it was ended for a call that blocks it, and its serving threads live',
  { timeout: 90_000 },
  async () => {
    const { plugins, threads } = gateway.server;
    await plugins.setIsolation('where', 'process');
    const before = (await where()).pid;
    expect(await where('loop')).toMatchObject({ status: 200 });
    await expect
      .poll(() => stateOf(plugins.list()[0]), { timeout: 20_000 })
      .toMatch(/^error: it ended by itself \(.+\) and is started again(?: in 100 ms)?/);
    await expect.poll(async () => [0, before].includes((await where()).pid), { timeout: 20_000 }).toBe(false);
    await expect.poll(() => plugins.list()[0]).toMatchObject({ state: 'active', isolation: 'process' });
    expect(gateway.server.threads).toEqual(threads);
  },
);

it('a plugin that comes with the gateway is loaded by its name alone', { timeout: 60_000 }, async () => {
  const { plugins } = gateway.server;
  const responses = [{ type: 'error', error: { message: 'slow down', status_code: 429 } }];
  const config = { rules: [{ name: 'drill', responses }] };
  await plugins.add({ name: 'mocker', enabled: true, probationMs: 0, config });
  expect(plugins.list()[1]).toMatchObject({ name: 'mocker', state: 'active', actualName: 'mocker' });
  expect((await where()).status).toBe(429);
  await plugins.remove('mocker');
  expect((await where()).status).toBe(200);
});
