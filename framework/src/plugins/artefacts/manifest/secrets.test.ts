import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { JsonObject } from '@bifrost/sdk';
import { maskSecrets, restoreSecrets, secretMask } from './secrets.ts';

const schema: JsonObject = {
  $defs: { target: { properties: { url: { type: 'string' }, token: { type: 'string', secret: true } } } },
  properties: {
    key: { type: 'string', secret: true },
    level: { type: 'string' },
    targets: { type: 'array', items: { $ref: '#/$defs/target' } },
    either: { anyOf: [{ type: 'string' }, { properties: { password: { secret: true } } }] },
    headers: { additionalProperties: { secret: true } },
    store: { secret: true, type: 'object' },
  },
};

const config: JsonObject = {
  key: 'k-1',
  level: 'low',
  targets: [
    { url: 'a', token: 't-a' },
    { url: 'b', token: 't-b' },
  ],
  either: { password: 'p' },
  headers: { 'x-a': 'h' },
  store: { user: 'u' },
};

describe('secrets of a config', () => {
  it('are masked wherever the schema marks them', () => {
    const shown = maskSecrets(config, schema);
    expect(shown).toEqual({
      key: secretMask,
      level: 'low',
      targets: [
        { url: 'a', token: secretMask },
        { url: 'b', token: secretMask },
      ],
      either: { password: secretMask },
      headers: { 'x-a': secretMask },
      store: secretMask,
    });
    expect(JSON.stringify(shown)).not.toMatch(/k-1|t-a|t-b|"p"|"h"|"u"/);
  });

  it('leave what says nothing or only where the secret is', () => {
    expect(maskSecrets({ key: '' }, schema)).toEqual({ key: '' });
    expect(maskSecrets({ key: 'env.MY_KEY' }, schema)).toEqual({ key: 'env.MY_KEY' });
    expect(maskSecrets({ key: 'env.MY KEY' }, schema)).toEqual({ key: secretMask });
  });

  it('are put back when what was shown comes back', () => {
    expect(restoreSecrets(maskSecrets(config, schema), config, schema)).toEqual({ config, missing: [] });
  });

  it('are changed where a new value is given', () => {
    const given = { ...maskSecrets(config, schema), key: 'k-2', level: 'high' };
    expect(restoreSecrets(given, config, schema).config).toEqual({ ...config, key: 'k-2', level: 'high' });
  });

  it('follow an item that has moved, and do not reach one that was not there', () => {
    const distinct: JsonObject = { targets: config['targets'] };
    const moved = { targets: [{ url: 'b', token: secretMask }] };
    expect(restoreSecrets(moved, distinct, schema).config).toEqual({ targets: [{ url: 'b', token: 't-b' }] });
    const foreign = { targets: [{ url: 'https://evil.example', token: secretMask }] };
    expect(restoreSecrets(foreign, distinct, schema).missing).toEqual(['config.targets[0].token']);
  });

  it('say what is missing when a mask stands for nothing', () => {
    expect(restoreSecrets({ key: secretMask }, {}, schema).missing).toEqual(['config.key']);
  });

  it('never show themselves, whatever the config is', () => {
    const value = fc.string({ minLength: 3 }).map((text) => `SECRET${text}`);
    fc.assert(
      fc.property(value, fc.array(value), fc.dictionary(fc.string(), value), (key, tokens, headers) => {
        const whole: JsonObject = {
          key,
          targets: tokens.map((token) => ({ token })),
          headers,
          either: { password: key },
        };
        expect(JSON.stringify(maskSecrets(whole, schema))).not.toContain('SECRET');
      }),
    );
  });
});
