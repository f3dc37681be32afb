/** The check of a credential against its hash: all that a serving thread knows of it. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-256 of a credential. Those that are made here have 256 random bits, so a plain digest cannot be guessed backwards. */
export function hashCredential(credential: string): Buffer {
  return createHash('sha256').update(credential).digest();
}

/** Whether `presented` is the credential with this hash (64 hexadecimal digits). Takes the same time for every wrong one of a length. */
export function isCredential(presented: string, hash: string): boolean {
  return timingSafeEqual(hashCredential(presented), Buffer.from(hash, 'hex'));
}
