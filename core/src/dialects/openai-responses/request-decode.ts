/** A request body of the Responses API as a canonical request. */
import type { ConversationRequest, Json, JsonObject, Message } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { RequestHeadHint } from '../codec.ts';
import { decodeItems } from './item-decode.ts';
import { booleanField, listField, numberField, objectField, stringField } from './json-fields.ts';
import { decodeFormat, decodeReasoningOptions } from './request-options.ts';
import { assertRequest } from './request-validate.ts';
import { defined, dialect, objectMember, remainderOf } from './residue.ts';
import { decodeTool, decodeToolChoice } from './tools.ts';

/** `instructions` and `input` as messages. Marks in the form bring both back to where they stood. */
function decodeMessages(body: JsonObject): readonly Message[] {
  const { input, instructions } = body;
  const messages: Message[] = [];
  if (typeof instructions === 'string') {
    const residue = { dialect, fields: {}, form: { place: 'instructions' } };
    messages.push({ role: 'system', parts: [{ type: 'text', text: instructions }], residue });
  }
  if (typeof input === 'string') {
    const residue = { dialect, fields: {}, form: { place: 'input' } };
    messages.push({ role: 'user', parts: [{ type: 'text', text: input }], residue });
  } else if (Array.isArray(input)) {
    messages.push(...decodeItems((input as readonly Json[]).filter(isJsonObject)));
  }
  return messages;
}

const simpleFields = [
  'input',
  'instructions',
  'tools',
  'parallel_tool_calls',
  'max_output_tokens',
  'temperature',
  'top_p',
  'top_logprobs',
  'user',
  'service_tier',
  'metadata',
] as const;

/** Every object in a list of tools. */
function decodeTools(body: JsonObject): ConversationRequest['tools'] {
  return listField(body, 'tools')?.filter(isJsonObject).map(decodeTool);
}

/**
 * Decodes a request. Throws `InvalidRequestError` (`BF_REQUEST_INVALID`) with the field at fault. A request that continues a stored
 * response, a conversation or a prompt may lack `input`, and one of a stored prompt its `model` (then empty).
 */
export function decodeRequest(body: JsonObject, hint: RequestHeadHint): ConversationRequest {
  assertRequest(body);
  const text = objectField(body, 'text');
  const responseFormat = decodeFormat(objectField(text ?? {}, 'format'));
  const toolChoice = decodeToolChoice(body['tool_choice']);
  const reasoning = decodeReasoningOptions(objectField(body, 'reasoning'));
  const model = stringField(body, 'model');
  const taken: readonly string[] = [
    ...simpleFields,
    'text',
    ...(toolChoice === undefined ? [] : ['tool_choice']),
    ...(reasoning === undefined ? [] : ['reasoning']),
  ];
  const formal = [
    ...(body['stream'] === undefined ? [] : ['stream']),
    ...(Array.isArray(body['input']) && body['input'].length === 0 ? ['input'] : []),
  ];
  const remainder = remainderOf(body, [...taken, 'model'], formal);
  const restOfText = text === undefined ? undefined : remainderOf(text, responseFormat === undefined ? [] : ['format']);
  const hasTextFields = restOfText !== undefined && Object.keys(restOfText.fields).length > 0;
  const isLogprobsWanted = listField(body, 'include')?.includes('message.output_text.logprobs') === true;
  return {
    model: model ?? hint.model ?? '',
    messages: decodeMessages(body),
    stream: booleanField(body, 'stream') ?? hint.stream ?? false,
    ...defined({
      tools: decodeTools(body),
      toolChoice,
      isParallelToolCallsAllowed: booleanField(body, 'parallel_tool_calls'),
      responseFormat,
      reasoning,
      maxOutputTokens: numberField(body, 'max_output_tokens'),
      temperature: numberField(body, 'temperature'),
      topP: numberField(body, 'top_p'),
      topLogprobs: numberField(body, 'top_logprobs'),
      logprobs: isLogprobsWanted ? true : undefined,
      userId: stringField(body, 'user'),
      serviceTier: stringField(body, 'service_tier'),
      metadata: objectField(body, 'metadata'),
    }),
    residue: {
      dialect,
      fields: { ...remainder.fields, ...(hasTextFields ? { text: restOfText.fields } : {}) },
      form: {
        ...remainder.form,
        // A model that only the path or a stored prompt names is not written into the body.
        ...(model === undefined ? { hintedModel: hint.model ?? '' } : {}),
        ...(restOfText === undefined ? {} : { text: objectMember({ ...restOfText }, 'form') }),
      },
    },
  };
}
