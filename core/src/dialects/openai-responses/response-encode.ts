/** A canonical response as a response object, with everything that strict clients require. */
import type { ConversationRequest, ConversationResponse, Json, JsonObject } from '@bifrost/sdk';
import type { EncodeOptions, LossReport } from '../codec.ts';
import { answeredBy, encodeFinish, reportFinish } from './finish.ts';
import type { FinishStatus } from './finish.ts';
import { createIdSource } from './ids.ts';
import type { ItemContext } from './item-context.ts';
import { encodeItems } from './item-encode.ts';
import { encodeSettings, findInstructions, textOf } from './request-encode.ts';
import { defined, isOwn, objectMember, ownRemainder, reportForeign } from './residue.ts';
import { encodeUsage, generateUsage } from './usage.ts';

const silent: LossReport = { add: () => undefined };

/** Fields of a request that its response repeats as they are. */
const echoed = [
  'background',
  'conversation',
  'max_tool_calls',
  'previous_response_id',
  'prompt',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
  'store',
  'truncation',
];

/** The part of a response that repeats the request, with the API's defaults where the request said nothing. */
export function echoOf(request: ConversationRequest | undefined): JsonObject {
  const { include: _, text, reasoning, ...settings } = request === undefined ? {} : encodeSettings(request, silent);
  const { fields } = ownRemainder(request);
  const instructions = request === undefined ? undefined : findInstructions(request);
  const own = Object.fromEntries(Object.entries(fields).filter(([key]) => echoed.includes(key)));
  return {
    background: false,
    error: null,
    incomplete_details: null,
    max_output_tokens: null,
    max_tool_calls: null,
    parallel_tool_calls: true,
    previous_response_id: null,
    service_tier: 'default',
    store: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_logprobs: 0,
    top_p: 1,
    truncation: 'disabled',
    user: null,
    metadata: {},
    ...own,
    ...(isOwn(request) && request !== undefined ? settings : {}),
    instructions: instructions === undefined ? null : textOf(instructions),
    reasoning: { effort: null, summary: null, ...objectMember({ reasoning }, 'reasoning') },
    text: { format: { type: 'text' }, ...objectMember({ text }, 'text') },
  };
}

/** What the items of an answer to `options.request` are written by. */
export function responseContext(options: EncodeOptions, status: string): ItemContext {
  const summary = options.request?.reasoning?.summary;
  return {
    report: options.report,
    mode: 'response',
    newId: createIdSource(options.fallbackId),
    isSummaryWanted: summary !== undefined && summary !== 'none',
    status: status === 'completed' ? 'completed' : 'incomplete',
  };
}

/** `status` and what explains it. */
export function statusFields({ status, reason }: FinishStatus): JsonObject {
  return { status, ...(reason === undefined ? {} : { incomplete_details: { reason } }) };
}

/** A response object without `output`, made from scratch: what the request asked for and what the answer says. */
export function generateResponse(
  response: Omit<ConversationResponse, 'candidates'>,
  options: EncodeOptions,
  finish: FinishStatus,
): JsonObject {
  const createdAt = response.createdAt ?? Math.floor(Date.now() / 1000);
  return {
    ...echoOf(options.request),
    object: 'response',
    id: response.id ?? options.fallbackId ?? createIdSource()('resp'),
    created_at: createdAt,
    model: response.model ?? options.request?.model ?? '',
    ...statusFields(finish),
    error:
      finish.status === 'failed' ? { code: 'server_error', message: 'the provider did not finish the answer' } : null,
    usage: response.usage === undefined ? null : generateUsage(response.usage, options.report),
  };
}

function restore(response: ConversationResponse, finish: FinishStatus | undefined): JsonObject {
  const { fields, form } = ownRemainder(response);
  const { usage: _, ...rest } = fields;
  const { output: __, ...formRest } = form;
  const base: Record<string, Json | undefined> = { ...rest, ...formRest };
  if (finish !== undefined) Object.assign(base, statusFields(finish));
  const { usage } = response;
  return {
    ...base,
    ...defined({ id: response.id, model: response.model, created_at: response.createdAt }),
    ...(usage === undefined ? {} : { usage: encodeUsage(usage, objectMember(fields, 'usage')) }),
  };
}

/** Encodes a response. Only the first candidate can be said; others are reported. */
export function encodeResponse(response: ConversationResponse, options: EncodeOptions): JsonObject {
  const { report } = options;
  const [candidate, ...others] = response.candidates;
  if (others.length > 0)
    report.add({ action: 'dropped', field: 'choices', reason: 'the Responses API gives one answer' });
  reportForeign(response, report);
  if (candidate !== undefined) reportForeign(candidate, report);
  const isNative = isOwn(response);
  const finish = isNative && candidate?.finishReason === undefined ? undefined : encodeFinish(candidate?.finishReason);
  const context = responseContext(options, finish?.status ?? 'completed');
  const output = encodeItems(
    [{ message: { role: 'assistant', parts: candidate?.parts ?? [] }, path: 'content' }],
    context,
  );
  if (!isNative && candidate !== undefined) {
    reportFinish(candidate.finishReason, finish, answeredBy(candidate.parts), report);
  }
  const body = isNative
    ? restore(response, finish)
    : generateResponse(response, options, finish ?? { status: 'completed' });
  const form = ownRemainder(response).form['output'];
  if (output.length === 0 && form !== undefined) return form === 'absent' ? body : { ...body, output: form };
  return { ...body, output };
}
