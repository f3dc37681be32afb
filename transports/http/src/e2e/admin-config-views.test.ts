/** What plugins say of their own configs, through the admin API and the store, in every isolation. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdminGateway } from '../__tests__/admin-gateway.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bifrost-views-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Neither a schema nor the member's name says that `pass` is a secret: only the plugin knows. */
function writePlugin(): string {
  const path = join(folder, 'vault.mjs');
  writeFileSync(
    path,
    `const check = (config, when) => { if (config.fail === when) throw new Error('no, ' + config.pass); };
    export default { name: 'vault',
      redactConfig(config) { check(config, 'shown'); return { ...config, pass: '<hidden>' }; },
      marshalConfigForStorage(config) { check(config, 'stored'); return { ...config, pass: 'ref:' + config.pass.length }; },
      httpTransportResponseHeadersHook: ({ config }) => ({ headers: { 'x-stamp': config.pass + ' ' + config.level } }),
    };`,
  );
  return path;
}

const stored = (): string => readFileSync(join(folder, 'plugins.json'), 'utf8');
interface Shown {
  readonly config: Readonly<Record<string, unknown>>;
}

// Each starts the program.
describe.each(['inline', 'worker', 'process'])('a config of a plugin in %s', { timeout: 120_000 }, (isolation) => {
  const entry = () => ({ name: 'vault', path: writePlugin(), isolation, config: { pass: 'open sesame', level: 1 } });

  it('is shown and stored as the plugin says; what was shown and comes back is put back', async () => {
    {
      await using gateway = await AdminGateway.start(folder);
      const { body } = await gateway.call<{ readonly plugin: Shown }>('POST', '/api/plugins', entry());
      expect(body.plugin.config).toEqual({ pass: '<hidden>', level: 1 });
      const list = await gateway.call('GET', '/api/plugins');
      expect(JSON.stringify(list.body)).not.toContain('sesame');
      expect(stored()).toContain('"pass": "ref:11"');
      expect(stored()).not.toContain('sesame');
      // As a form does it: everything that was shown, with one change.
      const config = { ...body.plugin.config, level: 2 };
      await gateway.call('PUT', '/api/plugins/vault', { config });
      expect(await gateway.stamp()).toBe('open sesame 2');
      expect(stored()).toContain('"pass": "ref:11"');
      // One that is off cannot be asked: its config is not shown, and stays stored as it was.
      const off = await gateway.call<{ readonly plugin: Shown }>('PUT', '/api/plugins/vault', { enabled: false });
      expect(off.body.plugin.config).toEqual({});
      expect(stored()).not.toContain('sesame');
      await gateway.call('PUT', '/api/plugins/vault', { enabled: true });
      expect(await gateway.stamp()).toBe('open sesame 2');
    }
    await using again = await AdminGateway.start(folder);
    expect(await again.stamp()).toBe('ref:11 2');
  });

  it('is not shown where redactConfig fails, and not changed where marshalConfigForStorage does', async () => {
    await using gateway = await AdminGateway.start(folder);
    const { config, ...rest } = entry();
    const shown = await gateway.call('POST', '/api/plugins', { ...rest, config: { ...config, fail: 'shown' } });
    expect(shown).toMatchObject({ status: 201, body: { plugin: { config: {} } } });
    await expect.poll(() => gateway.program.stderr).toMatch(/nothing of the config of plugin vault is shown/);
    const refused = await gateway.call('PUT', '/api/plugins/vault', { config: { fail: 'stored', level: 9 } });
    expect(refused).toMatchObject({ status: 422, body: { error: { code: 'BF_PLUGIN_CONFIG_VIEW_FAILED' } } });
    expect(await gateway.stamp()).toBe('open sesame 1');
    expect(stored()).not.toContain('sesame');
    expect(stored()).toContain('"fail": "shown"');
    // The plugin's errors have the secret in them.
    expect(JSON.stringify(refused.body) + gateway.program.stderr + gateway.program.stdout).not.toContain('sesame');
  });
});
