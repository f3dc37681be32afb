/**
 * The credential of the admin API: one token, made at the first start, shown then and never again. The file keeps its hash alone.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '@bifrost/sdk';
import { hashAdminToken } from './admin-token.ts';

const fileName = 'admin-token.json';
const tokenPrefix = 'bfa_';
/** Of a token that an operator chooses. */
const minLength = 16;

export interface AdminCredential {
  /** The token itself, only where it was made just now. */
  readonly newToken?: string;
  /** Where its hash is kept; absent where it lives as long as the process. */
  readonly file?: string;
  /** Why it is not kept, where it should have been. */
  readonly warning?: string;
  /** SHA-256 of the token, 64 hexadecimal digits: what whoever checks it needs. */
  readonly hash: string;
}

function credentialOf(hash: Buffer, facts: Omit<AdminCredential, 'hash'>): AdminCredential {
  return { ...facts, hash: hash.toString('hex') };
}

function readHash(file: string): Buffer | undefined {
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
  throw new GatewayError(`${file} holds no hash of an admin token; delete it to get a new token`, {
    code: 'BF_ADMIN_TOKEN_UNREADABLE',
    statusCode: 500,
  });
}

function writeHash(directory: string, hash: Buffer): string {
  const file = join(directory, fileName);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const content = { sha256: hash.toString('hex'), created_at: new Date().toISOString() };
  // `wx`: of two processes that start at once, one makes the token.
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  return file;
}

export interface AdminCredentialOptions {
  /** The app directory. */
  readonly directory: string;
  /** A token that the operator gives (`BIFROST_ADMIN_TOKEN`); nothing is stored then. */
  readonly given?: string;
}

/**
 * Opens the credential: the operator's own, or the stored one, or a new one. Throws GatewayError `BF_ADMIN_TOKEN_SHORT` and
 * `BF_ADMIN_TOKEN_UNREADABLE`: a gateway with an empty or broken credential must not start.
 */
export function openAdminCredential({ directory, given }: AdminCredentialOptions): AdminCredential {
  if (given !== undefined) {
    if (given.length < minLength) {
      throw new GatewayError(
        `BIFROST_ADMIN_TOKEN has ${given.length} characters; give at least ${minLength}, or leave it out`,
        {
          code: 'BF_ADMIN_TOKEN_SHORT',
          statusCode: 500,
        },
      );
    }
    return credentialOf(hashAdminToken(given), {});
  }
  const file = join(directory, fileName);
  const stored = readHash(file);
  if (stored !== undefined) return credentialOf(stored, { file });
  const newToken = tokenPrefix + randomBytes(32).toString('base64url');
  const hash = hashAdminToken(newToken);
  try {
    return credentialOf(hash, { newToken, file: writeHash(directory, hash) });
  } catch (error) {
    const other = error instanceof Error && 'code' in error && error.code === 'EEXIST' ? readHash(file) : undefined;
    if (other !== undefined) return credentialOf(other, { file });
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return credentialOf(hash, {
      newToken,
      warning: `the admin token cannot be kept in ${file} (${why}): it is for this run only`,
    });
  }
}
