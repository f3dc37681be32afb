/** Recording the calls of plugins over the admin API, and playing them to another build with the command line. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readCapture, readCaptureKey } from '@bifrost/framework/recordings';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminGateway } from '../__tests__/admin-gateway.ts';

const cli = resolve(import.meta.dirname, '../../../../cli/src/main.ts');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-recordings-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function writePlugin(file: string, word: string): string {
  const path = join(folder, file);
  writeFileSync(
    path,
    `export default { name: 'worded',
      preLLMHook: { reads: 'messages', handler: (context, request) => {
        const text = request.conversation?.messages.at(-1)?.parts[0]?.text ?? '';
        if (text.includes('forbidden')) return { error: { statusCode: 403, message: '${word}', origin: 'plugin' } };
      } },
      httpTransportResponseHeadersHook: () => ({ headers: { 'x-stamp': 'worded' } }),
    };`,
  );
  return path;
}

interface Ended {
  readonly file: string;
  readonly calls: number;
  readonly requests: number;
  readonly leftOut: number;
}

const path = '/api/plugins/worded/recording';
const names = (gateway: AdminGateway): Promise<readonly string[]> =>
  gateway
    .call<{ readonly files: readonly { readonly name: string }[] }>('GET', '/api/recordings')
    .then(({ body }) => body.files.map(({ name }) => name));

// Each starts the program.
describe('recordings', { timeout: 120_000 }, () => {
  it.each(['inline', 'worker', 'process'])(
    'keep what a plugin in %s was given and answered, over all threads, in one file that replays',
    async (isolation) => {
      await using gateway = await AdminGateway.start(folder);
      await gateway.call('POST', '/api/plugins', { name: 'worded', path: writePlugin('p.mjs', 'no'), isolation });
      await gateway.ask({ 'x-request-id': 'before' });
      expect(await gateway.call('POST', path, { maxRequests: 50 })).toMatchObject({
        status: 201,
        body: { plugin: 'worded', maxRequests: 50, seconds: 60, isTaking: true },
      });
      for (let index = 0; index < 12; index += 1) {
        await gateway.ask({ 'x-request-id': `r${index}` }, index % 2 === 1, index % 3 === 0 ? 'forbidden' : 'Hi');
      }
      const { status, body } = await gateway.call<Ended>('DELETE', path);
      expect({ status, ...body }).toMatchObject({ status: 200, requests: 12, leftOut: 0 });
      expect(await gateway.call('GET', path)).toMatchObject({ status: 404 });
      await gateway.ask({ 'x-request-id': 'after' });
      expect(await names(gateway)).toEqual([body.file]);

      const download = await gateway.download(`/api/recordings/${body.file}`);
      const file = join(folder, 'downloaded.bfcap');
      writeFileSync(file, download);
      expect(download.includes('forbidden')).toBe(false);
      const keyFile = join(folder, 'recordings', 'recordings.key');
      expect(statSync(keyFile).mode & 0o777).toBe(0o600);
      const { calls, end } = readCapture(file, readCaptureKey(keyFile));
      expect(end).toMatchObject({ requests: 12, calls: body.calls });
      const requests = new Set(calls.map(({ facts }) => facts.requestId));
      expect([...requests].toSorted()).toEqual(Array.from({ length: 12 }, (_, index) => `r${index}`).toSorted());
      const refused = calls.find(({ hook, facts }) => hook === 'preLLMHook' && facts.requestId === 'r0');
      expect(refused).toMatchObject({ plugin: 'worded', output: { error: { statusCode: 403, message: 'no' } } });

      const replay = (build: string): { readonly status: number | null; readonly stdout: string } =>
        spawnSync(process.execPath, [cli, 'plugin', 'replay', file, '--key', keyFile, '--against', build], {
          encoding: 'utf8',
        });
      const same = replay(writePlugin('same.mjs', 'no'));
      expect([same.status, same.stdout]).toEqual([
        0,
        expect.stringMatching(/12 requests: (\d+) answered as recorded, 0/),
      ]);
      const other = replay(writePlugin('other.mjs', 'never'));
      expect(other.status).toBe(1);
      expect(other.stdout).toContain('+ "never"');

      expect((await gateway.call('DELETE', `/api/recordings/${body.file}`)).status).toBe(200);
      expect(await names(gateway)).toEqual([]);
    },
  );

  it('take the requests that their filter names, no more than they may, and end by themselves', async () => {
    await using gateway = await AdminGateway.start(folder);
    await gateway.call('POST', '/api/plugins', { name: 'worded', path: writePlugin('p.mjs', 'no') });
    await gateway.call('POST', path, { filter: { model: 'mock/other*' } });
    await gateway.ask({ 'x-request-id': 'hello' });
    expect((await gateway.call<Ended>('DELETE', path)).body).toMatchObject({ requests: 0, calls: 0 });

    await gateway.call('POST', path, { filter: { model: 'mock/hel*', path: '/v1/*', isStream: true } });
    await gateway.ask({ 'x-request-id': 'whole' });
    await gateway.ask({ 'x-request-id': 'streamed' }, true);
    const { body } = await gateway.call<Ended>('DELETE', path);
    expect(body).toMatchObject({ requests: 1 });
    const key = readCaptureKey(join(folder, 'recordings', 'recordings.key'));
    const { calls } = readCapture(join(folder, 'recordings', body.file), key);
    expect(new Set(calls.map(({ facts }) => facts.requestId))).toEqual(new Set(['streamed']));
    // What came before its model was known is there, too.
    expect(calls.map(({ hook }) => hook)).toEqual(['preLLMHook', 'httpTransportResponseHeadersHook']);

    await gateway.call('POST', path, { maxRequests: 3 });
    for (let index = 0; index < 10; index += 1) await gateway.ask();
    const left = async (): Promise<unknown> => (await gateway.call('GET', path)).status;
    await expect.poll(left, { timeout: 15_000 }).toBe(404);
    const lines = (): readonly string[] =>
      gateway.program.stderr.split('\n').filter((line) => line.includes('has ended'));
    await expect.poll(() => lines().at(-1)).toMatch(/"requests":3.*the recording of plugin worded has ended/);
  });

  it('refuse what is wrong, a second one of a plugin, and paths in the place of names', async () => {
    await using gateway = await AdminGateway.start(folder);
    await gateway.call('POST', '/api/plugins', { name: 'worded', path: writePlugin('p.mjs', 'no') });
    for (const body of [
      { seconds: 0 },
      { maxRequests: 1e9 },
      { filter: { host: 'a' } },
      { filter: { sampling: 2 } },
      { x: 1 },
    ]) {
      expect(await gateway.call('POST', path, body)).toMatchObject({ status: 400 });
    }
    expect((await gateway.call('POST', '/api/plugins/nobody/recording', {})).status).toBe(404);
    expect((await gateway.call('POST', path)).status).toBe(201);
    expect(await gateway.call('POST', path)).toMatchObject({
      status: 409,
      body: { error: { code: 'BF_PLUGIN_RECORDING_RUNS' } },
    });
    const running = await gateway.call<{ readonly running: readonly { readonly file: string }[] }>(
      'GET',
      '/api/recordings',
    );
    const open = running.body.running[0]?.file ?? '';
    for (const name of [open, 'recordings.key', '..%2Fplugins.json', '%2Fetc%2Fpasswd']) {
      expect([400, 404]).toContain((await gateway.call('GET', `/api/recordings/${name}`)).status);
    }
    expect((await gateway.call('GET', '/api/recordings', undefined, {})).status).toBe(401);
  });
});
