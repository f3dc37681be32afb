/**
 * Opaque values (thinking signatures, encrypted reasoning, thought signatures of tool calls) are worth something only to the
 * provider that made them, and must come back byte for byte. A client of another dialect has to carry them through its own
 * fields without knowing; these functions mark such values on the way out and recognise them on the way in, so that they reach
 * their maker again and nobody else. Stateless: any replica of the gateway can read them.
 */
import type { DialectName } from '@bifrost/sdk';

/** An opaque value and who made it. */
export interface Provenance {
  readonly dialect: DialectName;
  readonly kind: 'signature' | 'encrypted';
  readonly value: string;
}

/** base64 of `{"bifrost":`; every tagged value begins with it (11 bytes: the last one decides only half of a character). */
const tagPrefix = Buffer.from('{"bifrost":').toString('base64').slice(0, 14);

/** Marks an opaque value so that a foreign dialect can carry it. The result is valid base64 (Gemini requires that). */
export function tagOpaque(provenance: Provenance): string {
  return Buffer.from(JSON.stringify({ bifrost: 1, ...provenance })).toString('base64');
}

/** Reads what `tagOpaque` wrote; undefined for any other string, which then belongs to the dialect it was found in. */
export function untagOpaque(text: string): Provenance | undefined {
  if (!text.startsWith(tagPrefix)) return undefined;
  try {
    const { bifrost, dialect, kind, value } = JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Provenance & {
      readonly bifrost: number;
    };
    return bifrost === 1 && typeof value === 'string' ? { dialect, kind, value } : undefined;
  } catch {
    return undefined; // not ours: a provider's own value that happens to begin alike
  }
}

const idSeparator = '__bfsig_';

/**
 * What a body that holds a wrapped value has somewhere in its bytes. Each begins with a character that text seldom has: the search
 * for it costs a tenth of that for the whole prefix (0.5 ms in 10 MB).
 */
export const wrappedMarks: readonly string[] = [tagPrefix.slice(tagPrefix.indexOf('J')), idSeparator];

/**
 * A tool-call id that carries the call's signature (Gemini `thoughtSignature`) through dialects that have no field for it. Keeps to
 * the strictest charset, Anthropic's `[a-zA-Z0-9_-]`, provided that `id` does.
 */
export function packToolCallId(id: string, signature: string | undefined): string {
  return signature === undefined ? id : `${id}${idSeparator}${Buffer.from(signature).toString('base64url')}`;
}

/** Reads what `packToolCallId` wrote; any other id comes back as it is. */
export function unpackToolCallId(packed: string): { readonly id: string; readonly signature?: string } {
  const at = packed.lastIndexOf(idSeparator);
  if (at === -1) return { id: packed };
  const signature = Buffer.from(packed.slice(at + idSeparator.length), 'base64url').toString('utf8');
  return { id: packed.slice(0, at), signature };
}
