/** `system` and `messages`, both ways. */
import { isJsonObject } from '@bifrost/sdk';
import type { ConversationRequest, Json, JsonObject, Message, Part, Role } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { encodeParts, toContent } from './block-encoder.ts';
import { decodeContent } from './blocks.ts';
import { present } from './fields.ts';
import type { Fields } from './fields.ts';
import { isOwn, reportForeign, toResidue, withResidue } from './residue.ts';

/** Marks a `role: system` message that stands first in `messages`, where the canonical model has the `system` member. */
const inlineForm = { role: 'system' } as const;

function decodeMessage(wire: JsonObject, isLeading: boolean): Message {
  const { role, content, ...rest } = wire;
  const { parts, isString } = decodeContent(content);
  const form = { ...(isString ? { content: 'string' } : {}), ...(isLeading && role === 'system' ? inlineForm : {}) };
  return present({ role: role as Role, parts, residue: toResidue(rest, form) });
}

/** The conversation, the `system` member first. */
export function decodeMessages(system: Json | undefined, messages: readonly Json[]): readonly Message[] {
  const decoded: Message[] = [];
  if (system !== undefined && system !== null) {
    const { parts, isString } = decodeContent(system);
    decoded.push(
      present({ role: 'system', parts, residue: toResidue({}, isString ? { content: 'string' } : {}) } as const),
    );
  }
  let isLeading = true;
  for (const message of messages) {
    if (!isJsonObject(message)) continue;
    isLeading &&= message['role'] === 'system';
    decoded.push(decodeMessage(message, isLeading));
  }
  return decoded;
}

interface Turn {
  readonly role: 'user' | 'assistant' | 'system';
  readonly blocks: JsonObject[];
  readonly isString: boolean;
  readonly residue: Message['residue'];
}

/** The encoded conversation. */
export interface EncodedMessages {
  readonly system: Json | undefined;
  readonly messages: readonly JsonObject[];
}

function isSystemRole(message: Message): boolean {
  return message.role === 'system' || message.role === 'developer';
}

function isInline(message: Message): boolean {
  return isOwn(message) && message.residue?.form?.['role'] === 'system';
}

/** How many messages at the start go into `system`. */
function countLeading(messages: readonly Message[]): number {
  const end = messages.findIndex((message) => !isSystemRole(message) || isInline(message));
  return end === -1 ? messages.length : end;
}

class MessageEncoder {
  readonly #request: ConversationRequest;
  readonly #report: LossReport;
  readonly #isOwn: boolean;
  readonly #turns: Turn[] = [];

  constructor(request: ConversationRequest, report: LossReport) {
    this.#request = request;
    this.#report = report;
    this.#isOwn = isOwn(request);
  }

  encode(): EncodedMessages {
    const { messages } = this.#request;
    let leading = countLeading(messages);
    if (leading === messages.length && leading > 0 && !this.#isOwn) {
      // Anthropic answers no conversation without a turn: the last instruction becomes the user's.
      leading -= 1;
    }
    const system = this.#system(messages.slice(0, leading));
    for (const [index, message] of messages.entries()) if (index >= leading) this.#add(message, index);
    const spoken = this.#turns.filter((turn) => turn.blocks.length > 0);
    // Where nothing is left to say, Anthropic's own error for the empty turn tells the caller more than an empty list would.
    const turns = this.#isOwn || spoken.length === 0 ? this.#turns.slice(this.#isOwn ? 0 : -1) : spoken;
    if (!this.#isOwn) this.#trimLast(turns.at(-1));
    return { system, messages: turns.map((turn) => this.#wire(turn)) };
  }

  #changedRole(index: number): void {
    const reason = "Anthropic has system instructions before the conversation only: sent as text of the user's turn";
    this.#report.add({ action: 'changed', field: `messages[${index}].role`, reason });
  }

  #system(messages: readonly Message[]): Json | undefined {
    if (messages.length === 0) return undefined;
    for (const [index, message] of messages.entries()) this.#reportHead(message, index);
    const blocks = messages.flatMap((message, index) =>
      this.#blocks(
        message,
        message.parts.filter((part, at) => this.#isSystemPart(part, `messages[${index}].content[${at}]`)),
        { index, role: 'system' },
      ),
    );
    const isString = this.#isOwn ? messages.length === 1 && messages[0]?.residue?.form?.['content'] === 'string' : true;
    if (blocks.length === 0 && !this.#isOwn) return undefined;
    return toContent(blocks, isString);
  }

  #isSystemPart(part: Part, field: string): boolean {
    if (part.type === 'text' || part.type === 'refusal' || this.#isOwn) return true;
    this.#report.add({ action: 'dropped', field, reason: 'Anthropic has text only in system instructions' });
    return false;
  }

  #blocks(
    message: Message,
    parts: readonly Part[],
    at: { readonly index: number; readonly role: Turn['role'] },
  ): JsonObject[] {
    return encodeParts(parts, (part) => {
      const path = `messages[${at.index}].content[${message.parts.indexOf(part)}]`;
      return { direction: 'request', isOwn: this.#isOwn, role: at.role, path, report: this.#report };
    });
  }

  #reportHead(message: Message, index: number): void {
    reportForeign(message.residue, `messages[${index}]`, this.#report);
    if (message.name !== undefined) {
      const reason = "Anthropic has no participants' names";
      this.#report.add({ action: 'dropped', field: `messages[${index}].name`, reason });
    }
  }

  #add(message: Message, index: number): void {
    this.#reportHead(message, index);
    let role: Turn['role'] = message.role === 'assistant' ? 'assistant' : 'user';
    if (isSystemRole(message)) {
      if (this.#isOwn && message.role === 'system') role = 'system';
      else this.#changedRole(index);
    }
    const blocks = this.#blocks(message, message.parts, { index, role });
    // A turn of nothing but thinking that Anthropic did not sign; empty turns are refused, those left out are not missed.
    if (this.#isOwn && blocks.length === 0 && message.parts.length > 0) return;
    const last = this.#turns.at(-1);
    if (!this.#isOwn && last?.role === role) {
      last.blocks.push(...blocks);
      // Anthropic wants the results of tools before anything else that the user says.
      last.blocks.sort((left, right) => Number(isToolResult(right)) - Number(isToolResult(left)));
      return;
    }
    const isString = this.#isOwn ? message.residue?.form?.['content'] === 'string' : true;
    this.#turns.push({ role, blocks, isString, residue: message.residue });
  }

  /** Anthropic refuses a conversation whose last, assistant's, text ends in white space. */
  #trimLast(turn: Turn | undefined): void {
    const block = turn?.role === 'assistant' ? turn.blocks.at(-1) : undefined;
    const text = block?.['text'];
    if (turn === undefined || block?.['type'] !== 'text' || typeof text !== 'string' || text.trimEnd() === text) return;
    const trimmed = text.trimEnd();
    turn.blocks.pop();
    if (trimmed !== '') turn.blocks.push({ ...block, text: trimmed });
    const field = `messages[${this.#request.messages.length - 1}].content`;
    const reason = 'white space at its end was cut: Anthropic refuses it in the text to be continued';
    this.#report.add({ action: 'changed', field, reason });
  }

  #wire(turn: Turn): JsonObject {
    const wire: Fields = { role: turn.role, content: toContent(turn.blocks, turn.isString) };
    return withResidue(wire, turn.residue);
  }
}

function isToolResult(block: JsonObject): boolean {
  return block['type'] === 'tool_result';
}

/** The canonical conversation as `system` and alternating turns. */
export function encodeMessages(request: ConversationRequest, report: LossReport): EncodedMessages {
  return new MessageEncoder(request, report).encode();
}
