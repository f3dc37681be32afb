import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startTestServer, testConfig } from '../__tests__/test-server.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-artefacts-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const module = `export default { name: 'p', init(context) { context.log.info('level is ' + context.config.level); }, preRequestHook() {} };`;

function writeManifest(members: object): void {
  const manifest = { name: 'p', version: '1.0.0', api: '1', main: 'p.mjs', ...members };
  writeFileSync(join(folder, 'bifrost-plugin.json'), JSON.stringify(manifest));
}

it('starts without a plugin that cannot be loaded, and says why in one sentence everywhere', async () => {
  writeFileSync(join(folder, 'p.so'), '<!doctype html><html>Sign in</html>');
  await using test = await startTestServer({ plugins: [{ name: 'p', path: join(folder, 'p.so') }] });
  const [plugin] = test.server.plugins.list();
  const sentence =
    `${folder}/p.so should be a native library, but it is an HTML page: it was probably saved from a page ` +
    'that asks for a login or says "not found"; download the file itself';
  expect(plugin).toMatchObject({ state: 'error', code: 'BF_PLUGIN_WRONG_FORMAT' });
  expect(plugin?.message).toContain(`plugin p: ${sentence}; whether it is a guard is not known`);
  expect(test.records.map(({ message }) => message).join('\n')).toContain(sentence);
  expect((await fetch(`${test.url}/health`)).status).toBe(200);
});

it('gives a plugin the defaults of its manifest, and refuses a config that does not fit before any code runs', async () => {
  writeFileSync(join(folder, 'p.mjs'), module);
  const properties = { level: { type: 'string', default: 'low' } };
  writeManifest({ configSchema: { type: 'object', properties, additionalProperties: false } });
  const entry = { name: 'p', path: folder };
  await using test = await startTestServer({ plugins: [entry] });
  await test.logged(/level is low/);
  expect(test.server.plugins.list()).toMatchObject([{ state: 'active', kind: 'module' }]);
  const wrong = testConfig({ plugins: [{ ...entry, config: { levle: 'high' } }] });
  await expect(test.server.reconfigure(wrong)).rejects.toThrow('config.levle: unknown key; did you mean "level"?');
  expect(test.server.plugins.list()).toMatchObject([{ state: 'active' }]);
  expect(test.records.filter(({ message }) => /level is/.test(message))).toHaveLength(1);
});

it('takes signed plugins only where the operator says so', async () => {
  writeFileSync(join(folder, 'p.mjs'), module);
  writeManifest({});
  const file = { plugins: [{ name: 'p', path: folder }], plugin_trust: { require_signature: true } };
  await using test = await startTestServer(file);
  expect(test.server.plugins.list()).toMatchObject([{ state: 'error', code: 'BF_PLUGIN_SIGNATURE_MISSING' }]);
});
