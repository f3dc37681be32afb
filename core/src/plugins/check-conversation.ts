/** Validates conversations, answers and stream events that a plugin returned, as far as the engine relies on them. */
import type { ConversationRequest, ConversationResponse, ErrorInfo, Part, Role, StreamEvent } from '@bifrost/sdk';
import { arrayAt, assertJson, HookResultError, objectAt, optionalString, stringAt } from './check-value.ts';

const roles = new Set<string>(['system', 'developer', 'user', 'assistant', 'tool'] satisfies Role[]);

/** What each part type must carry: `string` members by name. */
const partStrings: Readonly<Record<Part['type'], readonly string[]>> = {
  text: ['text'],
  media: ['kind'],
  reasoning: ['text'],
  'tool-call': ['id', 'name', 'arguments'],
  'tool-result': ['toolCallId'],
  refusal: ['text'],
  'server-tool': ['dialect', 'name'],
  opaque: ['dialect'],
};

const eventStrings: Readonly<Record<StreamEvent['type'], readonly string[]>> = {
  'response-start': [],
  'text-start': ['part'],
  'text-delta': ['part', 'text'],
  'text-end': ['part'],
  'refusal-start': ['part'],
  'refusal-delta': ['part', 'text'],
  'refusal-end': ['part'],
  'reasoning-start': ['part'],
  'reasoning-delta': ['part', 'text'],
  'reasoning-end': ['part'],
  'tool-call-start': ['part', 'id', 'name'],
  'tool-call-delta': ['part', 'argumentsDelta'],
  'tool-call-end': ['part'],
  'media-delta': ['part', 'kind', 'data'],
  citation: ['part'],
  'server-tool': ['dialect', 'name'],
  opaque: ['dialect'],
  usage: [],
  finish: [],
  error: [],
};

/** The string members that an entry of `table` asks for, by the value's `type`. */
function assertTyped(
  value: unknown,
  member: string,
  table: Readonly<Record<string, readonly string[]>>,
): Readonly<Record<string, unknown>> {
  const object = objectAt(value, member);
  const { type } = object;
  const strings = typeof type === 'string' && Object.hasOwn(table, type) ? table[type] : undefined;
  if (strings === undefined)
    throw new HookResultError(`${member}.type`, `one of ${Object.keys(table).join(', ')}`, type);
  for (const name of strings) stringAt(object[name], `${member}.${name}`);
  return object;
}

function assertParts(value: unknown, member: string): void {
  const parts = arrayAt(value, member);
  for (let index = 0; index < parts.length; index += 1) {
    const part = assertTyped(parts[index], `${member}[${index}]`, partStrings);
    if (part['type'] === 'media')
      stringAt(objectAt(part['source'], `${member}[${index}].source`)['type'], `${member}[${index}].source.type`);
    if (part['type'] === 'tool-result') assertParts(part['content'], `${member}[${index}].content`);
  }
}

function assertMessage(value: unknown, member: string): void {
  const message = objectAt(value, member);
  const { role } = message;
  if (typeof role !== 'string' || !roles.has(role)) {
    throw new HookResultError(`${member}.role`, `one of ${[...roles].join(', ')}`, role);
  }
  assertParts(message['parts'], `${member}.parts`);
  assertJson(message, member);
}

/** Asserts a request; what is the same object as in `previous` was right before and is not looked at again. */
export function assertConversation(
  value: unknown,
  previous: ConversationRequest | undefined,
): asserts value is ConversationRequest {
  if (value === previous) return;
  const conversation = objectAt(value, 'conversation');
  stringAt(conversation['model'], 'conversation.model');
  if (typeof conversation['stream'] !== 'boolean') {
    throw new HookResultError('conversation.stream', 'true or false', conversation['stream']);
  }
  const messages = arrayAt(conversation['messages'], 'conversation.messages');
  const known = previous?.messages;
  for (let index = 0; index < messages.length; index += 1) {
    if (messages[index] !== known?.[index]) assertMessage(messages[index], `conversation.messages[${index}]`);
  }
  for (const name in conversation) {
    if (name === 'messages' || conversation[name] === undefined) continue;
    if (previous !== undefined && conversation[name] === objectAt(previous, 'conversation')[name]) continue;
    assertJson(conversation[name], `conversation.${name}`);
  }
  if (conversation['tools'] !== undefined && conversation['tools'] !== previous?.tools) {
    assertTools(conversation['tools']);
  }
}

function assertTools(value: unknown): void {
  for (const [index, tool] of arrayAt(value, 'conversation.tools').entries()) {
    assertTyped(tool, `conversation.tools[${index}]`, { function: ['name'], server: ['dialect', 'name'] });
  }
}

/** Asserts a whole answer. */
export function assertResponse(
  value: unknown,
  previous: ConversationResponse | undefined,
): asserts value is ConversationResponse {
  if (value === previous) return;
  const response = objectAt(value, 'response');
  const candidates = arrayAt(response['candidates'], 'response.candidates');
  for (let index = 0; index < candidates.length; index += 1) {
    const member = `response.candidates[${index}]`;
    const candidate = objectAt(candidates[index], member);
    if (typeof candidate['index'] !== 'number')
      throw new HookResultError(`${member}.index`, 'a number', candidate['index']);
    assertParts(candidate['parts'], `${member}.parts`);
    if (candidate['finishReason'] !== undefined) {
      stringAt(objectAt(candidate['finishReason'], `${member}.finishReason`)['kind'], `${member}.finishReason.kind`);
    }
  }
  optionalString(response['id'], 'response.id');
  optionalString(response['model'], 'response.model');
  assertJson(response, 'response');
}

/** Asserts one stream event; `member` is its place in the result. */
export function assertStreamEvent(value: unknown, member: string): asserts value is StreamEvent {
  const event = assertTyped(value, member, eventStrings);
  if (event['type'] === 'usage') objectAt(event['usage'], `${member}.usage`);
  if (event['type'] === 'finish') {
    stringAt(objectAt(event['reason'], `${member}.reason`)['kind'], `${member}.reason.kind`);
  }
  if (event['type'] === 'error') assertErrorInfo(event['error'], `${member}.error`);
  if (event['type'] === 'citation') objectAt(event['citation'], `${member}.citation`);
  assertJson(event, member);
}

/** Asserts an error that a plugin decided on. */
export function assertErrorInfo(value: unknown, member: string): asserts value is ErrorInfo {
  const error = objectAt(value, member);
  stringAt(error['message'], `${member}.message`);
  const { statusCode } = error;
  if (typeof statusCode !== 'number' || !Number.isInteger(statusCode) || statusCode < 400 || statusCode > 599) {
    throw new HookResultError(`${member}.statusCode`, 'an HTTP status from 400 to 599', statusCode);
  }
  const { allowFallbacks } = error;
  if (allowFallbacks !== undefined && typeof allowFallbacks !== 'boolean') {
    throw new HookResultError(`${member}.allowFallbacks`, 'true, false or absent', allowFallbacks);
  }
  assertJson(error, member);
}

/** True for an error that says nothing at all: beside a response it counts as a recovery. */
export function isEmptyError(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { statusCode, message, code, type } = objectAt(value, 'error');
  return !statusCode && !message && !code && !type;
}

/** A plugin's error with its origin stated: a plugin, unless it passes on an error that it was shown. */
export function withOrigin(error: ErrorInfo): ErrorInfo {
  // Plugins in plain JavaScript may leave the member out.
  return (error.origin as ErrorInfo['origin'] | undefined) === undefined ? { ...error, origin: 'plugin' } : error;
}
