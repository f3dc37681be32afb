/**
 * Makes messages of other dialects fit Gemini's rules: system text first, tool replies of one step in one user turn, no answer
 * begun on the model's behalf, opaque values only for their maker. Messages of this dialect pass as they are.
 */
import type { ConversationRequest, Message, Part, ToolCallPart } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { isOwn } from './form.ts';
import { adaptForeignParts } from './foreign-parts.ts';
import { reportResidue } from './foreign-settings.ts';
import { isGemini3OrNewer } from './models.ts';

/**
 * What Gemini 3 takes as the signature of a function call that it did not make itself; without one it answers 400
 * (https://ai.google.dev/gemini-api/docs/thought-signatures#faqs).
 */
export const unsignedCallSentinel = 'skip_thought_signature_validator';

function namesByCallId(messages: readonly Message[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const message of messages) {
    for (const part of message.parts) if (part.type === 'tool-call') names.set(part.id, part.name);
  }
  return names;
}

function isSystem(message: Message): boolean {
  return message.role === 'system' || message.role === 'developer';
}

/** A system message after the conversation began: Gemini has one instruction only, so the text goes in the turn it stood at. */
function inlineSystem(message: Message, path: string, report: LossReport): Message {
  report.add({
    action: 'changed',
    field: `${path}.role`,
    reason: 'a later system message becomes part of a user turn',
  });
  return { ...message, role: 'user' };
}

/** The first call of a step carries its signature; calls beside it have none (same page as the sentinel). */
function signFirstCall(message: Message): Message {
  const calls = message.parts.filter((part): part is ToolCallPart => part.type === 'tool-call');
  const [first] = calls;
  if (first === undefined || calls.some((call) => call.signature !== undefined)) return message;
  const parts = message.parts.map((part): Part =>
    part === first ? { ...first, signature: unsignedCallSentinel } : part,
  );
  return { ...message, parts };
}

/** Joins a tool message to the tool message before it. */
function mergeToolReplies(messages: readonly Message[]): readonly Message[] {
  const merged: Message[] = [];
  for (const message of messages) {
    const last = merged.at(-1);
    if (message.role === 'tool' && last?.role === 'tool' && !isOwn(message.residue) && !isOwn(last.residue)) {
      merged[merged.length - 1] = { role: 'tool', parts: [...last.parts, ...message.parts] };
    } else {
      merged.push(message);
    }
  }
  return merged;
}

function trimPrefill(
  messages: readonly { readonly message: Message; readonly path: string }[],
  report: LossReport,
): readonly { readonly message: Message; readonly path: string }[] {
  let end = messages.length;
  for (; end > 0; end--) {
    const last = messages[end - 1] as { readonly message: Message; readonly path: string };
    if (last.message.role !== 'assistant' || isOwn(last.message.residue)) break;
    report.add({ action: 'dropped', field: last.path, reason: 'Gemini cannot go on with an answer that was begun' });
  }
  return messages.slice(0, end);
}

/** The messages as Gemini can take them; every loss is reported under the message's place in the request. */
export function adaptForeignMessages(request: ConversationRequest, report: LossReport): readonly Message[] {
  const { messages, model } = request;
  if (messages.every((message) => isOwn(message.residue))) return messages;
  const names = namesByCallId(messages);
  const hasNestedMedia = isGemini3OrNewer(model);
  const placed = messages.map((message, index) => ({ message, path: `messages[${index}]` }));
  let hasBegun = false;
  const adapted = trimPrefill(placed, report).flatMap(({ message, path }): readonly Message[] => {
    if (isOwn(message.residue)) {
      hasBegun ||= !isSystem(message);
      return [message];
    }
    reportResidue(message.residue, `${path}.`, report);
    if (message.name !== undefined) {
      report.add({ action: 'dropped', field: `${path}.name`, reason: 'Gemini has no names of participants' });
    }
    const parts = adaptForeignParts(message.parts, { path, report, names, hasNestedMedia });
    if (parts.length === 0) return [];
    const whole: Message = { role: message.role, parts };
    if (isSystem(whole)) return [hasBegun ? inlineSystem(whole, path, report) : whole];
    hasBegun = true;
    return [isGemini3OrNewer(model) && whole.role === 'assistant' ? signFirstCall(whole) : whole];
  });
  return withTurn(mergeToolReplies(adapted), report);
}

/** Google wants at least one turn: where only system text was given, that is the turn; where nothing was said, an empty one. */
function withTurn(messages: readonly Message[], report: LossReport): readonly Message[] {
  if (messages.some((message) => !isSystem(message))) return messages;
  if (messages.length === 0) return [{ role: 'user', parts: [{ type: 'text', text: '' }] }];
  report.add({
    action: 'changed',
    field: 'messages[0]',
    reason: 'Gemini wants a user turn: the system text is sent as one',
  });
  return [{ role: 'user', parts: messages.flatMap((message) => message.parts) }];
}
