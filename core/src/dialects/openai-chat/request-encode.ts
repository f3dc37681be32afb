import type { ConversationRequest, JsonObject } from '@bifrost/sdk';
import type { EncodeOptions } from '../codec.ts';
import { addResidue, formOf, setField } from './encode-context.ts';
import type { EncodeContext } from './encode-context.ts';
import { encodeMessages } from './messages-encode.ts';
import type { MutableJson } from './object-reader.ts';
import { encodeReasoningOptions } from './reasoning-options.ts';
import { encodeResponseFormat } from './response-format.ts';
import { mapToolCallIds } from './tool-call-ids.ts';
import { encodeToolChoice, encodeTools } from './tools.ts';

const serviceTiers: ReadonlySet<string> = new Set(['auto', 'default', 'flex', 'scale', 'priority']);

/** `stream` and `stream_options`; usage is asked for when the request's own dialect did, or reports usage always. */
export function addStream(target: MutableJson, request: ConversationRequest, context: EncodeContext): void {
  if (request.stream) target['stream'] = true;
  const kept = formOf(request.residue, context.dialect)['streamOptions'] as JsonObject | undefined;
  if (context.quirks.noStreamOptions === true) return;
  const isWanted = request.isStreamUsageRequested ?? request.stream;
  if (isWanted) target['stream_options'] = { ...kept, include_usage: true };
  else if (kept !== undefined) target['stream_options'] = kept;
}

/** Sampling and identity fields that chat and legacy completions share. */
export function addCommonFields(target: MutableJson, request: ConversationRequest, context: EncodeContext): void {
  const form = formOf(request.residue, context.dialect);
  setField(target, 'temperature', request.temperature);
  setField(target, 'top_p', request.topP);
  if (request.topK !== undefined) {
    if (context.isOwn || context.quirks.extraFields?.includes('top_k') === true) target['top_k'] = request.topK;
    else context.report.add({ action: 'dropped', field: 'top_k', reason: 'the dialect has no such setting' });
  }
  const stop = request.stopSequences;
  if (stop !== undefined) target['stop'] = form['stop'] === 'string' && stop.length === 1 ? (stop[0] ?? '') : stop;
  setField(target, form['seed'] === 'random_seed' ? 'random_seed' : 'seed', request.seed);
  setField(target, 'frequency_penalty', request.frequencyPenalty);
  setField(target, 'presence_penalty', request.presencePenalty);
  setField(target, 'n', request.candidateCount);
  setField(target, 'user', request.userId);
}

function addTools(target: MutableJson, request: ConversationRequest, context: EncodeContext): void {
  const form = formOf(request.residue, context.dialect);
  const tools = request.tools ?? [];
  encodeTools(target, tools, context);
  const freeform = new Set(
    tools.flatMap((tool) => (tool.type === 'function' && tool.isFreeform === true ? [tool.name] : [])),
  );
  const hasTools = target['tools'] !== undefined || target['functions'] !== undefined;
  if (request.toolChoice !== undefined && (hasTools || context.isOwn)) {
    const field = form['toolChoiceField'] === 'function_call' ? 'function_call' : 'tool_choice';
    const choice = encodeToolChoice(request.toolChoice, form, freeform);
    target[field] =
      field === 'function_call' && request.toolChoice.type === 'tool' ? { name: request.toolChoice.name } : choice;
  }
  if (hasTools || context.isOwn) setField(target, 'parallel_tool_calls', request.isParallelToolCallsAllowed);
  if (hasTools || context.isOwn) return;
  const reason = 'there is no tool that the provider knows';
  if (request.toolChoice !== undefined) context.report.add({ action: 'dropped', field: 'tool_choice', reason });
  if (request.isParallelToolCallsAllowed !== undefined) {
    context.report.add({ action: 'dropped', field: 'parallel_tool_calls', reason });
  }
}

function addServiceTier(target: MutableJson, request: ConversationRequest, context: EncodeContext): void {
  const tier = request.serviceTier;
  if (tier === undefined) return;
  if (context.isOwn || serviceTiers.has(tier)) target['service_tier'] = tier;
  else context.report.add({ action: 'dropped', field: 'service_tier', reason: `the dialect has no tier ${tier}` });
}

/** Takes out what the provider declared that it refuses, and reports it. */
export function dropUnsupported(target: MutableJson, context: EncodeContext): void {
  for (const field of context.quirks.unsupportedFields ?? []) {
    if (target[field] === undefined) continue;
    delete target[field];
    context.report.add({ action: 'dropped', field, reason: 'the provider refuses this field' });
  }
}

/** The context of a request that goes to a provider. */
export function requestContext(
  request: ConversationRequest,
  dialect: EncodeContext['dialect'],
  options: EncodeOptions,
): EncodeContext {
  const isOwn = request.residue?.dialect === dialect;
  return { dialect, report: options.report, quirks: options.quirks ?? {}, direction: 'request', isOwn };
}

/** Canonical -> Chat Completions request. */
export function encodeRequest(request: ConversationRequest, options: EncodeOptions): JsonObject {
  const context = requestContext(request, 'openai-chat', options);
  const form = formOf(request.residue, context.dialect);
  const pattern = context.quirks.toolCallIdPattern;
  const messages = pattern === undefined ? request.messages : mapToolCallIds(request.messages, pattern, context.report);
  const target: MutableJson = { model: request.model, messages: encodeMessages(messages, context) };
  addTools(target, request, context);
  if (request.responseFormat !== undefined)
    target['response_format'] = encodeResponseFormat(request.responseFormat, context);
  encodeReasoningOptions(target, request.reasoning, context);
  addStream(target, request, context);
  const maxField =
    context.quirks.maxTokensField ?? (form['maxTokens'] === 'max_tokens' ? 'max_tokens' : 'max_completion_tokens');
  setField(target, maxField, request.maxOutputTokens);
  addCommonFields(target, request, context);
  setField(target, 'logprobs', request.logprobs);
  setField(target, 'top_logprobs', request.topLogprobs);
  addServiceTier(target, request, context);
  setField(target, 'metadata', request.metadata);
  if (request.modalities !== undefined) target['modalities'] = request.modalities;
  addResidue(target, request.residue, '', context);
  dropUnsupported(target, context);
  return target;
}
