import { randomBytes } from 'node:crypto';

/**
 * Makes ids of one answer, e.g. `msg_` and 32 hexadecimal digits: a random stem, common to the answer, and a count, so that no two are
 * alike. `seed` is the stem where the caller has one.
 */
export function createIdSource(seed?: string): (prefix: string) => string {
  let stem = seed?.replace(/^[a-z]+[_-]/, '');
  let count = 0;
  return (prefix) => {
    stem ??= randomBytes(12).toString('hex');
    count += 1;
    return `${prefix}_${stem}${count.toString(16).padStart(8, '0')}`;
  };
}
