import type { StoredBody } from '../body/stored-body.ts';
import { memberValue, storedValue } from '../json/member-value.ts';
import { peekTopLevel } from '../json/peek.ts';
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';
import { peekedKeys } from './peeked-fields.ts';

/** A stored body has been scanned for these behind `peekedKeys`. */
export const continuedKeys = ['previous_response_id', 'conversation'] as const;
const encryptedKey = '"encrypted_content"';
export const encryptedMark: Buffer = Buffer.from(encryptedKey);
/** `"encrypted_content" : "` with what may stand between, from the key on, and enough of the value to tell it from others. */
const encryptedValue = /"encrypted_content"\s*:\s*"([^"\\]{8,96})/g;
/** How much after a key is looked at. */
const shownBytes = 160;
/** `"id" : "..."`, the first of an answer: a response's own. */
const firstId = /"id"\s*:\s*"([^"\\]{4,96})"/;

/**
 * What a request of the Responses API continues, by the names that its maker gave: the response before it, the conversation, the last
 * of its encrypted reasoning.
 */
export function continuedNames(body: Buffer): readonly string[] {
  const { members } = peekTopLevel(body, continuedKeys);
  return namesIn(memberValue(body, members[0]), memberValue(body, members[1]), lastEncrypted(body));
}

/** The same of a body that is stored: what was seen as it went by is read again. */
export function storedNames(stored: StoredBody): readonly string[] {
  const { members } = stored.scanned.top();
  const [previous, conversation] = members.slice(peekedKeys.length).map((found) => {
    const member = found?.at(-1);
    return member && storedValue(stored.readNow(member.valueStart, member.valueEnd), member.valueStart);
  });
  const { encryptedAt } = stored.scanned;
  let encrypted: string | undefined;
  for (let index = 0; index < encryptedAt.length && encrypted === undefined; index += 1) {
    const at = encryptedAt[index] as number;
    encrypted = encryptedIn(stored.readNow(at, Math.min(at + shownBytes, stored.length)));
  }
  return namesIn(previous, conversation, encrypted);
}

function namesIn(previous: unknown, conversation: unknown, encrypted: string | undefined): readonly string[] {
  const names: string[] = [];
  if (typeof previous === 'string' && previous !== '') names.push(previous);
  const id = isJsonObject(conversation as Json) ? (conversation as JsonObject)['id'] : conversation;
  if (typeof id === 'string' && id !== '') names.push(id);
  if (encrypted !== undefined) names.push(encrypted);
  return names;
}

/** The value behind a key that begins the bytes. */
function encryptedIn(bytes: Buffer): string | undefined {
  encryptedValue.lastIndex = 0;
  return encryptedValue.exec(bytes.toString('latin1'))?.[1];
}

/** The last one that is not null: reasoning of a later turn was made by who took the earlier turns. */
function lastEncrypted(body: Buffer): string | undefined {
  for (
    let at = body.lastIndexOf(encryptedKey);
    at !== -1;
    at = at === 0 ? -1 : body.lastIndexOf(encryptedKey, at - 1)
  ) {
    const value = encryptedIn(body.subarray(at, at + shownBytes));
    if (value !== undefined) return value;
  }
  return undefined;
}

/**
 * Reads the names that an answer of the Responses API gives, whole or streamed, however its bytes are cut: the response's id and
 * each encrypted reasoning. What is cut is found again with the end of the bytes before.
 */
export class GivenNames {
  readonly #note: (name: string) => void;
  #hasId = false;
  #tail = '';

  constructor(note: (name: string) => void) {
    this.#note = note;
  }

  push(chunk: Buffer): void {
    const text = this.#tail + chunk.toString('latin1');
    this.#tail = text.slice(-shownBytes);
    if (!this.#hasId) {
      const id = firstId.exec(text)?.[1];
      if (id !== undefined) {
        this.#hasId = true;
        this.#note(id);
      }
    }
    if (!text.includes(encryptedKey)) return;
    encryptedValue.lastIndex = 0;
    for (let found = encryptedValue.exec(text); found !== null; found = encryptedValue.exec(text)) {
      // A value that the chunk cuts short would be another name; with the next chunk it is whole, or long enough.
      const end = found.index + found[0].length;
      if (end < text.length) this.#note(found[1] as string);
    }
  }
}
