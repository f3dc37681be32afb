/** Shared by the request tests. */
import type { ConversationRequest, Message, Part } from '@bifrost/sdk';
import type { Loss } from '../../codec.ts';
import { anthropicMessagesCodec } from '../codec.ts';

/** A request as it goes over the wire, what was reported, and the reports in short. */
export interface EncodedRequest {
  readonly body: Record<string, unknown>;
  readonly losses: readonly Loss[];
  readonly fields: readonly string[];
}

/** Encodes a request through JSON. */
export function encodeRequest(request: ConversationRequest): EncodedRequest {
  const losses: Loss[] = [];
  const body = anthropicMessagesCodec.encodeRequest(request, { report: { add: (loss) => losses.push(loss) } });
  const fields = losses.map((loss) => `${loss.action} ${loss.field}`);
  return { body: JSON.parse(JSON.stringify(body)) as Record<string, unknown>, losses, fields };
}

/** A request as a codec of another dialect would give it. */
export function foreignRequest(
  messages: readonly Message[],
  more: Partial<ConversationRequest> = {},
): ConversationRequest {
  return { model: 'claude-sonnet-4-5', messages, stream: false, ...more };
}

/** A user's turn of texts and other parts. */
export function userMessage(...parts: readonly (Part | string)[]): Message {
  return {
    role: 'user',
    parts: parts.map((part) => (typeof part === 'string' ? { type: 'text', text: part } : part)),
  };
}

/** A function without parameters. */
export const exampleTool = { type: 'function', name: 'f', parameters: { type: 'object', properties: {} } } as const;
