/**
 * `pre_hook` and `post_hook` of Bifrost's WASM ABI. Bifrost shows requests and answers in its own JSON, which for conversations is
 * OpenAI's chat form split into `provider`, `model`, `input`, `params`; the pages on it show the parts bare, its samples inside
 * `chat_request`, so both are sent, and the one that the guest changed counts.
 */
import { openaiChatCodec } from '@bifrost/core';
import type {
  ConversationRequest,
  ConversationResponse,
  ErrorInfo,
  HookContext,
  JsonObject,
  LLMOutcome,
  LLMRequest,
  PostLLMResult,
  PreLLMResult,
} from '@bifrost/sdk';
import type { BifrostExchange } from './bifrost-exchange.ts';
import { isMembers, isSameJson, membersOf, textOf } from './json-values.ts';
import type { Members } from './json-values.ts';
import { contextOf, keepContext } from './request-values.ts';
import { wasmError } from '../wasm-error.ts';

/** What another dialect's conversation cannot say in chat form is not shown to the guest. */
const report = { add: () => undefined };

interface BifrostRequestJson extends JsonObject {
  readonly input: JsonObject[string];
  readonly params: JsonObject;
}

/** As an object, and as its text: the parts, which are in it twice, are written once. */
function requestJson(request: LLMRequest, context: HookContext): { readonly sent: JsonObject; readonly text: string } {
  const { provider = context.facts.provider ?? '', model, fallbacks, conversation } = request;
  const head = {
    provider,
    model,
    fallbacks: fallbacks.map((name) => {
      const slash = name.indexOf('/');
      return slash === -1
        ? { provider: '', model: name }
        : { provider: name.slice(0, slash), model: name.slice(slash + 1) };
    }),
  };
  const { requestType } = context.facts;
  if (conversation === undefined) {
    const sent = { request_type: requestType, ...head };
    return { sent, text: JSON.stringify(sent) };
  }
  const {
    model: _model,
    messages,
    stream: _stream,
    ...params
  } = openaiChatCodec.encodeRequest(conversation, { report });
  const parts: BifrostRequestJson = { ...head, input: messages ?? [], params };
  const text = JSON.stringify(parts);
  return {
    sent: { request_type: requestType, ...parts, chat_request: parts },
    text: `{"request_type":${JSON.stringify(requestType)},${text.slice(1, -1)},"chat_request":${text}}`,
  };
}

/** Of the two forms the one that is not as it was sent; undefined where neither is. */
function changedRequest(sent: JsonObject, answered: unknown): Members | undefined {
  if (!isMembers(answered) || sent['chat_request'] === undefined) return undefined;
  for (const candidate of [answered['chat_request'], answered['ChatRequest'], answered]) {
    if (!isMembers(candidate) || candidate['input'] === undefined) continue;
    const isSame =
      isSameJson(candidate['input'], sent['input']) && isSameJson(candidate['params'] ?? {}, sent['params']);
    if (!isSame) return candidate;
  }
  return undefined;
}

function conversationOf(changed: Members, before: ConversationRequest): ConversationRequest {
  // It was parsed from JSON.
  const body = { ...membersOf(changed['params']), messages: changed['input'] } as JsonObject;
  const { model, stream } = before;
  return { ...openaiChatCodec.decodeRequest({ ...body, model, stream }, {}), model, stream };
}

/** Bifrost's error: `{status_code?, allow_fallbacks?, error: {message, type?, code?, param?}}`. Undefined for an empty one. */
function errorOf(value: unknown, before?: ErrorInfo): ErrorInfo | undefined {
  if (!isMembers(value)) return undefined;
  const { message, type, code, param } = membersOf(value['error']);
  const status = value['status_code'];
  if (textOf(message) === '' && typeof status !== 'number' && textOf(type) === '') return undefined;
  const stated = { type: textOf(type), code: textOf(code), param: textOf(param) };
  const defaultStatus = before?.statusCode ?? (value['is_bifrost_error'] === false ? 400 : 500);
  return {
    ...before,
    statusCode: typeof status === 'number' && status !== 0 ? status : defaultStatus,
    message: textOf(message) || 'The plugin refused the request.',
    origin: before?.origin ?? 'plugin',
    ...Object.fromEntries(Object.entries(stated).filter(([, text]) => text !== '')),
    ...(typeof value['allow_fallbacks'] === 'boolean' ? { allowFallbacks: value['allow_fallbacks'] } : {}),
  };
}

function errorJson(error: ErrorInfo): JsonObject {
  const { statusCode, message, type, code, param, allowFallbacks, origin } = error;
  return {
    is_bifrost_error: origin === 'gateway' || origin === 'plugin',
    status_code: statusCode,
    error: { message, type, code, param },
    ...(allowFallbacks === undefined ? {} : { allow_fallbacks: allowFallbacks }),
  };
}

/** A chat answer, bare or under the names that Bifrost gives it. Undefined where there is none. */
function chatResponseOf(value: unknown): JsonObject | undefined {
  if (!isMembers(value)) return undefined;
  for (const candidate of [value['chat_response'], value['ChatResponse'], value]) {
    // It was parsed from JSON.
    if (isMembers(candidate) && Array.isArray(candidate['choices'])) return candidate as JsonObject;
  }
  return undefined;
}

export function preHook(
  plugin: string,
  exchange: BifrostExchange,
  context: HookContext,
  request: LLMRequest,
): PreLLMResult | undefined {
  const before = contextOf(context);
  const { sent, text } = requestJson(request, context);
  const answer = membersOf(exchange.hook('pre_hook', `{"context":${JSON.stringify(before)},"request":${text}}`, text));
  keepContext(context, before, answer['context']);
  const error = textOf(answer['error']);
  if (error !== '') throw wasmError(plugin, 'BF_PLUGIN_WASM_FAILED', `pre_hook failed: ${error}`);
  if (answer['has_short_circuit'] === true) return shortCircuit(plugin, membersOf(answer['short_circuit']));
  const { conversation } = request;
  const changed = conversation === undefined ? undefined : changedRequest(sent, answer['request']);
  if (changed === undefined || conversation === undefined) return undefined;
  return { conversation: conversationOf(changed, conversation) };
}

function shortCircuit(plugin: string, answered: Members): PreLLMResult {
  const error = errorOf(answered['error'] ?? answered['Error']);
  if (error !== undefined) return { error };
  const response = chatResponseOf(answered['response'] ?? answered['Response']);
  if (response !== undefined) return { response: openaiChatCodec.decodeResponse(response) };
  throw wasmError(
    plugin,
    'BF_PLUGIN_WASM_OUTPUT',
    'pre_hook says has_short_circuit without a chat answer in `short_circuit.response` or an error in `short_circuit.error`',
  );
}

function responseJson(response: ConversationResponse, outcome: LLMOutcome, context: HookContext): JsonObject {
  const { requestId, requestType, provider } = context.facts;
  const chat = openaiChatCodec.encodeResponse(response, { report, fallbackId: requestId });
  const extra = {
    request_type: requestType,
    provider: outcome.request.provider ?? provider,
    model_requested: outcome.request.model,
    latency: Math.round(outcome.latencyMs),
  };
  return { ...chat, extra_fields: extra };
}

export function postHook(
  plugin: string,
  exchange: BifrostExchange,
  context: HookContext,
  outcome: LLMOutcome,
): PostLLMResult | undefined {
  const before = contextOf(context);
  const chat = outcome.response === undefined ? undefined : responseJson(outcome.response, outcome, context);
  const sent = chat === undefined ? 'null' : JSON.stringify({ chat_response: chat });
  const given = outcome.error === undefined ? {} : errorJson(outcome.error);
  const hasError = outcome.error !== undefined;
  const envelope = `{"context":${JSON.stringify(before)},"response":${sent},"error":${JSON.stringify(given)},"has_error":${hasError}}`;
  const answer = membersOf(exchange.hook('post_hook', envelope, chat === undefined ? undefined : sent));
  keepContext(context, before, answer['context']);
  const failure = textOf(answer['hook_error']);
  if (failure !== '') throw wasmError(plugin, 'BF_PLUGIN_WASM_FAILED', `post_hook failed: ${failure}`);
  if (answer['has_error'] === true) {
    // Sent and got back as JSON, so that what is absent is absent in both.
    if (isSameJson(JSON.parse(JSON.stringify(given)), answer['error'])) return undefined;
    const error = errorOf(answer['error'], outcome.error);
    return error === undefined ? undefined : { error };
  }
  const response = chatResponseOf(answer['response']);
  if (response === undefined || (chat !== undefined && isSameJson(JSON.parse(JSON.stringify(chat)), response))) {
    return undefined;
  }
  const { extra_fields: _extra, ...body } = response;
  return { response: openaiChatCodec.decodeResponse(body) };
}
