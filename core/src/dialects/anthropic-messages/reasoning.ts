/**
 * Thinking blocks. Anthropic's own keep their bytes. Opaque values of other dialects travel through an Anthropic client inside
 * `signature` (with text) or `redacted_thinking.data` (without), tagged by `provenance.ts`, and find their maker again.
 */
import type { DialectName, JsonObject, ReasoningPart } from '@bifrost/sdk';
import { tagOpaque, untagOpaque } from '../provenance.ts';
import { dropExpected, present, takeString } from './fields.ts';
import type { Fields } from './fields.ts';
import { dialect, toResidue, withResidue } from './residue.ts';

/** Opaque values and their maker, as reasoning parts and `reasoning-end` events have them. */
export interface OpaqueValues {
  readonly signature?: string;
  readonly encrypted?: string;
  readonly origin?: DialectName;
}

/** Reads a `signature` or `data` member: this dialect's own value, or a tagged one of another. */
export function readOpaque(value: string | undefined, kind: 'signature' | 'encrypted'): OpaqueValues {
  if (value === undefined || value === '') return {};
  const tagged = untagOpaque(value);
  if (tagged === undefined) return { [kind]: value, origin: dialect };
  return { [tagged.kind]: tagged.value, origin: tagged.dialect };
}

/** A `thinking` or `redacted_thinking` block; undefined when a member is missing or of the wrong type. */
export function decodeReasoning(block: JsonObject): ReasoningPart | undefined {
  const rest: Fields = { ...block };
  delete rest['type'];
  if (block['type'] === 'redacted_thinking') {
    const data = takeString(rest, 'data');
    if (data === undefined) return undefined;
    return present({
      type: 'reasoning',
      text: '',
      ...readOpaque(data, 'encrypted'),
      residue: toResidue(rest),
    } as const);
  }
  const text = takeString(rest, 'thinking');
  if (text === undefined) return undefined;
  const opaque = readOpaque(takeString(rest, 'signature'), 'signature');
  dropExpected(rest, 'signature', '');
  return present({ type: 'reasoning', text, ...opaque, residue: toResidue(rest) } as const);
}

/** A block that Anthropic made itself, as it made it; undefined for reasoning that Anthropic would refuse. */
export function encodeOwnReasoning(part: ReasoningPart): JsonObject | undefined {
  if (part.origin !== dialect) return undefined;
  if (part.encrypted !== undefined) {
    return withResidue({ type: 'redacted_thinking', data: part.encrypted }, part.residue);
  }
  if (part.signature === undefined) return undefined;
  return withResidue({ type: 'thinking', thinking: part.text, signature: part.signature }, part.residue);
}

/** The opaque value of a reasoning part in the form in which an Anthropic client carries it; undefined when it has none. */
export function clientOpaque(part: OpaqueValues): string | undefined {
  const kind = part.encrypted === undefined ? 'signature' : 'encrypted';
  const value = part.encrypted ?? part.signature;
  if (value === undefined) return undefined;
  // Without a known maker the value may go back to nobody; a tag of this dialect would claim that Anthropic made it.
  if (part.origin === undefined) return undefined;
  return part.origin === dialect ? value : tagOpaque({ dialect: part.origin, kind, value });
}

/** Reasoning of any maker for an Anthropic client. */
export function encodeClientReasoning(part: ReasoningPart): JsonObject {
  const own = encodeOwnReasoning(part);
  if (own !== undefined) return own;
  const opaque = clientOpaque(part);
  if (part.text === '' && opaque !== undefined) return { type: 'redacted_thinking', data: opaque };
  return withResidue({ type: 'thinking', thinking: part.text, signature: opaque ?? '' }, part.residue);
}
