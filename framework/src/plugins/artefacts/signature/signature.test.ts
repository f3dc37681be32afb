import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Json, PluginManifest } from '@bifrost/sdk';
import { canonicalJson } from './canonical-json.ts';
import { assertTrusted } from './check-trust.ts';
import type { PluginTrust } from './check-trust.ts';
import { generateSigningKeys, parsePublicKey, signManifest, verifySignature } from './sign-manifest.ts';

const manifest: PluginManifest = {
  name: 'p',
  version: '1.0.0',
  api: '1',
  main: 'p.so',
  integrity: `sha256-${Buffer.alloc(32, 1).toString('base64')}`,
};

describe('canonical JSON', () => {
  it('is the example of RFC 8785', () => {
    const value = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    ) as Json;
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts names by code units, as RFC 8785 shows', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
    const value = Object.fromEntries(names.map((name) => [name, 0]));
    expect(Object.keys(JSON.parse(canonicalJson(value)) as object)).toHaveLength(7);
    expect([...canonicalJson(value).matchAll(/"([^"]+)":0/g)].map((match) => match[1])).toEqual([
      '\\r',
      '1',
      '\u0080',
      '\u00f6',
      '\u20ac',
      '\u{1f600}',
      '\ufb33',
    ]);
  });

  it('is the same for every order of members, and means the same', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 2 })), (value) => {
        const shuffled = Object.fromEntries(Object.entries(value).toReversed());
        // fast-check's values are JSON.
        const [a, b] = [canonicalJson(value as Json), canonicalJson(shuffled as Json)];
        expect(a).toBe(b);
        expect(JSON.parse(a)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('refuses what has none', () => {
    expect(() => canonicalJson('\ud800')).toThrow(TypeError);
    expect(() => canonicalJson(Number.NaN)).toThrow(TypeError);
  });
});

describe('signatures', () => {
  const keys = generateSigningKeys();
  const signed = signManifest(manifest, { id: 'me', privateKey: keys.privateKey });

  it('of the key of RFC 8032 are those of RFC 8032', () => {
    expect(
      parsePublicKey(
        Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex').toString('base64'),
      ),
    ).toBeDefined();
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex').toString(
      'base64',
    );
    const publicKey = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex').toString(
      'base64',
    );
    expect(verifySignature(signManifest(manifest, { id: 'rfc', privateKey: seed }), { rfc: publicKey })).toBe('valid');
  });

  it('fit, whatever order the members come in', () => {
    const reordered = Object.fromEntries(Object.entries(signed).toReversed()) as unknown as PluginManifest;
    expect(verifySignature(reordered, { me: keys.publicKey })).toBe('valid');
  });

  it('do not fit after any change', () => {
    for (const change of [
      { version: '1.0.1' },
      { main: 'q.so' },
      { integrity: `sha256-${'A'.repeat(43)}=` },
      { guard: true },
    ]) {
      expect(verifySignature({ ...signed, ...change }, { me: keys.publicKey })).toBe('invalid');
    }
    expect(verifySignature(signed, { me: generateSigningKeys().publicKey })).toBe('invalid');
  });

  it('are not made without a digest of the code', () => {
    const { integrity: _, ...rest } = manifest;
    expect(() => signManifest(rest, { id: 'me', privateKey: keys.privateKey })).toThrow(/no `integrity`/);
    expect(verifySignature({ ...rest, signature: { keyId: 'me', ed25519: '' } }, { me: keys.publicKey })).toBe(
      'no-integrity',
    );
  });

  it.each<[string, PluginManifest | undefined, PluginTrust, string?]>([
    ['a good signature', signed, { keys: { me: keys.publicKey }, isSignatureRequired: true }],
    ['none, where none is needed', manifest, { keys: {}, isSignatureRequired: false }],
    ['no manifest, where none is needed', undefined, { keys: {}, isSignatureRequired: false }],
    [
      'none, where one is needed',
      manifest,
      { keys: { me: keys.publicKey }, isSignatureRequired: true },
      'BF_PLUGIN_SIGNATURE_MISSING',
    ],
    [
      'no manifest, where one is needed',
      undefined,
      { keys: {}, isSignatureRequired: true },
      'BF_PLUGIN_SIGNATURE_MISSING',
    ],
    [
      'an unknown key, where one is needed',
      signed,
      { keys: { mee: keys.publicKey }, isSignatureRequired: true },
      'BF_PLUGIN_SIGNATURE_UNTRUSTED',
    ],
    ['an unknown key, where none is needed', signed, { keys: {}, isSignatureRequired: false }],
    [
      'a key that is none',
      signed,
      { keys: { me: 'AAAA' }, isSignatureRequired: false },
      'BF_PLUGIN_SIGNATURE_UNTRUSTED',
    ],
    [
      'a wrong signature, where none is needed',
      { ...signed, version: '2.0.0' },
      { keys: { me: keys.publicKey }, isSignatureRequired: false },
      'BF_PLUGIN_SIGNATURE_INVALID',
    ],
    [
      'a key called like a member of objects',
      { ...signed, signature: { keyId: 'constructor', ed25519: '' } },
      { keys: {}, isSignatureRequired: true },
      'BF_PLUGIN_SIGNATURE_UNTRUSTED',
    ],
  ])('are judged: %s', (_what, given, trust, code) => {
    const judge = (): void => assertTrusted('p', given, trust);
    if (code === undefined) expect(judge).not.toThrow();
    else expect(judge).toThrow(expect.objectContaining({ code }));
  });
});
