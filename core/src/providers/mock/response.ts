import type {
  ConversationRequest,
  ConversationResponse,
  FunctionTool,
  Message,
  Part,
  TextPart,
  ToolResultPart,
  Usage,
} from '@bifrost/sdk';
import { sampleArguments } from './sample-arguments.ts';

/** What an answer needs that is not in the request. */
export interface AnswerIdentity {
  readonly id: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
}

/**
 * The mock's answer: the same request gives the same answer.
 *
 * - It echoes the last user message: `You said: <text>`.
 * - With tools in the request it calls one when the last message is the user's and names a tool or has the word "tool" (then
 *   the first), or when the tool choice requires it: with arguments made of the tool's JSON Schema. After tool results it
 *   echoes those: `The tool returned: <text>`.
 * - Usage counts words: input those of all messages, output those of the answer (a tool call's arguments count as one).
 * - A length limit cuts the text after so many words, with the finish reason `length`.
 */
export function mockResponse(request: ConversationRequest, identity: AnswerIdentity): ConversationResponse {
  const tool = toolToCall(request);
  const head = { id: `mock-${identity.id}`, model: request.model, createdAt: identity.createdAt };
  const inputTokens = countConversation(request);
  if (tool !== undefined) {
    const call: Part = {
      type: 'tool-call',
      id: `call_mock_${tool.name}`.slice(0, 40),
      name: tool.name,
      arguments: sampleArguments(tool),
    };
    return {
      ...head,
      candidates: [{ index: 0, parts: [call], finishReason: { kind: 'tool-calls' } }],
      usage: usageOf(inputTokens, 1),
    };
  }
  const words = answerText(request).split(/(?<=\s)(?=\S)/);
  const isCut = request.maxOutputTokens !== undefined && words.length > request.maxOutputTokens;
  const text = (isCut ? words.slice(0, request.maxOutputTokens) : words).join('');
  return {
    ...head,
    candidates: [{ index: 0, parts: [{ type: 'text', text }], finishReason: { kind: isCut ? 'length' : 'stop' } }],
    usage: usageOf(inputTokens, countWords(text)),
  };
}

/** The mock's token count of a conversation: the words of all messages. */
export function countConversation(request: ConversationRequest): number {
  return countWords(request.messages.map(messageText).join(' '));
}

function usageOf(inputTokens: number, outputTokens: number): Usage {
  return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}

function toolToCall(request: ConversationRequest): FunctionTool | undefined {
  const tools = (request.tools ?? []).filter((tool) => tool.type === 'function');
  const choice = request.toolChoice;
  if (tools.length === 0 || choice?.type === 'none') return undefined;
  if (choice?.type === 'tool') return tools.find((tool) => tool.name === choice.name);
  const last = request.messages.at(-1);
  if (last === undefined || last.role === 'tool' || last.parts.some((part) => part.type === 'tool-result'))
    return undefined;
  const allowed = choice?.type === 'allowed' ? tools.filter((tool) => choice.names.includes(tool.name)) : tools;
  const text = messageText(last);
  const named = allowed.find((tool) => text.includes(tool.name));
  if (named !== undefined) return named;
  const isRequired = choice?.type === 'required' || (choice?.type === 'allowed' && choice.mode === 'required');
  return isRequired || /\btools?\b/i.test(text) ? allowed[0] : undefined;
}

function answerText(request: ConversationRequest): string {
  const last = request.messages.at(-1);
  const results = last?.parts.filter((part) => part.type === 'tool-result') ?? [];
  if (results.length > 0) return `The tool returned: ${results.map(resultText).join(' ')}`;
  const user = request.messages.findLast((message) => message.role === 'user');
  const text = user === undefined ? '' : messageText(user);
  return text === '' ? 'Hello from the mock provider.' : `You said: ${text}`;
}

function messageText(message: Message): string {
  return message.parts.map((part) => (part.type === 'tool-result' ? resultText(part) : partText(part))).join(' ');
}

function partText(part: Part): string {
  return part.type === 'text' || part.type === 'reasoning' || part.type === 'refusal' ? part.text : '';
}

function resultText(result: ToolResultPart): string {
  return result.content
    .filter((part): part is TextPart => part.type === 'text')
    .map((part) => part.text)
    .join(' ');
}

/** Words: runs of characters between white space. */
export function countWords(text: string): number {
  return text.match(/\S+/g)?.length ?? 0;
}
