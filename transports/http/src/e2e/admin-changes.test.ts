import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminGateway } from '../__tests__/admin-gateway.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-changes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A plugin that says its version and a word of its config in a header of every answer. */
function writeVersion(version: string, before = ''): string {
  const path = join(folder, `stamp-${version}.mjs`);
  const code = `export default { name: 'stamp', version: '${version}',
    httpTransportResponseHeadersHook: ({ config }) => { ${before} return { headers: { 'x-stamp': '${version} ' + config.word } }; } };`;
  writeFileSync(path, code);
  return path;
}

const json = { authorization: 'Bearer the-admin-token-of-the-tests' };

// Each starts the program.
describe('calls of the admin API', { timeout: 120_000 }, () => {
  it('are refused where they cannot mean what they say, in one shape, with what is wrong', async () => {
    await using gateway = await AdminGateway.start(folder);
    const path = writeVersion('1');
    await gateway.call('POST', '/api/plugins', { name: 'stamp', path });
    const long = 'x'.repeat(5000);
    const refused: readonly (readonly [string, string, unknown, number, string])[] = [
      ['POST', '', { name: '../x', path }, 422, 'a name has letters, digits'],
      ['POST', '', { name: 'x'.repeat(65), path }, 422, 'a name has letters, digits'],
      ['POST', '', { name: 'stamp@candidate', path }, 422, 'a name has letters, digits'],
      ['POST', '', { name: 'loaded', path }, 400, '"loaded" is a path of the admin API'],
      ['PUT', '/stamp', { name: 'other' }, 400, 'name: a plugin keeps its name ("stamp")'],
      ['POST', '/stamp@candidate/reload', undefined, 404, 'there is no plugin "stamp@candidate"'],
      [
        'PUT',
        '/sequence',
        [
          { name: 'stamp', order: 1 },
          { name: 'stamp', order: 2 },
        ],
        400,
        'named twice',
      ],
      ['PUT', '/sequence', [{ name: 'stamp', order: 1e300 }], 400, 'order: '],
      ['GET', `/${long}`, undefined, 414, 'max param length'],
      ['GET', `/${long.slice(0, 200)}`, undefined, 404, 'there is no plugin'],
      ['PATCH', '/stamp', {}, 405, 'it takes GET, HEAD, PUT, DELETE'],
      ['POST', '/stamp/canary/promote/x', {}, 404, 'there is no route'],
    ];
    for (const [method, tail, body, status, message] of refused) {
      const answer = await gateway.call(method, `/api/plugins${tail}`, body);
      expect([method, tail.slice(0, 40), answer.status]).toEqual([method, tail.slice(0, 40), status]);
      expect(answer.body).toMatchObject({ is_bifrost_error: true, status_code: status });
      expect(JSON.stringify(answer.body).replaceAll('\\"', '"')).toContain(message);
    }
    const bodies: readonly (readonly [string, string])[] = [
      ['{"name": "a",}', 'line 1, column 14: a comma stands before }'],
      ['{"name":"a","config":{"deep":[{"__proto__":{"admin":true}}]}}', 'config.deep[0].__proto__'],
      ['['.repeat(5000) + ']'.repeat(5000), 'deeper than 100 levels'],
      ['', 'the body must be a JSON object'],
    ];
    for (const [body, message] of bodies) {
      const headers = { ...json, 'content-type': 'application/json' };
      const answer = await gateway.call('POST', '/api/plugins', Buffer.from(body), headers);
      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'BF_ADMIN_INVALID' } } });
      expect(JSON.stringify(answer.body)).toContain(message);
    }
    // One thread tries it first, so that what stands still or ends a thread costs one.
    const tried = join(folder, 'tried');
    const code = `import { appendFileSync } from 'node:fs'; appendFileSync(${JSON.stringify(tried)}, 'x'); throw new Error('no');`;
    writeFileSync(join(folder, 'broken.mjs'), code);
    const broken = await gateway.call('POST', '/api/plugins', { name: 'b', path: join(folder, 'broken.mjs') });
    expect(broken).toMatchObject({ status: 422, body: { error: { code: 'BF_PLUGIN_LOAD_FAILED' } } });
    expect(readFileSync(tried, 'utf8')).toBe('x');
    expect((await gateway.call('GET', '/api/plugins')).body).toMatchObject({ count: 1 });
    expect(readFileSync(join(folder, 'plugins.json'), 'utf8')).not.toContain('1e+300');
  });

  it('change nothing where they cannot be stored', async () => {
    await using gateway = await AdminGateway.start(folder);
    await gateway.call('POST', '/api/plugins', { name: 'a', path: writeVersion('1'), config: { word: 'one' } });
    await gateway.call('POST', '/api/plugins', { name: 'b', path: writeVersion('2'), config: { word: 'two' } });
    expect(await gateway.stamp()).toBe('1 one');
    const store = join(folder, 'plugins.json');
    // Nothing can take the place of a folder.
    renameSync(store, `${store}.kept`);
    mkdirSync(store);
    const calls: readonly (readonly [string, string, unknown])[] = [
      ['POST', '/api/plugins', { name: 'c', path: writeVersion('3') }],
      ['PUT', '/api/plugins/a', { config: { word: 'changed' } }],
      ['PUT', '/api/plugins/sequence', [{ name: 'b', order: -1 }]],
      ['DELETE', '/api/plugins/a', undefined],
    ];
    for (const [method, path, body] of calls) {
      const answer = await gateway.call(method, path, body);
      expect(answer).toMatchObject({ status: 500, body: { error: { code: 'BF_PLUGIN_STORE_UNWRITABLE' } } });
      expect(await gateway.stamp()).toBe('1 one');
    }
    const { body } = await gateway.call<{ plugins: readonly { name: string; config: unknown }[] }>(
      'GET',
      '/api/plugins',
    );
    expect(body.plugins.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(body.plugins[0]?.config).toEqual({ word: 'one' });
    rmdirSync(store);
    renameSync(`${store}.kept`, store);
    expect((await gateway.call('PUT', '/api/plugins/a', { config: { word: 'changed' } })).status).toBe(200);
    expect(await gateway.stamp()).toBe('1 changed');
  });
});

describe('a version that was rolled back', { timeout: 120_000 }, () => {
  it('is not what is shown, changed or started from then on', async () => {
    {
      await using gateway = await AdminGateway.start(folder);
      await gateway.call('POST', '/api/plugins', { name: 'stamp', path: writeVersion('1'), config: { word: 'one' } });
      const failing = writeVersion('2', `throw new Error('new and wrong');`);
      await gateway.call('PUT', '/api/plugins/stamp', { path: failing, config: { word: 'two' } });
      for (let index = 0; index < 50; index++) await gateway.ask();
      await gateway.program.until('stderr', /rolled back to the version before/);
      await expect
        .poll(async () => (await gateway.call('GET', '/api/plugins/stamp')).body, { timeout: 10_000 })
        .toMatchObject({ config: { word: 'one' }, path: join(folder, 'stamp-1.mjs') });
      await gateway.call('PUT', '/api/plugins/stamp', { order: 3 });
      expect(await gateway.stamp()).toBe('1 one');
    }
    await using again = await AdminGateway.start(folder);
    expect(await again.stamp()).toBe('1 one');
  });
});
