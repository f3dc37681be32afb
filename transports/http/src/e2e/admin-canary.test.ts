import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminGateway } from '../__tests__/admin-gateway.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-canary-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A plugin that stamps the head and every chunk of an answer. */
function writeVersion(version: string): string {
  const path = join(folder, `stamp-${version}.mjs`);
  writeFileSync(
    path,
    `export default { name: 'stamp', version: '${version}',
      httpTransportResponseHeadersHook: ({ config }) => ({ headers: { 'x-stamp': '${version} ' + (config.word ?? '') } }),
      httpTransportStreamChunkHook: (context, { data }) => ({ data: data.replace('{', '{"stamp":"${version}",') }) };`,
  );
  return path;
}

const trialPath = '/api/plugins/stamp/canary';
interface Side {
  readonly hooks: Readonly<Record<string, { readonly calls: number }>>;
}

/** By version: how many of `count` streams it stamped, each wholly. */
async function stampsOf(gateway: AdminGateway, count: number): Promise<Readonly<Record<string, number>>> {
  const seen: Record<string, number> = {};
  for (let index = 0; index < count; index++) {
    const { status, headers, text } = await gateway.ask({ 'x-request-id': `request-${index}` }, true);
    expect(status).toBe(200);
    const stamp = headers.get('x-stamp')?.split(' ')[0] ?? '';
    const chunks = new Set([...text.matchAll(/"stamp":"(.*?)"/g)].map((match) => match[1]));
    expect([...chunks]).toEqual([stamp]);
    seen[stamp] = (seen[stamp] ?? 0) + 1;
  }
  return seen;
}

// Each starts the program.
describe('trials of plugins', { timeout: 120_000 }, () => {
  it('give a canary its share of requests, each answered wholly by one version, then promote it and keep it', async () => {
    const second = writeVersion('2');
    {
      await using gateway = await AdminGateway.start(folder);
      await gateway.call('POST', '/api/plugins', { name: 'stamp', path: writeVersion('1'), config: { word: 'kept' } });
      const request = { path: second, mode: 'canary', share: 0.3 };
      expect(await gateway.call('POST', trialPath, request)).toMatchObject({
        status: 201,
        body: { mode: 'canary', share: 0.3, plugin: { version: '1' }, candidate: { version: '2' } },
      });
      const seen = await stampsOf(gateway, 100);
      expect(Object.keys(seen).toSorted()).toEqual(['1', '2']);
      expect(seen['2']).toBeGreaterThan(15);
      expect(seen['2']).toBeLessThan(45);
      // The same ids go the same way again, whichever thread they come to.
      expect(await stampsOf(gateway, 100)).toEqual(seen);
      const { body } = await gateway.call<{ readonly plugin: Side; readonly candidate: Side }>('GET', trialPath);
      const hook = 'httpTransportResponseHeadersHook';
      expect(body.candidate.hooks[hook]?.calls).toBe(2 * (seen['2'] ?? 0));
      expect(body.plugin.hooks[hook]?.calls).toBe(2 * (seen['1'] ?? 0));

      const promoted = await gateway.call('POST', `${trialPath}/promote`);
      expect(promoted).toMatchObject({ status: 200, body: { plugin: { name: 'stamp', version: '2', path: second } } });
      expect(await stampsOf(gateway, 10)).toEqual({ 2: 10 });
      expect((await gateway.call('GET', trialPath)).status).toBe(404);
      expect((await gateway.call('GET', '/api/plugins')).body).toMatchObject({ count: 1 });
    }
    await using again = await AdminGateway.start(folder);
    expect(await again.stamp()).toBe('2 kept');
  });

  it('show what a shadow would do otherwise, and never change an answer', async () => {
    await using gateway = await AdminGateway.start(folder);
    await gateway.call('POST', '/api/plugins', { name: 'stamp', path: writeVersion('1') });
    await gateway.call('POST', trialPath, { path: writeVersion('2'), mode: 'shadow' });
    expect(await stampsOf(gateway, 20)).toEqual({ 1: 20 });
    const read = async (): Promise<unknown> => (await gateway.call('GET', trialPath)).body['comparison'];
    // Both leave the last chunk of a stream, `[DONE]`, as it is, and stamp all others.
    await expect.poll(read, { timeout: 10_000 }).toMatchObject({ of: 'stamp', equal: 20, failed: 0 });
    expect(await read()).toMatchObject({ different: expect.toSatisfy((count) => Number(count) > 20) });
    expect(JSON.stringify(await read())).toContain('request-19');

    expect((await gateway.call('DELETE', trialPath)).status).toBe(200);
    expect(await stampsOf(gateway, 5)).toEqual({ 1: 5 });
    expect((await gateway.call('DELETE', trialPath)).status).toBe(404);
  });

  it('keep their candidate when only its share changes, and take back no change that was made meanwhile', async () => {
    await using gateway = await AdminGateway.start(folder);
    await gateway.call('POST', '/api/plugins', { name: 'stamp', path: writeVersion('1'), config: { word: 'one' } });
    await gateway.call('POST', trialPath, { path: writeVersion('2'), share: 0.3 });
    const shared = { share: 1, plugin: { version: '1' }, candidate: { version: '2' } };
    expect((await gateway.call('POST', trialPath, { share: 1 })).body).toMatchObject(shared);
    expect(await gateway.stamp()).toBe('2 one');
    // Its place is the plugin's, all else is what was tried.
    await gateway.call('PUT', '/api/plugins/stamp', { order: 7 });
    await gateway.call('PUT', '/api/plugins/stamp', { config: { word: 'changed' }, timeout_ms: 900 });
    expect(await gateway.call('POST', `${trialPath}/promote`)).toMatchObject({
      status: 409,
      body: {
        error: { code: 'BF_ADMIN_TRIAL_STALE', message: expect.stringContaining('config, timeout_ms of plugin') },
      },
    });
    expect((await gateway.call('GET', trialPath)).body).toMatchObject(shared);
    await gateway.call('POST', trialPath, { path: writeVersion('2'), share: 1 });
    expect((await gateway.call('POST', `${trialPath}/promote`)).status).toBe(200);
    expect(await gateway.stamp()).toBe('2 changed');
    expect((await gateway.call('GET', '/api/plugins/stamp')).body).toMatchObject({ order: 7 });
  });

  it('change nothing where the candidate is wrong, and end with the plugin', async () => {
    await using gateway = await AdminGateway.start(folder);
    await gateway.call('POST', '/api/plugins', { name: 'stamp', path: writeVersion('1') });
    const begin = (body: unknown): ReturnType<typeof gateway.call> => gateway.call('POST', trialPath, body);
    const broken = join(folder, 'broken.mjs');
    writeFileSync(broken, 'export default { preLLMhook() {} }');
    expect((await begin({ path: broken })).status).toBe(422);
    for (const body of [{ share: 2 }, { mode: 'both' }, { placement: 'pre_builtin' }, { share: '30%' }]) {
      expect((await begin(body)).status).toBe(400);
    }
    expect((await gateway.call('GET', trialPath)).status).toBe(404);
    expect((await gateway.call('GET', '/api/plugins')).body).toMatchObject({ count: 1 });
    expect((await gateway.call('POST', '/api/plugins/nobody/canary', {})).status).toBe(404);

    await begin({ path: writeVersion('2'), share: 1 });
    expect(await stampsOf(gateway, 5)).toEqual({ 2: 5 });
    await gateway.call('PUT', '/api/plugins/stamp', { enabled: false });
    expect(await gateway.stamp()).toBeNull();
    expect((await begin({ share: 1 })).status).toBe(409);
  });
});
