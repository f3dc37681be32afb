import { isJsonObject } from '@bifrost/sdk';
import type { Json, MediaPart, Message, OpaquePart, Part, Role, TextPart, ToolCallPart } from '@bifrost/sdk';
import { unpackToolCallId } from '../provenance.ts';
import { decodeAssistant, decodeContent } from './assistant-decode.ts';
import { ObjectReader, optional, residueOf, wrongType } from './object-reader.ts';
import type { ReadMode } from './object-reader.ts';

const roles: ReadonlySet<string> = new Set(['system', 'developer', 'user', 'assistant', 'tool', 'function']);

/** What earlier messages tell about later ones: the names of called tools, and the ids made up for legacy function calls. */
interface Calls {
  readonly names: Map<string, string>;
  legacyCount: number;
}

function decodeToolMessage(reader: ObjectReader, role: 'tool' | 'function', calls: Calls): Message {
  const content = decodeContent(reader, true) as readonly (TextPart | MediaPart | OpaquePart)[];
  const name = reader.string('name');
  let toolCallId: string;
  if (role === 'function') {
    toolCallId = `call_function_${calls.legacyCount}`;
    reader.note('role', 'function');
  } else {
    const packed = reader.string('tool_call_id');
    if (packed === undefined)
      throw wrongType(
        reader.pathOf('tool_call_id'),
        reader.peek('tool_call_id'),
        'the id of the tool call that this answers',
      );
    toolCallId = unpackToolCallId(packed).id;
  }
  const toolName = name ?? calls.names.get(toolCallId);
  return {
    role: 'tool',
    parts: [{ type: 'tool-result', toolCallId, ...optional('toolName', toolName), content }],
    ...optional('name', name),
    ...residueOf(reader),
  };
}

function rememberNames(parts: readonly Part[], calls: Calls): void {
  for (const part of parts) if (part.type === 'tool-call') calls.names.set(part.id, part.name);
}

function decodeMessage(raw: Json, path: string, mode: ReadMode, calls: Calls): Message {
  if (!isJsonObject(raw)) throw wrongType(path, raw, "an object with 'role' and 'content'");
  const reader = new ObjectReader(raw, path, mode);
  const role = reader.take('role');
  if (typeof role !== 'string' || !roles.has(role)) {
    throw wrongType(`${path}.role`, role, 'one of system, developer, user, assistant, tool, function');
  }
  if (role === 'tool' || role === 'function') return decodeToolMessage(reader, role, calls);
  if (role === 'assistant') {
    const id = `call_function_${calls.legacyCount + 1}`;
    const parts = decodeAssistant(reader, id);
    if (parts.some((part) => part.type === 'tool-call' && isMadeUp(part, id))) calls.legacyCount += 1;
    rememberNames(parts, calls);
    reader.noteAbsent('content');
    return { role, parts, ...optional('name', reader.string('name')), ...residueOf(reader) };
  }
  const content = reader.peek('content');
  if (content === undefined || content === null)
    throw wrongType(`${path}.content`, content, 'a string or an array of content parts');
  return {
    role: role as Role,
    parts: decodeContent(reader, true),
    ...optional('name', reader.string('name')),
    ...residueOf(reader),
  };
}

function isMadeUp(part: ToolCallPart, id: string): boolean {
  return part.id === id && part.residue?.form?.['field'] === 'function_call';
}

/** The `messages` of a request. Throws where they are missing, empty or of a wrong shape. */
export function decodeMessages(raw: Json | undefined, mode: ReadMode): readonly Message[] {
  if (!Array.isArray(raw))
    throw wrongType('messages', raw, 'an array of messages, such as [{"role":"user","content":"Hello"}]');
  if (raw.length === 0) throw wrongType('messages', raw, 'at least one message');
  const calls: Calls = { names: new Map(), legacyCount: 0 };
  return (raw as readonly Json[]).map((message, index) => decodeMessage(message, `messages[${index}]`, mode, calls));
}
