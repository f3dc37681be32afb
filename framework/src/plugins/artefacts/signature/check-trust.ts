/** Whether the operator trusts who made a plugin. */
import { PluginError } from '@bifrost/sdk';
import type { PluginManifest } from '@bifrost/sdk';
import { didYouMean } from '../../../config/suggestion.ts';
import { verifySignature } from './sign-manifest.ts';
import type { SignatureVerdict } from './sign-manifest.ts';

/** `plugin_trust` of the configuration. */
export interface PluginTrust {
  /** Names of makers, each with its Ed25519 public key: the base64 of 32 bytes. */
  readonly keys: Readonly<Record<string, string>>;
  /** Refuse what has no signature of one of them. @default false */
  readonly isSignatureRequired?: boolean;
}

function knownKeys(keys: Readonly<Record<string, string>>): string {
  const names = Object.keys(keys);
  return names.length === 0 ? 'there are no keys in `plugin_trust`' : `known are ${names.join(', ')}`;
}

type Refusal = readonly [code: string, message: string];

function refusalOf(verdict: SignatureVerdict, keyId: string, trust: PluginTrust | undefined): Refusal | undefined {
  const { keys = {}, isSignatureRequired = false } = trust ?? {};
  switch (verdict) {
    case 'valid':
      return undefined;
    case 'unsigned':
      if (!isSignatureRequired) return undefined;
      return [
        'BF_PLUGIN_SIGNATURE_MISSING',
        `it is not signed, and \`plugin_trust.require_signature\` is true: sign it with \`bifrost plugin sign\` and a key of \`plugin_trust.keys\` (${knownKeys(keys)})`,
      ];
    case 'no-integrity':
      return [
        'BF_PLUGIN_SIGNATURE_INVALID',
        'its manifest is signed, but has no `integrity`, so that the signature says nothing of the code: build it anew with `bifrost plugin build`, then sign it',
      ];
    case 'unknown-key':
      // Without any keys the operator has asked for no check; with keys, a foreign signature is as good as none.
      if (!isSignatureRequired) return undefined;
      return [
        'BF_PLUGIN_SIGNATURE_UNTRUSTED',
        `it is signed with the key "${keyId}", which \`plugin_trust.keys\` does not have (${knownKeys(keys)})${didYouMean(keyId, Object.keys(keys))}`,
      ];
    case 'bad-key':
      return [
        'BF_PLUGIN_SIGNATURE_UNTRUSTED',
        `\`plugin_trust.keys.${keyId}\` is not an Ed25519 public key: expected the base64 of 32 bytes, as \`bifrost plugin keygen\` prints it`,
      ];
    case 'invalid':
      return [
        'BF_PLUGIN_SIGNATURE_INVALID',
        `the signature of its manifest by "${keyId}" does not fit: the manifest was changed after it was signed, or signed with another key. Get the plugin anew from its maker`,
      ];
  }
}

/** Throws PluginError unless the signature is one to trust. A signature that is wrong is refused also where none is needed. */
export function assertTrusted(
  plugin: string,
  manifest: PluginManifest | undefined,
  trust: PluginTrust | undefined,
): void {
  const verdict = manifest === undefined ? 'unsigned' : verifySignature(manifest, trust?.keys ?? {});
  const refusal = refusalOf(verdict, manifest?.signature?.keyId ?? '', trust);
  if (refusal === undefined) return;
  const [code, message] = refusal;
  throw new PluginError(plugin, message, { code });
}
