/** A canonical request as a request body of the Responses API. */
import type { ConversationRequest, Json, JsonObject, Message, ReasoningOptions } from '@bifrost/sdk';
import type { EncodeOptions, LossReport } from '../codec.ts';
import { isPlainText } from './content.ts';
import { createIdSource } from './ids.ts';
import type { ItemContext } from './item-context.ts';
import type { PlacedMessage } from './item-encode.ts';
import { encodeItems } from './item-encode.ts';
import { encodeFormat, encodeReasoningOptions } from './request-options.ts';
import { defined, isOwn, objectMember, ownRemainder, reportForeign } from './residue.ts';
import { encodeToolChoice, encodeTools } from './tools.ts';

const unsayable = {
  stopSequences: 'stop',
  topK: 'top_k',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
} as const;

function reportUnsayable(request: ConversationRequest, report: LossReport): void {
  const reason = 'the Responses API has no such field';
  for (const [name, field] of Object.entries(unsayable)) {
    const value = request[name as keyof typeof unsayable];
    if (value !== undefined && !(Array.isArray(value) && value.length === 0))
      report.add({ action: 'dropped', field, reason });
  }
  if ((request.candidateCount ?? 1) > 1)
    report.add({ action: 'dropped', field: 'n', reason: 'the Responses API gives one answer' });
  if (request.modalities?.some((modality) => modality !== 'text') === true) {
    report.add({ action: 'dropped', field: 'modalities', reason });
  }
  reportForeign(request, report);
  for (const part of [request.responseFormat, request.reasoning]) if (part !== undefined) reportForeign(part, report);
}

function markOf(message: Message | undefined): Json | undefined {
  return ownRemainder(message)['form']['place'];
}

/** The text of a message of plain texts. */
export function textOf(message: Message): string {
  return message.parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** True for a message that can be said as one plain string. */
function isPlainMessage(message: Message): boolean {
  const [part] = message.parts;
  return (
    message.parts.length === 1 && isPlainText(part) && part.cacheControl === undefined && message.name === undefined
  );
}

/** Which message becomes `instructions`: the one that was, or the first system text of another dialect's request. */
export function findInstructions(request: ConversationRequest): Message | undefined {
  const marked = request.messages.find((message) => markOf(message) === 'instructions');
  if (marked !== undefined) return marked.parts.every((part) => part.type === 'text') ? marked : undefined;
  const [first] = request.messages;
  const isSystem = first?.role === 'system' || first?.role === 'developer';
  return !isOwn(request) && request.messages.length > 1 && isSystem && isPlainMessage(first) ? first : undefined;
}

function encodeInput(messages: readonly PlacedMessage[], context: ItemContext, form: JsonObject): Json | undefined {
  const first = messages[0]?.message;
  if (messages.length === 1 && first?.role === 'user' && markOf(first) === 'input' && isPlainMessage(first)) {
    return textOf(first);
  }
  // A stored response, conversation or prompt may stand in the place of any input.
  if (messages.length === 0) return form['input'];
  return encodeItems(messages, context);
}

function includeOf(request: ConversationRequest): Json | undefined {
  const { include } = ownRemainder(request).fields;
  const wanted = Array.isArray(include) ? [...(include as readonly Json[])] : [];
  const add = (name: string): void => {
    if (!wanted.includes(name)) wanted.push(name);
  };
  if (request.logprobs === true) add('message.output_text.logprobs');
  // Clients of other dialects carry the conversation themselves: without its encrypted form, reasoning could not be replayed.
  const isReasoning = request.reasoning !== undefined && request.reasoning.isDisabled !== true;
  if (!isOwn(request) && isReasoning && request.reasoning?.effort !== 'none') add('reasoning.encrypted_content');
  return include === undefined && wanted.length === 0 ? undefined : wanted;
}

function encodeText(request: ConversationRequest, report: LossReport): Json | undefined {
  const { fields, form } = ownRemainder(request);
  const format =
    request.responseFormat === undefined ? undefined : encodeFormat(request.responseFormat, isOwn(request), report);
  const text = { ...objectMember(fields, 'text'), ...objectMember(form, 'text'), ...defined({ format }) };
  // An empty object, null and nothing at all come back as they were.
  return Object.keys(text).length === 0 ? form['text'] : text;
}

function encodeReasoning(
  request: ConversationRequest,
  reasoning: ReasoningOptions,
  report: LossReport,
): JsonObject | undefined {
  const encoded = encodeReasoningOptions(reasoning, report);
  return encoded === undefined ? undefined : { ...objectMember(ownRemainder(request).fields, 'reasoning'), ...encoded };
}

/** Everything but the conversation, as the request says it. */
export function encodeSettings(request: ConversationRequest, report: LossReport): JsonObject {
  const { reasoning, tools, toolChoice } = request;
  const isNative = isOwn(request);
  return defined({
    tools: tools === undefined ? undefined : encodeTools(tools, isNative, report),
    tool_choice: toolChoice === undefined ? undefined : encodeToolChoice(toolChoice, tools),
    parallel_tool_calls: request.isParallelToolCallsAllowed,
    text: encodeText(request, report),
    reasoning: reasoning === undefined ? undefined : encodeReasoning(request, reasoning, report),
    include: includeOf(request),
    max_output_tokens: request.maxOutputTokens,
    temperature: request.temperature,
    top_p: request.topP,
    top_logprobs: request.topLogprobs,
    user: request.userId,
    service_tier: request.serviceTier,
    metadata: request.metadata,
    // Other dialects store nothing at the provider, so their requests must not start to here.
    store: isNative ? undefined : false,
  });
}

/** Encodes a request; what the API cannot say is reported. */
export function encodeRequest(request: ConversationRequest, options: EncodeOptions): JsonObject {
  const { report, quirks } = options;
  const { fields, form } = ownRemainder(request);
  reportUnsayable(request, report);
  const instructions = findInstructions(request);
  for (const part of instructions === undefined ? [] : [instructions, ...instructions.parts]) {
    if ('residue' in part) reportForeign(part, report, 'instructions.');
  }
  const context: ItemContext = {
    report,
    mode: 'request',
    newId: createIdSource(options.fallbackId),
    isPlainReasoningAccepted: quirks?.reasoningField !== undefined,
  };
  const roleOf = (message: Message): Message =>
    quirks?.noDeveloperRole === true && message.role === 'developer' ? { ...message, role: 'system' } : message;
  const messages = request.messages.flatMap((message, index) =>
    message === instructions ? [] : [{ message: roleOf(message), path: `messages[${index}].content` }],
  );
  const { text: _, hintedModel: __, ...formRest } = form;
  const body: Record<string, Json | undefined> = {
    ...fields,
    ...formRest,
    ...(request.model === form['hintedModel'] ? {} : { model: request.model }),
    ...defined({ input: encodeInput(messages, context, form) }),
    ...(instructions === undefined ? {} : { instructions: textOf(instructions) }),
    ...encodeSettings(request, report),
  };
  if (request.stream || form['stream'] !== undefined)
    body['stream'] = form['stream'] === null && !request.stream ? null : request.stream;
  for (const field of quirks?.unsupportedFields ?? []) {
    if (body[field] === undefined) continue;
    delete body[field];
    report.add({ action: 'dropped', field, reason: 'the provider refuses this field' });
  }
  return body;
}
