import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminGateway } from '../__tests__/admin-gateway.ts';

interface Shown {
  readonly name: string;
  readonly enabled: boolean;
  readonly config: Record<string, unknown>;
  readonly status: { readonly status: string; readonly logs: readonly string[]; readonly types: readonly string[] };
  readonly lastError: { readonly message: string } | null;
}

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-admin-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A plugin that says its version in a header of every answer. */
function writePlugin(version: string, name = 'stamp.mjs'): string {
  const path = join(folder, name);
  const code = `export default { name: 'stamp', version: '${version}',
    httpTransportResponseHeadersHook: (context) => ({ headers: { 'x-stamp': '${version} ' + (context.config.word ?? '') } }) };`;
  writeFileSync(path, code);
  return path;
}

// Each starts the program, some several times.
describe('the admin API', { timeout: 120_000 }, () => {
  it('shows its token once, keeps it over restarts, and lets nobody in without', async () => {
    const environment = {};
    let shown: string;
    {
      await using gateway = await AdminGateway.start(folder, environment);
      shown = (await gateway.program.until('stdout', /admin token, shown this once: (\S+)\n/))[1] ?? '';
      for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: `Basic ${shown}` }]) {
        const refused = await gateway.call('GET', '/api/plugins', undefined, headers as Record<string, string>);
        expect(refused).toMatchObject({ status: 401, body: { error: { code: 'BF_HTTP_ADMIN_TOKEN' } } });
      }
      const own = { authorization: `Bearer ${shown}` };
      expect(await gateway.call('GET', '/api/plugins', undefined, own)).toEqual({
        status: 200,
        body: { plugins: [], count: 0 },
      });
    }
    await using again = await AdminGateway.start(folder, environment);
    expect((await again.call('GET', '/api/plugins', undefined, { authorization: `Bearer ${shown}` })).status).toBe(200);
    expect(again.program.stdout).not.toContain('admin token');
  });

  it('adds, changes, reloads, disables and removes a plugin in all threads, and remembers it', async () => {
    const path = writePlugin('1');
    {
      await using gateway = await AdminGateway.start(folder);
      expect(await gateway.stamp()).toBeNull();
      const created = await gateway.call<{ plugin: Shown }>('POST', '/api/plugins', { name: 'stamp', path });
      expect(created).toMatchObject({ status: 201, body: { plugin: { name: 'stamp', enabled: true } } });
      expect(created.body.plugin.status).toMatchObject({ status: 'active', types: ['http'] });
      expect(await gateway.stamp()).toBe('1 ');
      expect((await gateway.call('POST', '/api/plugins', { name: 'stamp', path })).status).toBe(409);

      await gateway.call('PUT', '/api/plugins/stamp', { config: { word: 'hello', api_key: 'a-secret-value' } });
      expect(await gateway.stamp()).toBe('1 hello');
      const shown = await gateway.call<Shown>('GET', '/api/plugins/stamp');
      expect(shown.body.config).toEqual({ word: 'hello', api_key: '********' });
      // What was shown can be sent back: the mask stands for the secret.
      await gateway.call('PUT', '/api/plugins/stamp', { config: { ...shown.body.config, word: 'again' } });
      expect(await gateway.stamp()).toBe('1 again');

      writePlugin('2');
      expect(await gateway.stamp()).toBe('1 again');
      expect((await gateway.call('POST', '/api/plugins/stamp/reload')).status).toBe(200);
      expect(await gateway.stamp()).toBe('2 again');
    }
    {
      await using gateway = await AdminGateway.start(folder);
      expect(await gateway.stamp()).toBe('2 again');
      await gateway.call('PUT', '/api/plugins/stamp', { enabled: false });
      const { body } = await gateway.call('POST', '/api/plugins/stamp/reload');
      expect(body).toMatchObject({ message: 'Plugin is disabled: nothing was loaded' });
      expect(await gateway.stamp()).toBeNull();
      expect((await gateway.call('DELETE', '/api/plugins/stamp')).status).toBe(200);
      expect((await gateway.call('GET', '/api/plugins/stamp')).status).toBe(404);
    }
    await using gateway = await AdminGateway.start(folder);
    expect((await gateway.call('GET', '/api/plugins')).body).toEqual({ plugins: [], count: 0 });
  });

  it('changes nothing where a change fails, and says why in the answer and in the status', async () => {
    const path = writePlugin('1');
    await using gateway = await AdminGateway.start(folder);
    const missing = await gateway.call('POST', '/api/plugins', { name: 'x', path: join(folder, 'missing.mjs') });
    expect(missing).toMatchObject({
      status: 422,
      body: { error: { message: expect.stringContaining('missing.mjs') } },
    });
    expect((await gateway.call('GET', '/api/plugins')).body).toMatchObject({ count: 0 });

    await gateway.call('POST', '/api/plugins', { name: 'stamp', path, config: { word: 'one' } });
    writeFileSync(path, 'export default { preLLMhook() {} }');
    const failed = await gateway.call<{ error: { message: string } }>('POST', '/api/plugins/stamp/reload');
    expect(failed.status).toBe(422);
    expect(failed.body.error.message).toContain('did you mean preLLMHook?');
    expect(await gateway.stamp()).toBe('1 one');
    const { body } = await gateway.call<Shown>('GET', '/api/plugins/stamp');
    expect(body.status.status).toBe('active');
    expect(body.lastError?.message).toBe(failed.body.error.message);
    expect(body.status.logs).toContain(failed.body.error.message);
  });

  it.each([
    ['no name', { path: './x.mjs' }, '`name` is missing'],
    ['a wrong type', { name: 'x', path: './x.mjs', enabled: 'yes' }, 'enabled: expected true or false'],
    ['an unknown key', { name: 'x', path: './x.mjs', isolatoin: 'worker' }, 'isolatoin'],
    ['a dead reference', { name: 'x', path: './x.mjs', config: { key: 'env.NO_SUCH_NAME' } }, 'NO_SUCH_NAME'],
  ])('answers 400 to an entry with %s', async (_what, entry, message) => {
    await using gateway = await AdminGateway.start(folder);
    const answer = await gateway.call<{ error: { message: string } }>('POST', '/api/plugins', entry);
    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toContain(message);
  });

  it('loads a watched plugin anew when a file that it imports changes, and keeps it when that is broken', async () => {
    const path = join(folder, 'watched.mjs');
    const imported = join(folder, 'word.mjs');
    const header = `{ headers: { 'x-stamp': word } }`;
    writeFileSync(imported, `export const word = 'one';`);
    writeFileSync(
      path,
      `import { word } from './word.mjs'; export default { httpTransportResponseHeadersHook: () => (${header}) };`,
    );
    await using gateway = await AdminGateway.start(folder);
    await gateway.call('POST', '/api/plugins', { name: 'watched', path, watch: true });
    expect(await gateway.stamp()).toBe('one');
    writeFileSync(imported, `export const word = 'two';`);
    await expect.poll(() => gateway.stamp(), { timeout: 20_000 }).toBe('two');
    writeFileSync(imported, `export const word = ;`);
    await gateway.program.until('stderr', /plugin watched: .*word\.mjs/);
    expect(await gateway.stamp()).toBe('two');
    writeFileSync(imported, `export const word = 'three';`);
    await expect.poll(() => gateway.stamp(), { timeout: 20_000 }).toBe('three');
  });

  it('moves plugins, and knows what comes with the gateway', async () => {
    await using gateway = await AdminGateway.start(folder);
    const first = writePlugin('a', 'a.mjs');
    const second = writePlugin('b', 'b.mjs');
    await gateway.call('POST', '/api/plugins', { name: 'a', path: first });
    await gateway.call('POST', '/api/plugins', { name: 'b', path: second });
    // Response hooks run in reverse: the plugin that stands first has the last word.
    expect(await gateway.stamp()).toBe('a ');
    const places = [{ name: 'b', order: -1 }];
    expect((await gateway.call('PUT', '/api/plugins/sequence', places)).status).toBe(200);
    expect(await gateway.stamp()).toBe('b ');
    expect((await gateway.call('PUT', '/api/plugins/sequence', [{ name: 'nobody' }])).status).toBe(404);
    const near = await gateway.call('PUT', '/api/plugins/sequence', [{ name: 'bb' }]);
    expect(near).toMatchObject({
      status: 404,
      body: { error: { message: 'there is no plugin "bb"; did you mean "b"?' } },
    });
    const unnamed = await gateway.post('/api/plugins', '{"name":"c"}');
    expect(unnamed.status).toBe(400);
    expect(JSON.stringify(unnamed.body)).toContain('sent with `content-type: application/json`');
    const { body } = await gateway.call('GET', '/api/plugins/builtins');
    expect(body).toEqual({ plugins: ['guard', 'json-parser', 'mocker'], count: 3 });
    expect((await gateway.call('GET', '/api/plugins/loaded')).body).toMatchObject({ count: 2 });
  });

  it('takes an artefact or a packed folder as a body, whatever the client calls it, into a process with nothing granted', async () => {
    await using gateway = await AdminGateway.start(folder);
    const source = `import { readFileSync } from 'node:fs';
      const look = () => { try { return readFileSync('/etc/hostname', 'utf8'); } catch (error) { return error.code; } };
      export default { name: 'u', httpTransportResponseHeadersHook: () => ({ headers: { 'x-stamp': look() } }) };`;
    const made = await gateway.post('/api/plugins/upload?name=u&file=u.mjs', source);
    expect(made).toMatchObject({ status: 201, body: { plugin: { name: 'u', isolation: 'process' } } });
    expect(await gateway.stamp()).toBe('ERR_ACCESS_DENIED');
    const broken = await gateway.post('/api/plugins/upload?name=w&file=w.mjs', 'export default {');
    expect(broken).toMatchObject({ status: 422, body: { error: { code: 'BF_PLUGIN_SYNTAX' } } });
    for (const query of ['name=w', 'name=w&name=v&file=w.mjs', 'name=w&file=w.mjs&file=v.mjs']) {
      expect((await gateway.post(`/api/plugins/upload?${query}`, source)).status).toBe(400);
    }
    // What was granted was granted to another artefact.
    const grant = { capabilities: { fs: { read: ['/etc/hostname'] } }, order: 7 };
    await gateway.call('PUT', '/api/plugins/u', grant);
    await gateway.post('/api/plugins/upload?name=u&file=u.mjs', `${source} // 2`);
    expect(await gateway.stamp()).toBe('ERR_ACCESS_DENIED');
    expect((await gateway.call('GET', '/api/plugins/u')).body).toMatchObject({ order: 7 });
    expect(readFileSync(join(folder, 'plugins.json'), 'utf8')).not.toContain('capabilities');
    writePlugin('packed', 'index.mjs');
    writeFileSync(join(folder, 'package.json'), '{ "name": "u", "version": "1.0.0", "exports": "./index.mjs" }');
    execFileSync('tar', ['-czf', 'u.tgz', 'package.json', 'index.mjs'], { cwd: folder });
    const packed = await gateway.call(
      'POST',
      '/api/plugins/upload?name=u&file=u.tgz',
      readFileSync(join(folder, 'u.tgz')),
    );
    expect(packed).toMatchObject({ status: 200, body: { plugin: { name: 'u', isolation: 'process' } } });
    expect(await gateway.stamp()).toBe('packed ');
    expect((await gateway.call('GET', '/api/plugins/loaded')).body).toEqual({ plugins: ['u'], count: 1 });
  });
});
