/**
 * Ed25519 signatures of manifests. What is signed is the manifest without its `signature`; the code is bound by `integrity`, the
 * digest of `main` in it, so a manifest without that is neither signed nor trusted.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Json, PluginManifest } from '@bifrost/sdk';
import { canonicalJson } from './canonical-json.ts';

/** Both as base64 of their 32 bytes. The private one is the seed of RFC 8032. */
export interface SigningKeys {
  readonly publicKey: string;
  readonly privateKey: string;
}

const keyBytes = 32;

function base64Url(base64: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64');
  const isExact = bytes.length === keyBytes && bytes.toString('base64') === base64;
  return isExact ? bytes.toString('base64url') : undefined;
}

/** A public key from base64 of its 32 bytes; undefined for anything else. */
export function parsePublicKey(base64: string): KeyObject | undefined {
  const x = base64Url(base64);
  if (x === undefined) return undefined;
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  } catch {
    // 32 bytes that are no point of the curve.
    return undefined;
  }
}

/** PKCS #8 of an Ed25519 seed: a fixed head (RFC 8410) and the 32 bytes. */
const privateKeyHead = Buffer.from('302e020100300506032b657004220420', 'hex');

function parsePrivateKey(base64: string): KeyObject {
  const seed = Buffer.from(base64, 'base64');
  if (seed.length !== keyBytes) throw new TypeError('a private key is the base64 of 32 bytes');
  return createPrivateKey({ key: Buffer.concat([privateKeyHead, seed]), format: 'der', type: 'pkcs8' });
}

/** New keys. Keep the private one where the gateway is not. */
export function generateSigningKeys(): SigningKeys {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const [raw, seed] = [publicKey.export({ format: 'jwk' }).x, privateKey.export({ format: 'jwk' }).d];
  const toBase64 = (text: string | undefined): string => Buffer.from(text ?? '', 'base64url').toString('base64');
  return { publicKey: toBase64(raw), privateKey: toBase64(seed) };
}

function signedBytes(manifest: PluginManifest): Buffer {
  const { signature: _, ...rest } = manifest;
  // A manifest comes from JSON and has nothing else in it.
  return Buffer.from(canonicalJson(rest as unknown as Json), 'utf8');
}

/** `manifest` with its signature. Throws TypeError for a key that is none, or a manifest without `integrity`. */
export function signManifest(
  manifest: PluginManifest,
  key: { readonly id: string; readonly privateKey: string },
): PluginManifest {
  if (manifest.integrity === undefined) {
    throw new TypeError(
      'the manifest has no `integrity`: without the digest of `main`, a signature says nothing of the code',
    );
  }
  const signature = sign(null, signedBytes(manifest), parsePrivateKey(key.privateKey));
  return { ...manifest, signature: { keyId: key.id, ed25519: signature.toString('base64') } };
}

export type SignatureVerdict = 'valid' | 'unsigned' | 'no-integrity' | 'unknown-key' | 'bad-key' | 'invalid';

/** What there is to say of a manifest's signature. `keys`: id -> public key as base64. */
export function verifySignature(manifest: PluginManifest, keys: Readonly<Record<string, string>>): SignatureVerdict {
  const { signature } = manifest;
  if (signature === undefined) return 'unsigned';
  if (manifest.integrity === undefined) return 'no-integrity';
  if (!Object.hasOwn(keys, signature.keyId)) return 'unknown-key';
  const key = parsePublicKey(keys[signature.keyId] ?? '');
  if (key === undefined) return 'bad-key';
  return verify(null, signedBytes(manifest), key, Buffer.from(signature.ed25519, 'base64')) ? 'valid' : 'invalid';
}
