/** Messages of a session as protobuf objects, and back. JSON inside stays text as long as nobody reads it. */
import type { Json } from '@bifrost/sdk';
import { parseSafely } from '../frame-codec.ts';
import type { CallMessage, ContextEffects, RunnerMessage, ThreadMessage } from '../protocol.ts';

interface ValueObject {
  readonly key: string;
  readonly value: string;
}

interface EffectsObject {
  readonly values: readonly ValueObject[];
  readonly attributes: readonly ValueObject[];
  readonly routingNotes: readonly string[];
}

/** As protobufjs decodes it: scalars always there, a sub-message null where it is absent. */
interface PluginMessageObject {
  readonly reply?: {
    readonly call: number;
    readonly result: string;
    readonly attachments: readonly Uint8Array[];
    readonly stream: number;
    readonly effects?: EffectsObject | null;
  } | null;
  readonly failure?: {
    readonly call: number;
    readonly name: string;
    readonly message: string;
    readonly effects?: EffectsObject | null;
  } | null;
  readonly event?: {
    readonly stream: number;
    readonly event: string;
    readonly isDone: boolean;
    readonly error: string;
    readonly effects?: EffectsObject | null;
  } | null;
}

function toValues(values: CallMessage['values']): readonly ValueObject[] {
  return (values ?? []).map(([key, value]) => ({ key, value: JSON.stringify(value) }));
}

/** The input's body goes beside the JSON. */
function toInput(input: unknown): { readonly input: string; readonly attachments: readonly Uint8Array[] } {
  if (input === undefined) return { input: '', attachments: [] };
  if (typeof input !== 'object' || input === null || !('body' in input) || !(input.body instanceof Uint8Array)) {
    return { input: JSON.stringify(input), attachments: [] };
  }
  return { input: JSON.stringify({ ...input, body: { $bytes: 0 } }), attachments: [input.body] };
}

/** One message to the plugin. */
export function toHostMessage(message: ThreadMessage): object {
  switch (message.kind) {
    case 'call': {
      const { call, request, hook, facts, modelInfo } = message;
      return {
        call: {
          call,
          request,
          hook,
          ...toInput(message.input),
          facts: facts === undefined ? '' : JSON.stringify(facts),
          modelInfo: modelInfo === undefined ? '' : JSON.stringify(modelInfo),
          values: toValues(message.values),
        },
      };
    }
    case 'abort':
      return { abort: { call: message.call, isExpired: message.isExpired, reason: message.reason } };
    case 'end':
      return { endRequest: { request: message.request } };
    case 'pull':
      return { pull: { stream: message.stream } };
    case 'cancel':
      return { cancel: { stream: message.stream } };
  }
}

function fromValues(values: readonly ValueObject[]): readonly (readonly [string, Json])[] {
  return values.map(({ key, value }) => [key, parseSafely(value) as Json]);
}

function fromEffects(effects: EffectsObject | null | undefined): { readonly effects?: ContextEffects } {
  if (effects === null || effects === undefined) return {};
  const { values, attributes, routingNotes } = effects;
  return { effects: { values: fromValues(values), attributes: fromValues(attributes), routingNotes } };
}

type Holder = Record<string, unknown>;

function isHolder(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Puts bytes in the place of `{"$bytes": n}`. */
function attach(holder: unknown, attachments: readonly Uint8Array[]): void {
  if (!isHolder(holder) || !isHolder(holder['body']) || !('$bytes' in holder['body'])) return;
  const index = holder['body']['$bytes'];
  const bytes = typeof index === 'number' ? attachments[index] : undefined;
  if (bytes === undefined) {
    throw new Error(`its result names attachment ${JSON.stringify(index)} of ${attachments.length}`);
  }
  holder['body'] = bytes;
}

function fromResult(text: string, attachments: readonly Uint8Array[]): { readonly value?: unknown } {
  if (text === '') return {};
  const value = parseSafely(text);
  if (isHolder(value)) for (const holder of [value, value['request'], value['response']]) attach(holder, attachments);
  return { value };
}

/**
 * One message of the plugin. A result that cannot be read is that call's failure, not the session's. Throws Error for a message of
 * no known kind.
 */
export function fromPluginMessage({ reply, failure, event }: PluginMessageObject): RunnerMessage {
  if (reply !== null && reply !== undefined) {
    const { call, stream } = reply;
    try {
      const effects = fromEffects(reply.effects);
      if (stream > 0) return { kind: 'reply', call, value: { stream: null }, stream, ...effects };
      return { kind: 'reply', call, ...fromResult(reply.result, reply.attachments), ...effects };
    } catch (error) {
      const message = `its answer cannot be read: ${error instanceof Error ? error.message : String(error)}`;
      return { kind: 'threw', call, thrown: { name: 'Error', message } };
    }
  }
  if (failure !== null && failure !== undefined) {
    const { call, name, message } = failure;
    return {
      kind: 'threw',
      call,
      thrown: { name: name === '' ? 'Error' : name, message },
      ...fromEffects(failure.effects),
    };
  }
  if (event !== null && event !== undefined) {
    const { stream, isDone, error } = event;
    if (error !== '') return { kind: 'event', stream, thrown: { name: 'Error', message: error } };
    if (isDone) return { kind: 'event', stream, isDone: true, ...fromEffects(event.effects) };
    return { kind: 'event', stream, event: parseSafely(event.event), ...fromEffects(event.effects) };
  }
  throw new Error('a message of the plugin has no kind');
}
