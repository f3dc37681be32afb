import { isJsonObject } from '@bifrost/sdk';
import type { ConversationRequest, Json, JsonObject, Tool } from '@bifrost/sdk';
import type { RequestHeadHint } from '../codec.ts';
import { decodeMessages } from './messages-decode.ts';
import { ObjectReader, optional, wrongType } from './object-reader.ts';
import type { ReadMode } from './object-reader.ts';
import { decodeReasoningOptions } from './reasoning-options.ts';
import { decodeResponseFormat } from './response-format.ts';
import { decodeLegacyFunction, decodeTool, decodeToolChoice } from './tools.ts';

const mode: ReadMode = { dialect: 'openai-chat', isStrict: true };

/** The model of the body, else the one of the path (Azure deployments). */
export function readModel(reader: ObjectReader, hint: RequestHeadHint): string {
  const model = reader.string('model') ?? hint.model;
  if (model === undefined || model === '')
    throw wrongType('model', reader.peek('model'), 'the model\'s name, such as "openai/gpt-5"');
  return model;
}

/** `stop`: a string or a list of strings. */
export function readStop(reader: ObjectReader): readonly string[] | undefined {
  const raw = reader.peek('stop');
  if (raw === undefined || raw === null) return undefined;
  reader.take('stop');
  if (typeof raw === 'string') {
    reader.note('stop', 'string');
    return [raw];
  }
  if (!Array.isArray(raw) || !raw.every((one) => typeof one === 'string'))
    throw wrongType('stop', raw, 'a string or an array of strings');
  return raw as readonly string[];
}

/** `stream` and `stream_options.include_usage`. */
export function readStream(
  reader: ObjectReader,
  hint: RequestHeadHint,
): Pick<ConversationRequest, 'stream' | 'isStreamUsageRequested'> {
  const given = reader.boolean('stream');
  const stream = given ?? hint.stream ?? false;
  if (given === false) reader.plain('stream');
  const options = reader.object('stream_options');
  if (options === undefined) return stream ? { stream, isStreamUsageRequested: false } : { stream };
  const inner = new ObjectReader(options, 'stream_options', reader.mode);
  const isRequested = inner.boolean('include_usage') ?? false;
  if (options['include_usage'] === false) inner.plain('include_usage');
  const rest = inner.rest();
  reader.note('streamOptions', { ...(rest?.form?.['plain'] as JsonObject | undefined), ...rest?.fields });
  return { stream, isStreamUsageRequested: isRequested };
}

function readMaxTokens(reader: ObjectReader): number | undefined {
  const modern = reader.number('max_completion_tokens');
  if (modern !== undefined) return modern;
  const legacy = reader.number('max_tokens');
  if (legacy !== undefined) reader.note('maxTokens', 'max_tokens');
  return legacy;
}

function readSeed(reader: ObjectReader): number | undefined {
  const seed = reader.number('seed');
  if (seed !== undefined) return seed;
  const mistral = reader.number('random_seed');
  if (mistral !== undefined) reader.note('seed', 'random_seed');
  return mistral;
}

function readTools(reader: ObjectReader): readonly Tool[] | undefined {
  const modern = reader.array('tools');
  const legacy = reader.array('functions');
  if (modern?.length === 0) reader.plain('tools');
  if (legacy?.length === 0) reader.plain('functions');
  const tools = [
    ...(modern ?? []).map((tool, index) => decodeTool(tool, `tools[${index}]`, reader)),
    ...(legacy ?? []).map((tool, index) => decodeLegacyFunction(tool, `functions[${index}]`, reader)),
  ];
  return tools.length === 0 ? undefined : tools;
}

function readToolChoice(reader: ObjectReader): ConversationRequest['toolChoice'] {
  for (const field of ['tool_choice', 'function_call'] as const) {
    const choice = decodeToolChoice(reader.peek(field), reader);
    if (choice === undefined) continue;
    reader.take(field);
    if (field === 'function_call') reader.note('toolChoiceField', field);
    return choice;
  }
  return undefined;
}

function readModalities(reader: ObjectReader): readonly string[] | undefined {
  const raw = reader.array('modalities');
  if (raw === undefined) return undefined;
  if (!raw.every((one): one is string => typeof one === 'string'))
    throw wrongType('modalities', raw, 'an array of strings');
  return raw;
}

/** Sampling and identity fields that chat and legacy completions share. */
export function readCommonFields(reader: ObjectReader): Partial<ConversationRequest> {
  return {
    ...optional('temperature', reader.number('temperature')),
    ...optional('topP', reader.number('top_p')),
    ...optional('topK', reader.number('top_k')),
    ...optional('stopSequences', readStop(reader)),
    ...optional('seed', readSeed(reader)),
    ...optional('frequencyPenalty', reader.number('frequency_penalty')),
    ...optional('presencePenalty', reader.number('presence_penalty')),
    ...optional('candidateCount', reader.number('n')),
    ...optional('userId', reader.string('user')),
  };
}

/** Chat Completions request -> canonical. Throws InvalidRequestError (`BF_REQUEST_INVALID`) with the field at fault in `param`. */
export function decodeRequest(body: JsonObject, hint: RequestHeadHint): ConversationRequest {
  if (!isJsonObject(body)) throw wrongType('body', body as Json, 'a JSON object');
  const reader = new ObjectReader(body, '', mode);
  const request = {
    model: readModel(reader, hint),
    messages: decodeMessages(reader.take('messages'), mode),
    ...optional('tools', readTools(reader)),
    ...optional('toolChoice', readToolChoice(reader)),
    ...optional('isParallelToolCallsAllowed', reader.boolean('parallel_tool_calls')),
    ...optional('responseFormat', decodeResponseFormat(reader)),
    ...optional('reasoning', decodeReasoningOptions(reader)),
    ...readStream(reader, hint),
    ...optional('maxOutputTokens', readMaxTokens(reader)),
    ...readCommonFields(reader),
    ...optional('logprobs', reader.boolean('logprobs')),
    ...optional('topLogprobs', reader.number('top_logprobs')),
    ...optional('serviceTier', reader.string('service_tier')),
    ...optional('metadata', reader.object('metadata')),
    ...optional('modalities', readModalities(reader)),
  };
  // Always there, even if empty: it says that the request came in this dialect.
  return { ...request, residue: reader.rest() ?? { dialect: 'openai-chat', fields: {} } };
}
