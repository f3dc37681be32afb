/**
 * Credentials that the gateway makes for itself: each is made at the first start that needs it, shown then and never again. The
 * file keeps its hash alone.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '@bifrost/sdk';
import { hashCredential } from './credential-hash.ts';

/** What a credential is called and where it is kept. */
export interface CredentialKind {
  /** In messages, such as `admin token`. */
  readonly name: string;
  /** In the app directory. */
  readonly fileName: string;
  readonly prefix: string;
  /** The environment variable with which an operator gives one. */
  readonly variable: string;
}

/** The credential of the admin API. */
export const adminToken: CredentialKind = {
  name: 'admin token',
  fileName: 'admin-token.json',
  prefix: 'bfa_',
  variable: 'BIFROST_ADMIN_TOKEN',
};

/** The one credential of all callers of inference; it begins as Bifrost's virtual keys do, so that clients send it where those go. */
export const inferenceKey: CredentialKind = {
  name: 'inference key',
  fileName: 'inference-key.json',
  prefix: 'sk-bf-',
  variable: 'BIFROST_INFERENCE_KEY',
};

/** Of a credential that an operator chooses. */
export const minCredentialLength = 16;

export interface StoredCredential {
  /** The credential itself, only where it was made just now. */
  readonly newValue?: string;
  /** Where its hash is kept; absent where it lives as long as the process. */
  readonly file?: string;
  /** Why it is not kept, where it should have been. */
  readonly warning?: string;
  /** SHA-256 of the credential, 64 hexadecimal digits: what whoever checks it needs. */
  readonly hash: string;
}

export interface OpenCredentialOptions {
  /** The app directory. */
  readonly directory: string;
  /** One that the operator gives (the kind's `variable`); nothing is stored then. */
  readonly given?: string | undefined;
}

function credentialOf(hash: Buffer, facts: Omit<StoredCredential, 'hash'>): StoredCredential {
  return { ...facts, hash: hash.toString('hex') };
}

function readHash(kind: CredentialKind, file: string): Buffer | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    // No folder of that name either: the attempt to write says why.
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw error;
  }
  const match = /"sha256":\s*"([0-9a-f]{64})"/.exec(text);
  if (match?.[1] !== undefined) return Buffer.from(match[1], 'hex');
  throw new GatewayError(`${file} holds no hash of an ${kind.name}; delete it to get a new one`, {
    code: 'BF_CREDENTIAL_UNREADABLE',
    statusCode: 500,
  });
}

function writeHash(directory: string, file: string, hash: Buffer): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const content = { sha256: hash.toString('hex'), created_at: new Date().toISOString() };
  // `wx`: of two processes that start at once, one makes it.
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  return file;
}

/**
 * Opens a credential: the operator's own, or the stored one, or a new one. Throws GatewayError `BF_CREDENTIAL_SHORT` and
 * `BF_CREDENTIAL_UNREADABLE`: a gateway with an empty or broken credential must not start.
 */
export function openStoredCredential(
  kind: CredentialKind,
  { directory, given }: OpenCredentialOptions,
): StoredCredential {
  if (given !== undefined) {
    if (given.length < minCredentialLength) {
      const message = `${kind.variable} has ${given.length} characters; give at least ${minCredentialLength}, or leave it out`;
      throw new GatewayError(message, { code: 'BF_CREDENTIAL_SHORT', statusCode: 500 });
    }
    return credentialOf(hashCredential(given), {});
  }
  const file = join(directory, kind.fileName);
  const stored = readHash(kind, file);
  if (stored !== undefined) return credentialOf(stored, { file });
  const newValue = kind.prefix + randomBytes(32).toString('base64url');
  const hash = hashCredential(newValue);
  try {
    return credentialOf(hash, { newValue, file: writeHash(directory, file, hash) });
  } catch (error) {
    const other =
      error instanceof Error && 'code' in error && error.code === 'EEXIST' ? readHash(kind, file) : undefined;
    if (other !== undefined) return credentialOf(other, { file });
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return credentialOf(hash, {
      newValue,
      warning: `the ${kind.name} cannot be kept in ${file} (${why}): it is for this run only`,
    });
  }
}
