/** Canonical parts as content blocks, towards a provider (a request) or towards a client (an answer). */
import type { Json, JsonObject, Part, TextPart, ToolResultPart } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { encodeCacheControl } from './cache-control.ts';
import { encodeCitation } from './citations.ts';
import { present } from './fields.ts';
import { encodeMedia, hasMediaType } from './media.ts';
import { encodeClientReasoning, encodeOwnReasoning } from './reasoning.ts';
import { dialect, isOwn, reportForeign, withResidue } from './residue.ts';
import { packClientToolCallId, sanitizeToolCallId } from './tool-call-id.ts';
import { encodeToolUse, toToolInput, wrappedInputLoss } from './tool-calls.ts';

/** Where a part stands and where it goes. */
export interface BlockContext {
  readonly direction: 'request' | 'response';
  /** The whole request or answer came from an Anthropic wire: what it says is written back without being judged. */
  readonly isOwn: boolean;
  readonly role: 'user' | 'assistant' | 'system';
  /** The part's path in reports, e.g. `messages[2].content[0]`. */
  readonly path: string;
  readonly report: LossReport;
}

function drop(context: BlockContext, reason: string, member = ''): undefined {
  context.report.add({ action: 'dropped', field: context.path + member, reason });
  return undefined;
}

function encodeCitations(part: TextPart, context: BlockContext): readonly JsonObject[] | undefined {
  if (part.citations === undefined) return undefined;
  if (context.direction === 'response') return part.citations.map(encodeCitation);
  // Anthropic checks citations against its own search results and documents; foreign ones would fail the request.
  const own = part.citations.filter((citation) => isOwn(citation) || context.isOwn);
  if (own.length < part.citations.length) drop(context, 'Anthropic accepts only its own citations', '.citations');
  return own.length === 0 && part.citations.length > 0 ? undefined : own.map(encodeCitation);
}

function encodeText(part: TextPart, context: BlockContext): JsonObject | undefined {
  // Anthropic never writes empty text and refuses it, so it must not come to a client that would send it back.
  if (part.text === '' && !context.isOwn && !isOwn(part)) return undefined;
  if (part.signature !== undefined) drop(context, 'Anthropic carries no signature of text', '.signature');
  if (part.logprobs !== undefined) drop(context, 'Anthropic has no log probabilities', '.logprobs');
  const encoded = present({
    type: 'text',
    text: part.text,
    citations: encodeCitations(part, context),
    cache_control: part.cacheControl === undefined ? undefined : encodeCacheControl(part.cacheControl),
  });
  return withResidue(encoded, part.residue);
}

/** A list of blocks as wire content: a string where the wire had one, or where a foreign text needs no more. */
export function toContent(blocks: readonly JsonObject[], isString: boolean): Json {
  const [only] = blocks;
  if (!isString || blocks.length !== 1 || only?.['type'] !== 'text') return blocks;
  return Object.keys(only).length === 2 ? (only['text'] as Json) : blocks;
}

function encodeToolResult(part: ToolResultPart, context: BlockContext): JsonObject {
  const blocks = encodeParts(part.content, (_item, index) => {
    return { ...context, role: 'user', path: `${context.path}.content[${index}]` };
  });
  const wasString = part.residue?.form?.['content'] === 'string';
  const none = wasString ? '' : undefined;
  const encoded = present({
    type: 'tool_result',
    tool_use_id: sanitizeToolCallId(part.toolCallId),
    content: blocks.length === 0 ? none : toContent(blocks, wasString || !context.isOwn),
    is_error: part.isError,
    cache_control: part.cacheControl === undefined ? undefined : encodeCacheControl(part.cacheControl),
  });
  return withResidue(encoded, part.residue);
}

function encodeReasoning(part: Extract<Part, { type: 'reasoning' }>, context: BlockContext): JsonObject | undefined {
  if (context.direction === 'response') return encodeClientReasoning(part);
  const own = encodeOwnReasoning(part);
  if (own !== undefined) return own;
  const reason =
    part.origin !== undefined && part.origin !== dialect
      ? `made by a provider of ${part.origin}: Anthropic refuses thinking that it did not sign`
      : 'Anthropic refuses thinking without its signature';
  return drop(context, reason);
}

function encodeToolCall(part: Extract<Part, { type: 'tool-call' }>, context: BlockContext): JsonObject {
  if (toToolInput(part).isWrapped) context.report.add(wrappedInputLoss(context.path));
  if (context.direction === 'response') return encodeToolUse(part, packClientToolCallId(part.id, part.signature));
  if (part.signature !== undefined) drop(context, 'Anthropic carries no signature of tool calls', '.signature');
  return encodeToolUse(part, sanitizeToolCallId(part.id));
}

/** The blocks of several parts; `contextOf` says where each stands. */
export function encodeParts<Item extends Part>(
  parts: readonly Item[],
  contextOf: (part: Item, index: number) => BlockContext,
): JsonObject[] {
  const blocks: JsonObject[] = [];
  for (const [index, part] of parts.entries()) {
    const block = encodePart(part, contextOf(part, index));
    if (block !== undefined) blocks.push(block);
  }
  return blocks;
}

/** One part as a block; undefined, and a report, for what Anthropic cannot say there. */
export function encodePart(part: Part, context: BlockContext): JsonObject | undefined {
  if ('residue' in part) reportForeign(part.residue, context.path, context.report);
  switch (part.type) {
    case 'text':
      return encodeText(part, context);
    case 'media': {
      if (context.direction === 'response') return drop(context, 'an Anthropic answer carries no media');
      if (context.role === 'assistant' && !isOwn(part) && !context.isOwn) {
        return drop(context, "Anthropic takes media in the user's turns only");
      }
      if (part.detail !== undefined && part.detail !== 'auto')
        drop(context, 'Anthropic has no image detail', '.detail');
      const block = encodeMedia(part, context.isOwn);
      if (typeof block === 'string') return drop(context, block);
      if (part.mediaType !== undefined && !context.isOwn && !isOwn(part) && !hasMediaType(block)) {
        drop(context, 'Anthropic finds the type out by itself', '.media_type');
      }
      return block;
    }
    case 'reasoning':
      return encodeReasoning(part, context);
    case 'tool-call':
      return encodeToolCall(part, context);
    case 'tool-result':
      return encodeToolResult(part, context);
    case 'refusal':
      if (part.text === '') return undefined;
      context.report.add({ action: 'changed', field: context.path, reason: 'Anthropic has refusals as plain text' });
      return { type: 'text', text: part.text };
    case 'server-tool':
    case 'opaque':
      // Kept whole by this dialect's decoder, which only ever puts blocks there.
      if (part.dialect === dialect) return part.value as JsonObject;
      return drop(context, `only ${part.dialect} knows this kind of part`);
  }
}
