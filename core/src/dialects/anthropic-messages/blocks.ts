/** Content blocks and canonical parts. */
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject, OpaquePart, Part, TextPart, ToolResultPart } from '@bifrost/sdk';
import { takeCacheControl } from './cache-control.ts';
import { decodeCitation } from './citations.ts';
import { present, takeArray, takeBoolean, takeString } from './fields.ts';
import type { Fields } from './fields.ts';
import { decodeMedia } from './media.ts';
import { decodeReasoning } from './reasoning.ts';
import { dialect, toResidue } from './residue.ts';
import { unpackClientToolCallId } from './tool-call-id.ts';
import { decodeToolUse } from './tool-calls.ts';

function decodeText(block: JsonObject): TextPart | undefined {
  const rest: Fields = { ...block };
  const text = takeString(rest, 'text');
  if (text === undefined) return undefined;
  delete rest['type'];
  const citations = takeArray(rest, 'citations')?.map(decodeCitation);
  if (citations?.includes(undefined) === true) rest['citations'] = block['citations'];
  return present({
    type: 'text',
    text,
    citations: citations?.filter((citation) => citation !== undefined),
    cacheControl: takeCacheControl(rest),
    residue: toResidue(rest),
  } as const);
}

/** Content of a message or tool result: parts, and whether the wire had a plain string. */
export interface DecodedContent<Item extends Part> {
  readonly parts: readonly Item[];
  readonly isString: boolean;
}

/** A string or a list of blocks. Members of the list that are no objects are kept as opaque parts. */
export function decodeContent(content: Json | undefined): DecodedContent<Part> {
  if (typeof content === 'string') return { parts: [{ type: 'text', text: content }], isString: true };
  const blocks = Array.isArray(content) ? (content as readonly Json[]) : [];
  return { parts: blocks.map(decodeBlock), isString: false };
}

function isResultContent(part: Part): part is TextPart | ToolResultPart['content'][number] {
  return part.type === 'text' || part.type === 'media' || part.type === 'opaque';
}

function decodeToolResult(block: JsonObject): ToolResultPart | undefined {
  const rest: Fields = { ...block };
  const id = takeString(rest, 'tool_use_id');
  const { content: wire } = rest;
  if (id === undefined || (wire !== undefined && typeof wire !== 'string' && !Array.isArray(wire))) return undefined;
  delete rest['type'];
  delete rest['content'];
  const { parts, isString } = decodeContent(wire);
  const content = parts.map((part, index) =>
    isResultContent(part) ? part : opaque((wire as readonly Json[])[index] as Json),
  );
  const isEmptyList = Array.isArray(wire) && wire.length === 0;
  return present({
    type: 'tool-result',
    toolCallId: unpackClientToolCallId(id).id,
    content,
    isError: takeBoolean(rest, 'is_error'),
    cacheControl: takeCacheControl(rest),
    residue: toResidue(rest, isString ? { content: 'string' } : isEmptyList ? { content: [] } : {}),
  } as const);
}

function opaque(value: Json): OpaquePart {
  return { type: 'opaque', dialect, value };
}

/** True for the blocks of tools that Anthropic (or an MCP server for it) runs. */
export function isServerToolBlock(type: Json | undefined): type is string {
  return (
    typeof type === 'string' &&
    (type === 'server_tool_use' || type === 'mcp_tool_use' || (type.endsWith('_tool_result') && type !== 'tool_result'))
  );
}

function decodeKnown(block: JsonObject): Part | undefined {
  switch (block['type']) {
    case 'text':
      return decodeText(block);
    case 'image':
    case 'document':
      return decodeMedia(block);
    case 'tool_use':
      return decodeToolUse(block);
    case 'tool_result':
      return decodeToolResult(block);
    case 'thinking':
    case 'redacted_thinking':
      return decodeReasoning(block);
    default:
      return isServerToolBlock(block['type'])
        ? { type: 'server-tool', dialect, name: block['type'], value: block }
        : undefined;
  }
}

/** One block. What the canonical model has no name for, or what is malformed, is kept whole as an opaque part. */
export function decodeBlock(block: Json): Part {
  return (isJsonObject(block) ? decodeKnown(block) : undefined) ?? opaque(block);
}
