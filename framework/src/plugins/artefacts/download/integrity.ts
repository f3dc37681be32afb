/** Digests of artefacts, as configurations and manifests state them. */
import { createHash } from 'node:crypto';

/** SHA-256 as 64 hexadecimal digits. */
export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** `sha256-` and base64, as manifests and Subresource Integrity have it. */
export function toIntegrity(sha256: string): string {
  return `sha256-${Buffer.from(sha256, 'hex').toString('base64')}`;
}

/** The hexadecimal digest of an integrity string; undefined for another algorithm or length. */
export function fromIntegrity(integrity: string): string | undefined {
  const match = /^sha256-([A-Za-z0-9+/]{43}=)$/.exec(integrity);
  return match?.[1] === undefined ? undefined : Buffer.from(match[1], 'base64').toString('hex');
}

export interface StatedDigest {
  readonly sha256?: string;
  readonly integrity?: string;
}

/** The digest that an entry or a manifest states, in hexadecimal. */
export function statedDigest({ sha256, integrity }: StatedDigest): string | undefined {
  if (sha256 !== undefined) return sha256.toLowerCase();
  return integrity === undefined ? undefined : fromIntegrity(integrity);
}
