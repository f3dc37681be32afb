import { isJsonObject } from '@bifrost/sdk';
import type { ConversationRequest, Json, JsonObject, Message, Part } from '@bifrost/sdk';
import type { EncodeOptions, RequestHeadHint } from '../codec.ts';
import { addResidue, formOf, setField } from '../openai-chat/encode-context.ts';
import type { EncodeContext } from '../openai-chat/encode-context.ts';
import { ObjectReader, optional, wrongType } from '../openai-chat/object-reader.ts';
import type { MutableJson, ReadMode } from '../openai-chat/object-reader.ts';
import { readCommonFields, readModel, readStream } from '../openai-chat/request-decode.ts';
import { addCommonFields, addStream, dropUnsupported, requestContext } from '../openai-chat/request-encode.ts';

const dialect = 'openai-completions';
const mode: ReadMode = { dialect, isStrict: true };

function isTokenList(raw: Json): raw is readonly number[] {
  return Array.isArray(raw) && raw.length > 0 && raw.every((one) => typeof one === 'number');
}

/** A prompt in another form than text: a list of tokens, which only this dialect's servers can read. */
function opaquePrompt(value: Json): Part {
  return { type: 'opaque', dialect, value };
}

/** `prompt`: a text, texts, tokens, or lists of tokens. One user message with a part for each. */
function decodePrompt(reader: ObjectReader): readonly Message[] {
  const raw = reader.take('prompt');
  if (typeof raw === 'string') return [{ role: 'user', parts: [{ type: 'text', text: raw }] }];
  if (raw === undefined || raw === null) {
    throw wrongType('prompt', raw, 'a string, an array of strings, or an array of tokens');
  }
  if (!Array.isArray(raw) || raw.length === 0) {
    throw wrongType('prompt', raw, 'a string, a non-empty array of strings, or an array of tokens');
  }
  reader.note('prompt', 'array');
  if (isTokenList(raw)) {
    reader.note('prompt', 'tokens');
    return [{ role: 'user', parts: [opaquePrompt(raw)] }];
  }
  const parts = (raw as readonly Json[]).map((one, index): Part => {
    if (typeof one === 'string') return { type: 'text', text: one };
    if (isTokenList(one)) return opaquePrompt(one);
    throw wrongType(`prompt[${index}]`, one, 'a string or an array of tokens');
  });
  // Several prompts want an answer each, which no conversation can say: as a remainder it is reported there.
  if (parts.length > 1) reader.keep('prompt', parts.length);
  return [{ role: 'user', parts }];
}

/** Legacy completions request -> canonical: the prompt as a user message. Throws InvalidRequestError with `param`. */
export function decodeRequest(body: JsonObject, hint: RequestHeadHint): ConversationRequest {
  if (!isJsonObject(body)) throw wrongType('body', body as Json, 'a JSON object');
  const reader = new ObjectReader(body, '', mode);
  const request = {
    model: readModel(reader, hint),
    messages: decodePrompt(reader),
    ...readStream(reader, hint),
    ...optional('maxOutputTokens', reader.number('max_tokens')),
    ...readCommonFields(reader),
  };
  const logprobs = reader.peek('logprobs');
  if (typeof logprobs === 'number') reader.take('logprobs');
  const wanted = typeof logprobs === 'number' ? { logprobs: true, topLogprobs: logprobs } : {};
  return { ...request, ...wanted, residue: reader.rest() ?? { dialect, fields: {} } };
}

function promptText(message: Message, path: string, context: EncodeContext): string {
  return message.parts
    .flatMap((part, index) => {
      if (part.type === 'text') return [part.text];
      const field = `${path}.content[${index}]`;
      context.report.add({ action: 'dropped', field, reason: `a prompt is text: it cannot hold ${part.type}` });
      return [];
    })
    .join('');
}

function encodePrompt(request: ConversationRequest, context: EncodeContext): Json {
  const form = formOf(request.residue, dialect)['prompt'];
  const [message, ...others] = request.messages;
  if (message !== undefined && others.length === 0 && message.role === 'user') {
    const parts = message.parts.flatMap((part, index): readonly Json[] => {
      if (part.type === 'text') return [part.text];
      if (part.type === 'opaque' && part.dialect === dialect) return [part.value];
      const field = `messages[0].content[${index}]`;
      context.report.add({ action: 'dropped', field, reason: `a prompt is text: it cannot hold ${part.type}` });
      return [];
    });
    if (form === 'tokens' && parts.length === 1) return parts[0] ?? '';
    const texts = parts.filter((part) => typeof part === 'string');
    return form === 'array' || texts.length < parts.length ? parts : texts.join('');
  }
  context.report.add({ action: 'changed', field: 'messages', reason: 'the conversation is sent as one prompt' });
  const turns = request.messages.map((one, index) => `${one.role}: ${promptText(one, `messages[${index}]`, context)}`);
  return `${turns.join('\n\n')}\n\nassistant:`;
}

/** Fields of a conversation that a completion cannot have. */
const unsayable = {
  tools: 'tools',
  toolChoice: 'tool_choice',
  isParallelToolCallsAllowed: 'parallel_tool_calls',
  responseFormat: 'response_format',
  reasoning: 'reasoning',
  serviceTier: 'service_tier',
  metadata: 'metadata',
  modalities: 'modalities',
} as const satisfies Partial<Record<keyof ConversationRequest, string>>;

/** Canonical -> legacy completions request. A conversation of several turns becomes one prompt, and that is reported. */
export function encodeRequest(request: ConversationRequest, options: EncodeOptions): JsonObject {
  const context = requestContext(request, dialect, options);
  const target: MutableJson = { model: request.model, prompt: encodePrompt(request, context) };
  addStream(target, request, context);
  setField(target, 'max_tokens', request.maxOutputTokens);
  addCommonFields(target, request, context);
  if (request.logprobs === true || request.topLogprobs !== undefined) target['logprobs'] = request.topLogprobs ?? 0;
  for (const [key, field] of Object.entries(unsayable)) {
    if (request[key as keyof typeof unsayable] === undefined) continue;
    context.report.add({ action: 'dropped', field, reason: 'legacy completions have no such setting' });
  }
  addResidue(target, request.residue, '', context);
  dropUnsupported(target, context);
  return target;
}
