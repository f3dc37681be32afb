/** The check of an admin token against its hash: all that a serving thread knows of it. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-256 of a token. It has 256 random bits, so a plain digest cannot be guessed backwards. */
export function hashAdminToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Whether `presented` is the token with this hash (64 hexadecimal digits). Takes the same time for every wrong one of a length. */
export function isAdminToken(presented: string, hash: string): boolean {
  return timingSafeEqual(hashAdminToken(presented), Buffer.from(hash, 'hex'));
}
