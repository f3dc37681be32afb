import type { ConversationRequest, JsonObject, Message } from '@bifrost/sdk';
import type { EncodeOptions } from '../codec.ts';
import { defined } from './fields.ts';
import { applyResidue, isOwn } from './form.ts';
import { adaptForeignMessages } from './foreign-messages.ts';
import { reportForeignSettings } from './foreign-settings.ts';
import { encodeGenerationConfig } from './generation-config.ts';
import { encodeMessage } from './messages.ts';
import { encodeToolChoice, encodeTools, isFunctionEntry } from './tools.ts';

function isSystem(message: Message): boolean {
  return message.role === 'system' || message.role === 'developer';
}

function encodeSystem(messages: readonly Message[]): JsonObject | undefined {
  const [first] = messages;
  if (first === undefined) return undefined;
  const parts = messages.flatMap((message) => message.parts);
  return applyResidue(encodeMessage({ role: 'system', parts }), first.residue);
}

/**
 * Canonical -> a generateContent request (the model and the choice of streaming are in the path). A request of this dialect is
 * rebuilt as it was; one of another dialect is adapted first, and what Gemini cannot say is reported.
 */
export function encodeRequest(request: ConversationRequest, options: EncodeOptions): JsonObject {
  const { report } = options;
  const messages = adaptForeignMessages(request, report);
  const at = messages.findIndex((message) => !isSystem(message));
  const systemCount = at === -1 ? messages.length : at;
  reportForeignSettings(request, report);
  const contents = messages.slice(systemCount).map((message) => applyResidue(encodeMessage(message), message.residue));
  const tools = request.tools === undefined ? undefined : encodeTools(request.tools);
  const made = defined({
    systemInstruction: encodeSystem(messages.slice(0, systemCount)),
    contents,
    tools: tools === undefined || (tools.length === 0 && !isOwn(request.residue)) ? undefined : tools,
    toolConfig: encodeToolConfig(request, tools ?? []),
    generationConfig: encodeGenerationConfig(request, report),
  });
  return withModel(applyResidue(made, request.residue), request.model);
}

function encodeToolConfig(request: ConversationRequest, tools: readonly JsonObject[]): JsonObject | undefined {
  if (request.toolChoice === undefined) return undefined;
  // Google refuses a calling config without functions; a client that sent one itself may see that answer.
  if (!isOwn(request.residue) && !tools.some(isFunctionEntry)) return undefined;
  return { functionCallingConfig: encodeToolChoice(request.toolChoice) };
}

/** A body that names the model (countTokens, batches) names the one that is asked now. */
function withModel(body: JsonObject, model: string): JsonObject {
  const said = body['model'];
  if (typeof said !== 'string' || said.endsWith(model)) return body;
  return { ...body, model: `models/${model}` };
}
