import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminGateway } from '../__tests__/admin-gateway.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-figures-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Explained {
  readonly calls: readonly {
    readonly plugin: string;
    readonly hook: string;
    readonly decision: string;
    readonly changes?: readonly unknown[];
  }[];
}

/** A plugin that fails where the request asks for it, and gives all a seed. */
function writePlugin(): string {
  const path = join(folder, 'counted.mjs');
  writeFileSync(
    path,
    `export default { name: 'counted', version: '1',
      httpTransportPreHook: { handler: (context, request) => {
        if (request.headers['x-fail'] === 'yes') throw new Error('asked to fail');
      }, onError: 'continue' },
      preLLMHook: { reads: 'messages', handler: (context, { conversation }) => ({ conversation: { ...conversation, seed: 4711 } }) } };`,
  );
  return path;
}

// Each starts the program.
describe('figures and explanations in the admin API', { timeout: 120_000 }, () => {
  it('counts calls, errors and times of each hook over all threads', async () => {
    await using gateway = await AdminGateway.start(folder);
    await gateway.call('POST', '/api/plugins', { name: 'counted', path: writePlugin() });
    for (let count = 0; count < 12; count++) {
      const { status } = await gateway.ask(count < 3 ? { 'x-fail': 'yes' } : {}, count % 2 === 0);
      expect(status).toBe(200);
    }
    const figures = await gateway.call('GET', '/api/plugins/counted/figures');
    expect(figures).toMatchObject({
      status: 200,
      body: {
        name: 'counted',
        instances: { serving: 2, draining: 0 },
        hooks: {
          httpTransportPreHook: { calls: 12, errors: 3, timeouts: 0, p50Ms: expect.any(Number) },
          preLLMHook: { calls: 12, errors: 0, p99Ms: expect.any(Number) },
        },
        addedToFirstContent: { requests: 12, p50Ms: expect.any(Number), p99Ms: expect.any(Number) },
        comparisons: [],
      },
    });
    // They go on over a reload.
    await gateway.call('POST', '/api/plugins/counted/reload');
    await gateway.ask();
    expect((await gateway.call('GET', '/api/plugins/counted/figures')).body).toMatchObject({
      hooks: { preLLMHook: { calls: 13 } },
    });
    expect((await gateway.call('GET', '/api/plugins/nobody/figures')).status).toBe(404);
  });

  it('keeps explanations of requests that asked for one, for the administrator alone', async () => {
    await using gateway = await AdminGateway.start(folder);
    await gateway.call('POST', '/api/plugins', { name: 'counted', path: writePlugin() });
    await gateway.ask({ 'x-request-id': 'unasked' });
    const answer = await gateway.ask({ 'x-bf-explain': 'true', 'x-request-id': 'asked-1', 'x-fail': 'yes' });
    // The client sees who did something, and not what.
    expect(answer.headers.get('x-bf-explain')).toContain('counted.preLLMHook=');
    expect(answer.headers.get('x-bf-explain')).not.toContain('4711');

    const path = '/api/explain/asked-1';
    await expect.poll(async () => (await gateway.call('GET', path)).status, { timeout: 10_000 }).toBe(200);
    const { body } = await gateway.call<Explained>('GET', path);
    expect(body).toMatchObject({ request_id: 'asked-1', statusCode: 200, leftOut: 0 });
    const changed = body.calls.find(({ hook }) => hook === 'preLLMHook');
    expect(changed).toMatchObject({ plugin: 'counted', decision: 'changed' });
    expect(JSON.stringify(changed?.changes)).toContain('4711');
    expect(JSON.stringify(body)).toContain('asked to fail');

    expect((await gateway.call('GET', '/api/explain')).body).toMatchObject({
      count: 1,
      requests: [{ request_id: 'asked-1' }],
    });
    expect((await gateway.call('GET', '/api/explain/unasked')).status).toBe(404);
    expect((await gateway.call('GET', path, undefined, {})).status).toBe(401);
    expect((await gateway.call('GET', '/api/explain', undefined, {})).status).toBe(401);
  });
});
