/** Anthropic accepts tool-call ids of `[a-zA-Z0-9_-]+` only; ids of other dialects are put into that set, reversibly. */
import { packToolCallId, unpackToolCallId } from '../provenance.ts';

const allowed = /^[a-zA-Z0-9_-]+$/;
const prefix = 'bfid_';

/** How such an id begins in a request's JSON. */
export const sanitizedIdMark: string = `"${prefix}`;

/** The id as Anthropic accepts it: itself where it may stay, `bfid_` + base64url of it otherwise. Injective and stateless. */
export function sanitizeToolCallId(id: string): string {
  if (allowed.test(id) && !id.startsWith(prefix)) return id;
  return prefix + Buffer.from(id).toString('base64url');
}

/** Undoes `sanitizeToolCallId`; any other id comes back as it is. */
export function restoreToolCallId(id: string): string {
  return id.startsWith(prefix) ? Buffer.from(id.slice(prefix.length), 'base64url').toString('utf8') : id;
}

/** What an Anthropic client gets as id: sanitised, with the call's signature packed in. */
export function packClientToolCallId(id: string, signature: string | undefined): string {
  return packToolCallId(sanitizeToolCallId(id), signature);
}

/** Reads an id that an Anthropic client sent back. */
export function unpackClientToolCallId(packed: string): { readonly id: string; readonly signature?: string } {
  const unpacked = unpackToolCallId(packed);
  return { ...unpacked, id: restoreToolCallId(unpacked.id) };
}
