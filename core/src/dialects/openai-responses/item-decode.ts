/** The items of `input` and `output` as messages and parts. */
import type { Json, JsonObject, MediaPart, Message, Part, ReasoningPart, Role, ToolCallPart } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import { unpackToolCallId, untagOpaque } from '../provenance.ts';
import { decodeContentList, startItem } from './content.ts';
import { listField, stringField } from './json-fields.ts';
import type { Remainder } from './residue.ts';
import { defined, dialect, remainderOf, toResidue, withItem } from './residue.ts';

/** One item decoded: whose turn it belongs to, its parts, and what is left of a message. */
export interface DecodedItem {
  readonly role: Role;
  readonly parts: readonly Part[];
  /** Set for a message that is one whole canonical message: everything but assistant turns. */
  readonly message?: Remainder;
}

const roles: ReadonlySet<unknown> = new Set(['system', 'developer', 'user', 'assistant', 'tool']);

/** Items of tools that the provider runs. */
const serverTools: ReadonlySet<string> = new Set([
  'web_search_call',
  'x_search_call',
  'file_search_call',
  'code_interpreter_call',
  'image_generation_call',
  'computer_call',
  'local_shell_call',
  'shell_call',
  'apply_patch_call',
  'mcp_call',
  'mcp_list_tools',
  'mcp_approval_request',
  'tool_search_call',
  'tool_search_output',
  'program',
  'program_output',
  'shell_call_output',
]);

/** Members of items that mean nothing outside this API. */
const formal = ['type', 'id', 'status', 'object'] as const;

function opaqueItem(item: JsonObject): DecodedItem {
  const { role, type } = item;
  const isOutput = typeof type === 'string' && (type.endsWith('_output') || type === 'mcp_approval_response');
  const parts: Part[] = [{ type: 'opaque', dialect, value: item }];
  if (roles.has(role) && role !== 'assistant') return { role: role as Role, parts, message: { fields: {}, form: {} } };
  return { role: isOutput ? 'tool' : 'assistant', parts };
}

function decodeMessage(item: JsonObject, role: Role): DecodedItem {
  const { content } = item;
  const remainder = remainderOf(item, ['role', 'content'], formal);
  if (role === 'assistant') {
    if (typeof content === 'string') {
      return { role, parts: [startItem({ type: 'text', text: content }, remainder)] };
    }
    if (!Array.isArray(content) || content.length === 0 || !content.every(isJsonObject)) return opaqueItem(item);
    return { role, parts: decodeContentList(content as JsonObject[], remainder) };
  }
  if (typeof content === 'string') return { role, parts: [{ type: 'text', text: content }], message: remainder };
  if (!Array.isArray(content) || !content.every(isJsonObject)) return opaqueItem(item);
  return { role, parts: decodeContentList(content as JsonObject[]), message: remainder };
}

function decodeCall(item: JsonObject, textKey: 'arguments' | 'input'): DecodedItem {
  const [callId, name, text] = [stringField(item, 'call_id'), stringField(item, 'name'), stringField(item, textKey)];
  if (callId === undefined || name === undefined || text === undefined) return opaqueItem(item);
  const call: ToolCallPart = {
    type: 'tool-call',
    ...unpackToolCallId(callId),
    name,
    arguments: text,
    ...(textKey === 'input' ? { isFreeform: true } : {}),
    ...toResidue(remainderOf(item, ['call_id', 'name', textKey], formal)),
  };
  return { role: 'assistant', parts: [call] };
}

function decodeCallOutput(item: JsonObject): DecodedItem {
  const { output } = item;
  const callId = stringField(item, 'call_id');
  const isList = Array.isArray(output) && output.every(isJsonObject);
  if (callId === undefined || (typeof output !== 'string' && !isList)) return opaqueItem(item);
  const content = typeof output === 'string' ? undefined : decodeContentList(output as JsonObject[]);
  const remainder = remainderOf(item, ['call_id', 'output'], formal);
  const form = content?.length === 0 ? { ...remainder.form, output: [] } : remainder.form;
  const result: Part = {
    type: 'tool-result',
    toolCallId: unpackToolCallId(callId).id,
    content: (content ?? [{ type: 'text', text: output as string }]).filter((part) => part.type !== 'refusal'),
    ...toResidue({ fields: remainder.fields, form }),
  };
  return { role: 'tool', parts: [result] };
}

/** Whose opaque value `encrypted_content` is: this dialect's, or another's that came through a client of this one. */
export function decodeEncrypted(value: string): Pick<ReasoningPart, 'encrypted' | 'signature' | 'origin'> {
  const tagged = untagOpaque(value);
  if (tagged === undefined) return { encrypted: value, origin: dialect };
  return { [tagged.kind]: tagged.value, origin: tagged.dialect };
}

function decodeThought(part: JsonObject, isSummary: boolean): ReasoningPart | undefined {
  const text = stringField(part, 'text');
  const type = isSummary ? 'summary_text' : 'reasoning_text';
  if (text === undefined) return undefined;
  // An empty text keeps its type: without one, a part says that the item has no text at all.
  const taken = part['type'] === type && text !== '' ? ['text', 'type'] : ['text'];
  return {
    type: 'reasoning',
    text,
    ...(isSummary ? { isSummary } : {}),
    ...toResidue(remainderOf(part, taken, ['type'])),
  };
}

function decodeThoughts(list: readonly Json[] | undefined, isSummary: boolean): readonly (ReasoningPart | undefined)[] {
  return (list ?? []).map((part) => (isJsonObject(part) ? decodeThought(part, isSummary) : undefined));
}

function decodeReasoning(item: JsonObject): DecodedItem {
  const [summary, content] = [listField(item, 'summary'), listField(item, 'content')];
  const thoughts = [...decodeThoughts(summary, true), ...decodeThoughts(content, false)];
  if (!thoughts.every((thought) => thought !== undefined)) return opaqueItem(item);
  const id = stringField(item, 'id');
  const encrypted = stringField(item, 'encrypted_content');
  const isOdd =
    (id === undefined && (item['id'] ?? null) !== null) ||
    (encrypted === undefined && (item['encrypted_content'] ?? null) !== null) ||
    (summary === undefined && (item['summary'] ?? null) !== null);
  if (isOdd) return opaqueItem(item);
  // Neither text nor opaque value: a mere reference to what the provider holds under the id.
  if (thoughts.length === 0 && encrypted === undefined) return opaqueItem(item);
  const taken = ['id', 'encrypted_content', 'summary', ...((content?.length ?? 0) > 0 ? ['content'] : [])];
  // An empty `content` list and the absence of `summary` are forms of "none".
  const item_ = remainderOf(item, taken, ['type', 'status', ...(content?.length === 0 ? ['content'] : [])]);
  const remainder =
    summary === undefined && item['summary'] !== null
      ? { ...item_, form: { ...item_.form, hasNoSummary: true } }
      : item_;
  const texts: readonly ReasoningPart[] = thoughts.length === 0 ? [{ type: 'reasoning', text: '' }] : thoughts;
  const parts = texts.map((thought, index): ReasoningPart => ({
    ...thought,
    ...defined({ id }),
    ...(encrypted !== undefined && index === texts.length - 1 ? decodeEncrypted(encrypted) : {}),
  }));
  return { role: 'assistant', parts: parts.map((part, index) => (index === 0 ? startItem(part, remainder) : part)) };
}

/** A picture that the model made: media for every dialect, the rest of the item in its residue. */
function decodeGeneratedImage(item: JsonObject, data: string): DecodedItem {
  const format = stringField(item, 'output_format');
  const image: MediaPart = {
    type: 'media',
    kind: 'image',
    source: { type: 'base64', data },
    ...(format === undefined ? {} : { mediaType: `image/${format}` }),
    ...toResidue(withItem({ fields: {}, form: {} }, remainderOf(item, ['result'], [...formal, 'output_format']))),
  };
  return { role: 'assistant', parts: [image] };
}

/** Decodes one item. Never throws: what does not have the documented shape is kept whole. */
export function decodeItem(item: JsonObject): DecodedItem {
  const { type, role } = item;
  if ((type === undefined || type === 'message') && roles.has(role)) return decodeMessage(item, role as Role);
  switch (type) {
    case 'function_call':
      return decodeCall(item, 'arguments');
    case 'custom_tool_call':
      return decodeCall(item, 'input');
    case 'function_call_output':
    case 'custom_tool_call_output':
      return decodeCallOutput(item);
    case 'reasoning':
      return decodeReasoning(item);
    case 'image_generation_call': {
      const result = stringField(item, 'result');
      if (result !== undefined) return decodeGeneratedImage(item, result);
      break;
    }
    default:
  }
  if (typeof type !== 'string' || !serverTools.has(type)) return opaqueItem(item);
  return { role: 'assistant', parts: [{ type: 'server-tool', dialect, name: type, value: item }] };
}

/** Decodes `input`: consecutive items of one assistant turn, and consecutive tool outputs, are one message. */
export function decodeItems(items: readonly JsonObject[]): readonly Message[] {
  const messages: { role: Role; parts: Part[]; message?: Remainder }[] = [];
  for (const item of items) {
    const { role, parts, message } = decodeItem(item);
    const last = messages.at(-1);
    if (message === undefined && last !== undefined && last.role === role && last.message === undefined) {
      last.parts.push(...parts);
    } else messages.push({ role, parts: [...parts], ...(message === undefined ? {} : { message }) });
  }
  return messages.map(({ role, parts, message }) => {
    if (message === undefined) return { role, parts };
    return { role, parts, ...toResidue(withItem({ fields: {}, form: {} }, message)) };
  });
}
