/** The built-in plugins pass what any plugin has to pass: the conformance kit, in every isolation, with configs that make them act. */
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '@bifrost/sdk';
import type { PluginTestReport } from '@bifrost/testkit/plugins';
import { Workshop } from './__tests__/workshop.ts';

const plugins = resolve(import.meta.dirname, '../../plugins');

const rules = [
  {
    name: 'canned',
    conditions: { message_regex: '(?i)weather|answer' },
    responses: [{ type: 'success', content: { message: 'It is as it is.' } }],
  },
  {
    name: 'busy',
    probability: 0,
    responses: [{ type: 'error', error: { message: 'slow down', type: 'rate_limit', status_code: 429 } }],
  },
];

const cases: Readonly<Record<string, readonly JsonObject[]>> = {
  mocker: [{}, { default_behavior: 'passthrough', global_latency: { type: 'fixed', min: '1ms' }, rules }],
  'json-parser': [{ usage: 'all_requests' }],
  guard: [
    { pii: true, rules: [{ name: 'all', pattern: '[aeiou]', action: 'redact' }] },
    { action: 'block', pii: true },
  ],
};

it('each of them is in this test', () => {
  expect(Object.keys(cases).toSorted()).toEqual(readdirSync(plugins).toSorted());
});

describe.each(Object.entries(cases))('the built-in plugin %s', (name, configs) => {
  it.each(configs)('passes the conformance kit in every isolation with %o', { timeout: 120_000 }, async (config) => {
    using workshop = new Workshop();
    const options = ['--config', JSON.stringify(config), '--reloads', '1', '--json'];
    const { out, err, exitCode } = await workshop.run('plugin', 'test', resolve(plugins, name), ...options);
    const report = JSON.parse(out) as PluginTestReport;
    expect(report.cases.filter(({ status }) => status !== 'passed')).toEqual([]);
    expect([exitCode, err]).toEqual([0, '']);
    expect(new Set(report.cases.map(({ isolation }) => isolation))).toEqual(new Set(['inline', 'worker', 'process']));
    expect(Object.values(report.calls).every((calls) => calls > 0)).toBe(true);
  });
});
