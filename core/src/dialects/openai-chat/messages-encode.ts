import type { Json, JsonObject, MediaPart, Message, OpaquePart, Part, TextPart, ToolResultPart } from '@bifrost/sdk';
import { encodeAssistant } from './assistant-encode.ts';
import { encodeContentPart } from './content-encode.ts';
import type { ContentPart } from './content-encode.ts';
import { addResidue, formOf } from './encode-context.ts';
import type { EncodeContext } from './encode-context.ts';
import type { MutableJson } from './object-reader.ts';

function isPlainText(part: Part, context: EncodeContext): part is TextPart {
  const hasMarker = part.type === 'text' && part.cacheControl !== undefined && isMarkerKnown(context);
  return part.type === 'text' && part.residue?.dialect !== context.dialect && !hasMarker;
}

function isMarkerKnown(context: EncodeContext): boolean {
  return context.isOwn || context.quirks.extraFields?.includes('cache_control') === true;
}

/** `content` of a message that is not the assistant's: a string for one plain text, else a list of parts. */
function encodeContent(
  parts: readonly Part[],
  message: Message,
  path: string,
  context: EncodeContext,
): Json | undefined {
  const form = formOf(message.residue, context.dialect);
  const only = parts[0];
  const isList = form['content'] === 'array' || parts.length !== 1 || only === undefined || !isPlainText(only, context);
  const encoded = parts.flatMap((part, index) => {
    const at = `${path}.content[${index}]`;
    if (part.type === 'text' || part.type === 'media' || part.type === 'opaque' || part.type === 'refusal') {
      return encodeContentPart(part satisfies ContentPart, at, context) ?? [];
    }
    context.report.add({ action: 'dropped', field: at, reason: `a ${message.role} message cannot hold ${part.type}` });
    return [];
  });
  if (parts.length === 0 && form['content'] !== 'array') return undefined;
  return isList ? encoded : (only as TextPart).text;
}

/** The content with the result's cache marker on its last text: a message has no place for one. */
function withMarker(
  content: ToolResultPart['content'],
  cacheControl: ToolResultPart['cacheControl'],
): ToolResultPart['content'] {
  const at = content.findLastIndex((part) => part.type === 'text');
  if (cacheControl === undefined || at === -1) return content;
  return content.map((part, index) => (index === at && part.type === 'text' ? { cacheControl, ...part } : part));
}

/** A tool's result as its own message. Media that a tool message cannot hold are moved to `overflow`. */
function encodeToolResult(
  part: ToolResultPart,
  message: Message,
  place: { readonly path: string; readonly overflow: Part[] },
  context: EncodeContext,
): JsonObject {
  const form = formOf(message.residue, context.dialect);
  const isOwn = message.residue?.dialect === context.dialect || context.isOwn;
  const target: MutableJson =
    form['role'] === 'function' ? { role: 'function' } : { role: 'tool', tool_call_id: part.toolCallId };
  let content: readonly (TextPart | MediaPart | OpaquePart)[] = part.content;
  if (!isOwn && content.some((one) => one.type === 'media')) {
    place.overflow.push(...content.filter((one) => one.type === 'media'));
    content = content.filter((one) => one.type !== 'media');
    if (content.length === 0) content = [{ type: 'text', text: 'The result is attached to the next message.' }];
    context.report.add({
      action: 'changed',
      field: `${place.path}.content`,
      reason: 'media of a tool result follow in a user message',
    });
  }
  if (part.isError === true) {
    context.report.add({
      action: 'dropped',
      field: `${place.path}.is_error`,
      reason: 'a tool message has no error flag',
    });
  }
  const value = encodeContent(withMarker(content, part.cacheControl), message, place.path, context);
  target['content'] = value ?? '';
  if (value === undefined && message.residue?.dialect === context.dialect) delete target['content'];
  if (message.name !== undefined) target['name'] = message.name;
  return addResidue(target, message.residue, place.path, context);
}

function encodeMessage(
  message: Message,
  path: string,
  context: EncodeContext,
): { readonly messages: readonly JsonObject[]; readonly overflow: readonly Part[] } {
  if (message.role === 'assistant') {
    const frame = {
      path,
      form: formOf(message.residue, context.dialect),
      ...(message.residue === undefined ? {} : { residue: message.residue }),
    };
    const target = encodeAssistant(message.parts, frame, context);
    if (message.name !== undefined) target['name'] = message.name;
    return { messages: [target], overflow: [] };
  }
  const overflow: Part[] = [];
  const results = message.parts.filter((part) => part.type === 'tool-result');
  const messages = results.map((part) => encodeToolResult(part, message, { path, overflow }, context));
  const others = message.parts.filter((part) => part.type !== 'tool-result');
  if (results.length > 0) return { messages, overflow: [...overflow, ...others] };
  const role = message.role === 'developer' && context.quirks.noDeveloperRole === true ? 'system' : message.role;
  const target: MutableJson = { role: role === 'tool' ? 'user' : role };
  const content = encodeContent(message.parts, message, path, context);
  target['content'] = content ?? '';
  if (message.name !== undefined) target['name'] = message.name;
  return { messages: [addResidue(target, message.residue, path, context)], overflow: [] };
}

/**
 * The `messages` of a request. Tool results become messages of their own, right after the calls that they answer; what stood
 * beside them (or cannot stand in them) follows in one user message.
 */
export function encodeMessages(messages: readonly Message[], context: EncodeContext): readonly JsonObject[] {
  const encoded: JsonObject[] = [];
  let overflow: Part[] = [];
  /** The message of which the overflow is a part: losses are named by where they stood. */
  let overflowFrom = 0;
  const flush = (): void => {
    if (overflow.length === 0) return;
    const path = `messages[${overflowFrom}]`;
    encoded.push({
      role: 'user',
      content: encodeContent(overflow, { role: 'user', parts: overflow }, path, context) ?? '',
    });
    overflow = [];
  };
  for (const [index, message] of messages.entries()) {
    const isToolResult = message.parts.some((part) => part.type === 'tool-result');
    if (!isToolResult) flush();
    const next = encodeMessage(message, `messages[${index}]`, context);
    encoded.push(...next.messages);
    if (overflow.length === 0) overflowFrom = index;
    overflow.push(...next.overflow);
  }
  flush();
  return encoded;
}
