import { isJsonObject } from '@bifrost/sdk';
import type { ConversationRequest, DialectName, Json, JsonObject } from '@bifrost/sdk';
import type { Loss } from '../dialects/codec.ts';
import type { RequestRun } from './run.ts';

/** Fields that are the gateway's own, whatever the dialect. */
const gatewayFields = ['model', 'stream', 'stream_options', 'fallbacks'];

/** Fields of each dialect's published request that mean nothing to another dialect: known, so never passed through. */
const dialectFields: Readonly<Record<DialectName, readonly string[]>> = {
  'openai-chat': [
    'audio',
    'function_call',
    'functions',
    'logit_bias',
    'messages',
    'moderation',
    'prediction',
    'prompt_cache_key',
    'prompt_cache_retention',
    'safety_identifier',
    'store',
    'verbosity',
    'web_search_options',
  ],
  'openai-completions': ['best_of', 'echo', 'logit_bias', 'prompt', 'suffix'],
  'openai-responses': [
    'background',
    'context_management',
    'conversation',
    'include',
    'input',
    'instructions',
    'max_tool_calls',
    'previous_response_id',
    'prompt',
    'prompt_cache_key',
    'prompt_cache_retention',
    'reasoning',
    'safety_identifier',
    'store',
    'text',
    'truncation',
  ],
  'anthropic-messages': [
    'cache_control',
    'container',
    'context_management',
    'inference_geo',
    'mcp_servers',
    'messages',
    'metadata',
    'output_config',
    'output_format',
    'service_tier',
    'speed',
    'system',
    'thinking',
    'tools',
  ],
  'gemini-generate-content': [
    'cachedContent',
    'contents',
    'generationConfig',
    'labels',
    'safetySettings',
    'serviceTier',
    'store',
    'systemInstruction',
    'toolConfig',
    'tools',
  ],
};

/**
 * The fields of the caller's body that its dialect does not know, where it wants them sent on as they are
 * (`x-bf-passthrough-extra-params: true`); else undefined.
 */
export function extraParams(run: RequestRun, { residue }: ConversationRequest): JsonObject | undefined {
  if (run.header('x-bf-passthrough-extra-params')?.trim().toLowerCase() !== 'true') return undefined;
  const { dialect } = run.request.route;
  if (residue?.dialect !== dialect) return undefined;
  const known = new Set([...gatewayFields, ...dialectFields[dialect]]);
  const extra = Object.entries(residue.fields).filter(([name]) => !known.has(name));
  return Object.fromEntries(extra) as JsonObject;
}

/** `body` with what `extra` has beyond it: objects are merged, anything that the body says itself stays. */
export function mergeExtraParams(body: JsonObject, extra: JsonObject): JsonObject {
  const merged = new Map<string, Json | undefined>(Object.entries(body));
  for (const [name, value] of Object.entries(extra)) {
    const own = merged.get(name);
    if (own === undefined) merged.set(name, value);
    else if (isObject(own) && isObject(value)) merged.set(name, mergeExtraParams(own, value));
  }
  // Not by assignment: a caller may name a field `__proto__`.
  return Object.fromEntries(merged) as JsonObject;
}

/** Whether the loss is of a field that is passed through after all. */
export function isPassedThrough(loss: Loss, extra: JsonObject): boolean {
  return Object.keys(extra).some((name) => loss.field === name || loss.field.startsWith(`${name}.`));
}

function isObject(value: Json | undefined): value is JsonObject {
  return value !== undefined && isJsonObject(value);
}
