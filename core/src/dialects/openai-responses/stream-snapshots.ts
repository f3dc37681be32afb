/**
 * Snapshots inside a stream: items and content parts that repeat what the deltas said. `strip` leaves out what the state knows,
 * `fill` puts it in again from the state of the encoder. A snapshot that says something else than its deltas keeps its own words.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { encodeAnnotations, encodeLogprobs } from './annotations.ts';
import { listField } from './json-fields.ts';
import type { StreamedKind } from './stream-places.ts';
import { letterOfType, partId, textKeyOf } from './stream-places.ts';
import type { StreamState } from './stream-state.ts';

const silent: LossReport = { add: () => undefined };

/** What the state knows of the lists of a text. */
export function knownLists(part: string, state: StreamState): JsonObject {
  return {
    annotations: encodeAnnotations(state.citations(part), silent),
    logprobs: encodeLogprobs(state.logprobs(part)),
  };
}

/** Leaves a list out where it is the one that the state knows; an empty list stays, as it would be told from none. */
function stripLists(source: JsonObject, part: string, state: StreamState): JsonObject {
  let result = source;
  for (const [key, known] of Object.entries(knownLists(part, state))) {
    const list = listField(source, key);
    if (list === undefined || list.length === 0 || !isDeepStrictEqual(list, known)) continue;
    const { [key]: _, ...rest } = result;
    result = rest;
  }
  return result;
}

function fillLists(template: JsonObject, part: string, state: StreamState, names: readonly string[]): JsonObject {
  let result = template;
  for (const [key, known] of Object.entries(knownLists(part, state))) {
    if (!names.includes(key)) continue;
    if ((listField(template, key)?.length ?? 0) > 0 || (known as readonly Json[]).length === 0) continue;
    result = { ...result, [key]: known };
  }
  return result;
}

/** Leaves out a text that is the one of its deltas. */
export function stripText(source: JsonObject, key: string, part: string, state: StreamState): JsonObject {
  const stripped = stripLists(source, part, state);
  if (stripped[key] !== state.text(part)) return stripped;
  const { [key]: _, ...rest } = stripped;
  return rest;
}

/** Puts the text of a content part in again. */
export function fillText(template: JsonObject, key: string, part: string, state: StreamState): JsonObject {
  const filled = fillLists(template, part, state, ['annotations', 'logprobs']);
  return filled[key] === undefined ? { ...filled, [key]: state.text(part) } : filled;
}

/** Puts the text of a `.done` event in again; its annotations stand elsewhere. */
export function fillDone(template: JsonObject, key: string, part: string, state: StreamState): JsonObject {
  const filled = fillLists(template, part, state, ['logprobs']);
  return filled[key] === undefined ? { ...filled, [key]: state.text(part) } : filled;
}

type Change = (source: JsonObject, key: string, part: string, state: StreamState) => JsonObject;

/** One content part at its place. */
function changePart(part: Json, place: readonly [number, number], state: StreamState, change: Change): Json {
  if (!isJsonObject(part)) return part;
  const letter = letterOfType(part['type']);
  if (letter === undefined) return part;
  return change(part, textKeyOf(letter), partId(place[0], letter, place[1]), state);
}

/** One content part of an event. */
export function stripPart(part: Json, place: readonly [number, number], state: StreamState): Json {
  return changePart(part, place, state, stripText);
}

/** One content part of an event, whole again. */
export function fillPart(part: Json, place: readonly [number, number], state: StreamState): Json {
  return changePart(part, place, state, fillText);
}

function changeLists(item: JsonObject, outputIndex: number, state: StreamState, change: Change): JsonObject {
  let result = item;
  for (const key of ['content', 'summary'] as const) {
    const list = listField(item, key);
    if (list === undefined) continue;
    const changed = list.map((part, index) => changePart(part, [outputIndex, index], state, change));
    result = { ...result, [key]: changed };
  }
  return result;
}

function callKey(item: JsonObject): StreamedKind['doneKey'] | undefined {
  if (item['type'] === 'function_call') return 'arguments';
  return item['type'] === 'custom_tool_call' ? 'input' : undefined;
}

/** An item without what its deltas said. `isFinal` also leaves the opaque reasoning out, which may differ before the end. */
export function stripItem(item: JsonObject, outputIndex: number, state: StreamState, isFinal: boolean): JsonObject {
  const key = callKey(item);
  if (key !== undefined) {
    const part = partId(outputIndex, '', undefined);
    const call = state.call(part);
    const { call_id: callId, name, ...rest } = stripText(item, key, part, state);
    return {
      ...rest,
      ...(callId === call?.id ? {} : { call_id: callId }),
      ...(name === call?.name ? {} : { name }),
    };
  }
  const stripped = changeLists(item, outputIndex, state, stripText);
  const encrypted = stripped['encrypted_content'];
  if (!isFinal || typeof encrypted !== 'string' || encrypted !== state.encrypted(outputIndex)) return stripped;
  const { encrypted_content: _, ...rest } = stripped;
  return rest;
}

/** The item whole again. */
export function fillItem(template: JsonObject, outputIndex: number, state: StreamState, isFinal: boolean): JsonObject {
  const key = callKey(template);
  if (key !== undefined) {
    const part = partId(outputIndex, '', undefined);
    const call = state.call(part);
    const head = call === undefined ? {} : { call_id: call.id, name: call.name };
    return fillText({ ...head, ...template }, key, part, state);
  }
  const filled = changeLists(template, outputIndex, state, fillText);
  const encrypted = state.encrypted(outputIndex);
  const isAbsent = filled['encrypted_content'] === undefined && filled['type'] === 'reasoning';
  return isFinal && isAbsent && encrypted !== undefined ? { ...filled, encrypted_content: encrypted } : filled;
}
