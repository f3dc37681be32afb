/** Reasoning items: texts, ids and the opaque value that only their maker can read. */
import type { Json, JsonObject, ReasoningPart } from '@bifrost/sdk';
import { tagOpaque } from '../provenance.ts';
import type { ItemContext } from './item-context.ts';
import { reportOf } from './item-context.ts';
import { dialect, isOwn, ownRemainder, splitItem, spread } from './residue.ts';

/** What of an opaque value may stand in `encrypted_content`. */
export type EncryptedResult = { readonly value: string } | { readonly dropped: string } | undefined;

/** Towards a provider: only this dialect's values. Towards a client: everybody's, marked with their maker. */
export function encodeEncrypted(
  part: Pick<ReasoningPart, 'encrypted' | 'signature' | 'origin'>,
  mode: ItemContext['mode'],
): EncryptedResult {
  const { encrypted, signature, origin } = part;
  const value = encrypted ?? signature;
  if (value === undefined) return undefined;
  if (origin === undefined) return { dropped: 'who made it is not known' };
  if (origin === dialect && encrypted !== undefined) return { value };
  if (mode === 'request') return { dropped: `only ${origin} can read it` };
  return { value: tagOpaque({ dialect: origin, kind: encrypted === undefined ? 'signature' : 'encrypted', value }) };
}

function isTextPresent(part: ReasoningPart): boolean {
  return part.text !== '' || part.isSummary === true || ownRemainder(part).form['type'] !== undefined;
}

function encodeThought(part: ReasoningPart, type: string): JsonObject {
  return { type, ...spread(splitItem(ownRemainder(part)).part), text: part.text };
}

function encryptedOf(parts: readonly ReasoningPart[], context: ItemContext): string | undefined {
  let value: string | undefined;
  for (const part of parts) {
    const result = encodeEncrypted(part, context.mode);
    if (result === undefined) continue;
    if ('value' in result) value = result.value;
    else reportOf(context, part).add({ action: 'dropped', field: 'encrypted_content', reason: result.dropped });
  }
  return value;
}

/**
 * One reasoning item. Towards a provider, an item that carries neither this dialect's residue nor a value of its own is left out
 * and reported: the API refuses reasoning that it cannot check, except where a provider is known to take plain texts.
 */
export function encodeReasoning(
  parts: readonly ReasoningPart[],
  item: JsonObject,
  context: ItemContext,
): JsonObject | undefined {
  const { mode } = context;
  const encrypted = encryptedOf(parts, context);
  const isForeign = !parts.some(isOwn) || parts.some((part) => (part.origin ?? dialect) !== dialect);
  if (mode === 'request' && isForeign && encrypted === undefined && context.isPlainReasoningAccepted !== true) {
    for (const part of parts)
      reportOf(context, part).add({
        action: 'dropped',
        field: '',
        reason: 'reasoning: the Responses API takes no reasoning of other models back',
      });
    return undefined;
  }
  const isSummary = (part: ReasoningPart): boolean =>
    part.isSummary === true || (context.isSummaryWanted === true && !isOwn(part));
  const texts = parts.filter(isTextPresent);
  const summary = texts.filter(isSummary).map((part) => encodeThought(part, 'summary_text'));
  const content = texts.filter((part) => !isSummary(part)).map((part) => encodeThought(part, 'reasoning_text'));
  const { hasNoSummary, ...own } = item;
  const id = parts.find((part) => part.id !== undefined)?.id;
  const isBare = Object.keys(item).length === 0;
  const defaults: JsonObject = mode === 'response' && isBare ? { status: context.status ?? 'completed' } : {};
  const result: Record<string, Json | undefined> = { ...defaults, type: 'reasoning', ...own };
  if (mode === 'response' && isBare) result['id'] = id ?? context.newId('rs');
  else if (id !== undefined && (!isForeign || mode === 'response')) result['id'] = id;
  if (hasNoSummary !== true || summary.length > 0) result['summary'] = own['summary'] === null ? null : summary;
  if (content.length > 0) result['content'] = content;
  if (encrypted !== undefined) result['encrypted_content'] = encrypted;
  return result;
}
