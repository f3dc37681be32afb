/** What a plugin beyond the boundary may ask of the gateway while one of its functions runs: one JSON request, one JSON answer. */
import { GatewayError, isJsonObject } from '@bifrost/sdk';
import type { HookContext, Json, JsonObject, PluginContext, Usage } from '@bifrost/sdk';

/** The context of a hook, or that of `init` and `cleanup`, which knows `shared` alone. */
export type HostContext = HookContext<unknown> | PluginContext<unknown>;

type Answer = (context: HookContext<unknown>, request: JsonObject) => unknown;

class BadRequest extends Error {
  readonly code = 'BF_PLUGIN_HOST_REQUEST';
}

function text(request: JsonObject, member: string): string {
  const value = request[member];
  if (typeof value !== 'string') throw new BadRequest(`\`${member}\` must be a string`);
  return value;
}

function optionalText(request: JsonObject, member: string): string | undefined {
  return request[member] === undefined ? undefined : text(request, member);
}

/** Undefined where the member is absent; `value.set` and the like need it. */
function given(request: JsonObject): Json {
  const { value } = request;
  if (value === undefined) throw new BadRequest('`value` is missing');
  return value;
}

const operations: Readonly<Record<string, Answer>> = {
  'state.get': ({ state }, request) => state.get(text(request, 'key')),
  'state.set': ({ state }, request) => {
    const key = text(request, 'key');
    if (request['value'] === undefined) state.delete(key);
    else state.set(key, request['value']);
  },
  'value.get': (context, request) => context.getValue(text(request, 'key')),
  'value.set': (context, request) => context.setValue(text(request, 'key'), given(request)),
  'shared.add': ({ shared }, request) => {
    const { by = 1 } = request;
    if (typeof by !== 'number') throw new BadRequest('`by` must be an integer');
    return shared.add(text(request, 'key'), by);
  },
  'shared.get': ({ shared }, request) => shared.get(text(request, 'key')),
  'shared.set': ({ shared }, request) => shared.set(text(request, 'key'), request['value']),
  'model.info': (context, request) =>
    context.getModelInfo(optionalText(request, 'provider'), optionalText(request, 'model')),
  cost: (context, request) => {
    const { usage } = request;
    if (!isJsonObject(usage)) throw new BadRequest('`usage` must be an object');
    // Unknown members are not looked at.
    return context.calculateCost(usage as Usage);
  },
  'trace.set': (context, request) => context.setTraceAttribute(text(request, 'key'), given(request)),
  'routing.note': (context, request) => context.addRoutingNote(text(request, 'message')),
};

/** The names of all operations. */
const hostOperations: readonly string[] = Object.keys(operations);

function answer(context: HostContext, requestText: string): unknown {
  const request: unknown = JSON.parse(requestText);
  if (!isJsonObject(request)) throw new BadRequest('a request is a JSON object');
  const op = text(request, 'op');
  const run = Object.hasOwn(operations, op) ? operations[op] : undefined;
  if (run === undefined) throw new BadRequest(`there is no operation "${op}": known are ${hostOperations.join(', ')}`);
  if (!('facts' in context) && !op.startsWith('shared.')) {
    throw new BadRequest(`"${op}" belongs to a request: it can be asked in hooks only`);
  }
  // Of `init` and `cleanup` only `shared` is used, which both contexts have.
  return run(context as HookContext<unknown>, request);
}

/**
 * Answers one request: `{"value": ...}` (without the member where it is undefined), or `{"error": {"code", "message"}}`. Never throws.
 * `{"op": "state.get", "key"}` and `state.set` (this plugin and request), `value.get`, `value.set` (all plugins of the request),
 * `shared.add`, `shared.get`, `shared.set`, `model.info`, `cost`, `trace.set`, `routing.note`: as the members of HookContext.
 */
export function answerHostRequest(context: HostContext | undefined, requestText: string): string {
  try {
    if (context === undefined) throw new BadRequest('no function of the plugin is running');
    return JSON.stringify({ value: answer(context, requestText) });
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const code = GatewayError.isInstance(thrown) ? thrown.code : 'BF_PLUGIN_HOST_REQUEST';
    return JSON.stringify({ error: { code, message } });
  }
}
