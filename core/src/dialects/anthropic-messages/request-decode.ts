/** Request JSON to the canonical request. */
import { isJsonObject } from '@bifrost/sdk';
import type { ConversationRequest, Json, JsonObject, ResponseFormat } from '@bifrost/sdk';
import type { RequestHeadHint } from '../codec.ts';
import { present, putBack, takeArray, takeBoolean, takeNumber, takeObject, takeString } from './fields.ts';
import type { Fields } from './fields.ts';
import { decodeMessages } from './messages.ts';
import { checkRequest } from './request-checks.ts';
import { dialect, toResidue } from './residue.ts';
import { takeReasoning } from './thinking.ts';
import { decodeTool, takeToolChoice } from './tools.ts';

/** Takes a `{type: 'json_schema', schema}` out of `fields`; `form` says which of the two names it had. */
function takeFormat(fields: Fields, key: string, form: JsonObject): ResponseFormat | undefined {
  const rest = takeObject(fields, key);
  if (rest === undefined) return undefined;
  const { schema } = rest;
  if (rest['type'] !== 'json_schema' || !isJsonObject(schema)) {
    fields[key] = rest;
    return undefined;
  }
  delete rest['type'];
  delete rest['schema'];
  return present({ type: 'json-schema', schema, residue: toResidue(rest, form) } as const);
}

/** `isMaxTokensRequired` is false for `count_tokens`. Throws InvalidRequestError. */
export function decodeRequestBody(
  body: JsonObject,
  hint: RequestHeadHint,
  options: { readonly isMaxTokensRequired: boolean },
): ConversationRequest {
  const rest: Fields = { ...body };
  if (hint.model !== undefined && rest['model'] === undefined) rest['model'] = hint.model;
  checkRequest(rest, options);
  const model = takeString(rest, 'model') ?? '';
  const { system } = rest;
  if (system !== null) delete rest['system'];
  const messages = decodeMessages(system, takeArray(rest, 'messages') ?? []);
  const stream = takeBoolean(rest, 'stream');
  const outputConfig = takeObject(rest, 'output_config');
  const config = outputConfig ?? {};
  const reasoning = takeReasoning(rest, config);
  const responseFormat =
    takeFormat(rest, 'output_format', { name: 'output_format' }) ?? takeFormat(config, 'format', {});
  putBack(rest, 'output_config', config);
  const metadata = takeObject(rest, 'metadata') ?? {};
  const userId = takeString(metadata, 'user_id');
  putBack(rest, 'metadata', metadata);
  const form = {
    ...(stream === false ? { stream } : {}),
    ...emptied(body, 'output_config'),
    ...emptied(body, 'metadata'),
  };
  return present({
    model,
    messages,
    tools: takeArray(rest, 'tools')?.map((tool) => decodeTool(tool as JsonObject)),
    ...takeToolChoice(rest),
    responseFormat,
    reasoning,
    stream: stream ?? hint.stream ?? false,
    maxOutputTokens: takeNumber(rest, 'max_tokens'),
    temperature: takeNumber(rest, 'temperature'),
    topP: takeNumber(rest, 'top_p'),
    topK: takeNumber(rest, 'top_k'),
    stopSequences: takeArray(rest, 'stop_sequences') as readonly string[] | undefined,
    userId,
    serviceTier: takeString(rest, 'service_tier'),
    residue: toResidue(rest, form) ?? { dialect, fields: {} },
  });
}

/** An object that the client sent empty. */
function emptied(body: JsonObject, key: string): Record<string, Json> {
  const value = body[key];
  return isJsonObject(value) && Object.keys(value).length === 0 ? { [key]: value } : {};
}
