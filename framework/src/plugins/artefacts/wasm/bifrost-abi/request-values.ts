/**
 * The `context` of Bifrost's envelopes: a map of one request that each hook is given and gives back. It lives in the plugin's state of
 * the request, and what the guest puts into it can be read by other plugins as `plugin/key`.
 */
import { isJsonObject } from '@bifrost/sdk';
import type { HookContext, Json, JsonObject } from '@bifrost/sdk';
import { isMembers, isSameJson } from './json-values.ts';

const contextKey = 'bifrost.context';
const requestKey = 'bifrost.request';

/** A request of more than this is shown without its body to the hooks after the first: it would be kept for as long as the answer takes. */
const maxKeptBody = 65_536;

export function contextOf(context: HookContext): JsonObject {
  const kept = context.state.get(contextKey);
  return isJsonObject(kept) ? kept : { request_id: context.facts.requestId };
}

/** Takes over what the guest answered as `context`; `request_id` stays what it is. */
export function keepContext(context: HookContext, before: JsonObject, answered: unknown): void {
  if (!isMembers(answered)) return;
  const next: JsonObject = {
    // It was parsed from JSON.
    ...(answered as JsonObject),
    request_id: context.facts.requestId,
  };
  if (isSameJson(before, next)) return;
  context.state.set(contextKey, next);
  for (const [key, value] of Object.entries(next)) {
    if (value === undefined || key.includes('/') || isSameJson(before[key], value)) continue;
    context.setValue(key, value);
  }
}

/** The request as `http_pre_hook` was given it, for the hooks that are given it again. */
export function keepRequest(context: HookContext, request: JsonObject): void {
  const { body } = request;
  const isLarge = typeof body === 'string' && body.length > maxKeptBody;
  context.state.set(requestKey, isLarge ? { ...request, body: '' } : request);
}

/** Null where no `http_pre_hook` ran before. */
export function keptRequest(context: HookContext): Json {
  return context.state.get(requestKey) ?? null;
}
