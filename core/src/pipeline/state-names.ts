import { memberValue } from '../json/member-value.ts';
import { peekTopLevel } from '../json/peek.ts';
import { isJsonObject } from '@bifrost/sdk';
import type { Json } from '@bifrost/sdk';

const keys = ['previous_response_id', 'conversation'] as const;
const encryptedKey = '"encrypted_content"';
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
  const { members } = peekTopLevel(body, keys);
  const names: string[] = [];
  const previous = memberValue(body, members[0]);
  if (typeof previous === 'string' && previous !== '') names.push(previous);
  const conversation = memberValue(body, members[1]) as Json | undefined;
  const id = isJsonObject(conversation) ? conversation['id'] : conversation;
  if (typeof id === 'string' && id !== '') names.push(id);
  const encrypted = lastEncrypted(body);
  if (encrypted !== undefined) names.push(encrypted);
  return names;
}

/** The last one that is not null: reasoning of a later turn was made by who took the earlier turns. */
function lastEncrypted(body: Buffer): string | undefined {
  for (
    let at = body.lastIndexOf(encryptedKey);
    at !== -1;
    at = at === 0 ? -1 : body.lastIndexOf(encryptedKey, at - 1)
  ) {
    encryptedValue.lastIndex = 0;
    const value = encryptedValue.exec(body.toString('latin1', at, at + shownBytes))?.[1];
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
