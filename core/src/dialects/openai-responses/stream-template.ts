/**
 * The remainder of a stream event (its residue), and the event again. Every event is decoded into canonical events and what is
 * left; the way back takes the canonical values from the frame's events and from what the encoder has seen so far.
 */
import type { Json, JsonObject, StreamEvent } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { encodeAnnotation, encodeLogprobs } from './annotations.ts';
import { encodeFinish } from './finish.ts';
import { listField, numberField, objectField } from './json-fields.ts';
import { encodeEncrypted } from './reasoning-encode.ts';
import { responseRemainder } from './response-decode.ts';
import { statusFields } from './response-encode.ts';
import { defined, objectMember } from './residue.ts';
import { outputIndexOf, partOfEvent, streamedKind } from './stream-places.ts';
import { fillDone, fillItem, fillPart, stripItem, stripPart, stripText } from './stream-snapshots.ts';
import type { StreamState } from './stream-state.ts';
import { encodeUsage } from './usage.ts';

const silent: LossReport = { add: () => undefined };

/** Events that end a response. */
export const terminalTypes: ReadonlySet<string> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
]);

function without(source: JsonObject, ...keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(source).filter(([key]) => !keys.includes(key)));
}

function mapOutput(response: JsonObject, change: (item: JsonObject, position: number) => JsonObject): JsonObject {
  const output = listField(response, 'output');
  if (output === undefined) return response;
  return { ...response, output: output.map((item, position) => (isJsonObject(item) ? change(item, position) : item)) };
}

function stripHead(response: JsonObject, state: StreamState): JsonObject {
  const { id, model, createdAt } = state.head;
  const known: JsonObject = defined({ id, model, created_at: createdAt });
  return without(response, ...Object.keys(known).filter((key) => response[key] === known[key]));
}

function fillHead(template: JsonObject, state: StreamState): JsonObject {
  const { id, model, createdAt } = state.head;
  return { ...defined({ id, model, created_at: createdAt }), ...template };
}

function stripMessage(holder: JsonObject): JsonObject {
  const error = objectField(holder, 'error');
  return error === undefined ? without(holder, 'message') : { ...holder, error: without(error, 'message') };
}

function fillMessage(template: JsonObject, events: readonly StreamEvent[]): JsonObject {
  const failure = events.find((event) => event.type === 'error');
  if (failure === undefined) return template;
  const { message } = failure.error;
  const error = objectField(template, 'error');
  return error === undefined ? { ...template, message } : { ...template, error: { ...error, message } };
}

function stripTerminal(response: JsonObject, state: StreamState): JsonObject {
  const { fields, form } = responseRemainder(response);
  const { status, usage } = response;
  // Nulls that stand for "nothing" are form; what the events say is left out.
  const kept = {
    ...fields,
    ...form,
    ...(typeof status === 'string' && status !== 'failed' ? {} : defined({ status })),
  };
  const output = response['output'];
  const template = stripHead({ ...kept, ...defined({ output, ...headOf(response) }) }, state);
  const stripped = mapOutput(template, (item, position) => stripItem(item, state.indexOf(item, position), state, true));
  const hasMessage = typeof objectField(response, 'error')?.['message'] === 'string';
  return { ...(hasMessage ? stripMessage(stripped) : stripped), ...(usage === null ? { usage } : {}) };
}

function headOf(response: JsonObject): JsonObject {
  return defined({ id: response['id'], model: response['model'], created_at: response['created_at'] });
}

function fillTerminal(template: JsonObject, state: StreamState, events: readonly StreamEvent[]): JsonObject {
  const finish = events.find((event) => event.type === 'finish');
  const usage = events.find((event) => event.type === 'usage');
  const filled = mapOutput(fillHead(template, state), (item, position) =>
    fillItem(item, state.indexOf(item, position), state, true),
  );
  const hasError = objectField(template, 'error') !== undefined;
  return {
    ...(hasError ? fillMessage(filled, events) : filled),
    ...(finish === undefined ? {} : statusFields(encodeFinish(finish.reason))),
    ...(usage === undefined ? {} : { usage: encodeUsage(usage.usage, objectMember(template, 'usage')) }),
  };
}

function placeOf(event: JsonObject): readonly [number, number] {
  return [outputIndexOf(event), numberField(event, 'content_index') ?? numberField(event, 'summary_index') ?? 0];
}

function stripStreamed(type: string, event: JsonObject, state: StreamState): JsonObject | undefined {
  const kind = streamedKind(type);
  if (kind === undefined) return undefined;
  const part = partOfEvent(kind, event);
  if (kind.isDone) return stripText(event, kind.doneKey, part, state);
  if (typeof event['delta'] !== 'string') return event;
  const { delta: _, ...rest } = event;
  const hasLogprobs = (listField(event, 'logprobs')?.length ?? 0) > 0 && state.logprobs(part).length > 0;
  return hasLogprobs ? without(rest, 'logprobs') : rest;
}

function stripDoneItem(
  item: JsonObject,
  outputIndex: number,
  state: StreamState,
  events: readonly StreamEvent[],
): JsonObject {
  const [event] = events;
  if (event?.type === 'server-tool' || event?.type === 'opaque') return {};
  if (event?.type === 'media-delta') return without(item, 'result');
  return stripItem(item, outputIndex, state, true);
}

/** What is left of an event whose canonical events are already in the state. */
export function stripEvent(
  type: string,
  event: JsonObject,
  state: StreamState,
  events: readonly StreamEvent[],
): JsonObject {
  const [response, item, part] = [event['response'], event['item'], event['part']];
  if (isJsonObject(response) && type.startsWith('response.')) {
    const isTerminal = terminalTypes.has(type);
    return { ...event, response: isTerminal ? stripTerminal(response, state) : stripHead(response, state) };
  }
  if (isJsonObject(item) && type === 'response.output_item.added') {
    return { ...event, item: stripItem(item, outputIndexOf(event), state, false) };
  }
  if (isJsonObject(item) && type === 'response.output_item.done') {
    return { ...event, item: stripDoneItem(item, outputIndexOf(event), state, events) };
  }
  if (part !== undefined) return { ...event, part: stripPart(part, placeOf(event), state) };
  if (type === 'response.output_text.annotation.added' && isJsonObject(event['annotation'])) {
    return without(event, 'annotation');
  }
  if (type === 'response.audio.delta') return without(event, 'delta');
  if (type === 'error') return stripMessage(event);
  return stripStreamed(type, event, state) ?? event;
}

function fillDelta(template: JsonObject, events: readonly StreamEvent[]): JsonObject | undefined {
  for (const event of events) {
    switch (event.type) {
      case 'text-delta':
        return {
          ...template,
          delta: event.text,
          ...(event.logprobs === undefined ? {} : { logprobs: encodeLogprobs(event.logprobs) }),
        };
      case 'refusal-delta':
      case 'reasoning-delta':
        return { ...template, delta: event.text };
      case 'tool-call-delta':
        return { ...template, delta: event.argumentsDelta };
      case 'media-delta':
        return { ...template, delta: event.data };
      default:
    }
  }
  return undefined;
}

/** The item of an `output_item.done` event, with what its events say. */
function fillDoneItem(
  template: JsonObject,
  state: StreamState,
  events: readonly StreamEvent[],
): JsonObject | undefined {
  for (const event of events) {
    if (event.type === 'media-delta') return { ...template, result: event.data };
    if (event.type === 'server-tool' || event.type === 'opaque') return event.value as JsonObject;
    if (event.type === 'reasoning-end') {
      const encrypted = encodeEncrypted(event, 'response');
      if (encrypted !== undefined && 'value' in encrypted)
        state.setEncrypted(Number.parseInt(event.part, 10), encrypted.value);
    }
  }
  return undefined;
}

/**
 * The event of a remainder and its canonical events, which must already be in the state. Undefined where the events no longer say
 * what the event was for: somebody took them out.
 */
export function fillEvent(
  type: string,
  template: JsonObject,
  state: StreamState,
  events: readonly StreamEvent[],
): JsonObject | undefined {
  const [response, item, part] = [template['response'], template['item'], template['part']];
  if (isJsonObject(response) && type.startsWith('response.')) {
    const isTerminal = terminalTypes.has(type);
    return { ...template, response: isTerminal ? fillTerminal(response, state, events) : fillHead(response, state) };
  }
  if (isJsonObject(item) && type === 'response.output_item.added') {
    const index = outputIndexOf(template);
    const filled = fillItem(item, index, state, false);
    state.noteItem(index, filled);
    return { ...template, item: filled };
  }
  if (isJsonObject(item) && type === 'response.output_item.done') {
    const index = outputIndexOf(template);
    const filled = fillDoneItem(item, state, events) ?? fillItem(item, index, state, true);
    if (Object.keys(filled).length === 0) return undefined;
    state.noteItem(index, filled);
    return { ...template, item: filled };
  }
  if (part !== undefined) return { ...template, part: fillPart(part as Json, placeOf(template), state) };
  if (type === 'response.output_text.annotation.added' && template['annotation'] === undefined) {
    const cited = events.find((event) => event.type === 'citation');
    const annotation = cited === undefined ? undefined : encodeAnnotation(cited.citation, silent);
    return annotation === undefined ? undefined : { ...template, annotation };
  }
  if (type === 'error') return fillMessage(template, events);
  const kind = streamedKind(type);
  if (kind?.isDone === true) return fillDone(template, kind.doneKey, partOfEvent(kind, template), state);
  if (kind !== undefined || type === 'response.audio.delta') {
    return template['delta'] === undefined ? fillDelta(template, events) : template;
  }
  return template;
}
