/** A whole response object as a canonical response. */
import type { ConversationResponse, Json, JsonObject } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import { answeredBy, decodeFinish, isReasonCanonical } from './finish.ts';
import { decodeItem } from './item-decode.ts';
import { numberField, stringField } from './json-fields.ts';
import { decodeUsage, usageRemainder } from './usage.ts';
import { defined, dialect, remainderOf } from './residue.ts';

/** Members of a response that repeat the request or say nothing outside this API: no loss for anybody else. */
const formal = [
  'object',
  'background',
  'billing',
  'completed_at',
  'conversation',
  'frequency_penalty',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'parallel_tool_calls',
  'presence_penalty',
  'previous_response_id',
  'prompt',
  'prompt_cache_key',
  'prompt_cache_retention',
  'reasoning',
  'safety_identifier',
  'store',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
];

/** Members that say nothing with the value that they have: the ordinary service tier, counts that are all zero, empty lists. */
function emptyMembers(body: JsonObject): readonly string[] {
  return Object.keys(body).filter((key) => {
    const value = body[key];
    if (key === 'service_tier') return value === 'default' || value === 'auto';
    return key === 'tool_usage' && isAllZero(value);
  });
}

function isAllZero(value: Json | undefined): boolean {
  if (isJsonObject(value)) return Object.values(value).every(isAllZero);
  return value === 0 || value === null;
}

/** What of a response is not in canonical fields. */
export function responseRemainder(body: JsonObject): ReturnType<typeof remainderOf> {
  const taken = ['output', 'status', 'usage'];
  if (isReasonCanonical(body)) taken.push('incomplete_details');
  for (const key of ['id', 'model']) if (typeof body[key] === 'string') taken.push(key);
  if (typeof body['created_at'] === 'number') taken.push('created_at');
  const { fields, form } = remainderOf(body, taken, [...formal, ...emptyMembers(body)]);
  const usage = usageRemainder(body['usage']);
  return { fields: Object.keys(usage).length === 0 ? fields : { ...fields, usage }, form };
}

/** Decodes a response of any status. What is not a response at all becomes one without parts; nothing is lost for this dialect. */
export function decodeResponse(body: JsonObject): ConversationResponse {
  const { output } = body;
  const items = (Array.isArray(output) ? (output as readonly Json[]) : []).filter(isJsonObject);
  const parts = items.flatMap((item) => decodeItem(item).parts);
  const { fields, form } = responseRemainder(body);
  return {
    ...defined({
      id: stringField(body, 'id'),
      model: stringField(body, 'model'),
      createdAt: numberField(body, 'created_at'),
    }),
    candidates: [{ index: 0, parts, ...defined({ finishReason: decodeFinish(body, answeredBy(parts)) }) }],
    ...defined({ usage: decodeUsage(body['usage']) }),
    residue: { dialect, fields, form: Array.isArray(output) ? form : { ...form, output: output ?? 'absent' } },
  };
}
