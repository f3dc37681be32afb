import { z } from 'zod';
import type { PluginTrust } from '../plugins/artefacts/signature/check-trust.ts';
import { knownObject, stringList, wholeNumber } from './schema-parts.ts';

/** `plugin_trust` of config.json: whose plugins are taken, and from where. */
export const pluginTrustSchema = knownObject({
  keys: z
    .record(
      z.string().min(1),
      z.string().regex(/^[A-Za-z0-9+/]{43}=$/, { error: 'expected an Ed25519 public key: the base64 of 32 bytes' }),
    )
    .optional(),
  require_signature: z.boolean().optional(),
  private_hosts: stringList.optional(),
  max_download_mb: wholeNumber(1, 1024).optional(),
});

/** Which plugins the operator takes. */
export interface PluginSupply extends PluginTrust {
  /** Hosts that plugins may be downloaded from although their addresses are not public. */
  readonly privateHosts: readonly string[];
  /** @default 64 MiB */
  readonly maxDownloadBytes?: number;
}

/** `plugin_trust` with its defaults. */
export function resolvePluginTrust(file: z.output<typeof pluginTrustSchema> = {}): PluginSupply {
  return {
    keys: file.keys ?? {},
    isSignatureRequired: file.require_signature ?? false,
    privateHosts: file.private_hosts ?? [],
    ...(file.max_download_mb === undefined ? {} : { maxDownloadBytes: file.max_download_mb * 1_048_576 }),
  };
}
