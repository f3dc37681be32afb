/** A plugin's line of the log, cut to a bound on both sides of a channel: no plugin fills memory or a disk through one line. */
import { isJsonObject } from '@bifrost/sdk';
import type { JsonObject } from '@bifrost/sdk';

const maxTextCharacters = 8192;
const maxFieldsCharacters = 16_384;

/** The text of a line; of what is no text its type. */
export function cutText(message: unknown): string {
  const text = typeof message === 'string' ? message : textOf(message);
  return text.length > maxTextCharacters ? `${text.slice(0, maxTextCharacters)}...` : text;
}

function textOf(message: unknown): string {
  try {
    return String(message);
  } catch {
    return `(${typeof message})`; // an object that does not turn into text
  }
}

/** A line's fields as plain JSON of bounded size; what is too much or no JSON is left out, and said to be. */
export function plainFields(fields: unknown): JsonObject {
  try {
    const text = JSON.stringify(fields ?? {});
    if (text.length > maxFieldsCharacters) return { ...requestIdOf(fields), fields: 'too long, left out' };
    const plain: unknown = JSON.parse(text);
    return isJsonObject(plain) ? plain : { fields: 'no object, left out' };
  } catch {
    return { fields: 'not JSON, left out' };
  }
}

function requestIdOf(fields: unknown): JsonObject {
  const id = isJsonObject(fields) ? fields['requestId'] : undefined;
  return typeof id === 'string' && id.length <= maxTextCharacters ? { requestId: id } : {};
}
