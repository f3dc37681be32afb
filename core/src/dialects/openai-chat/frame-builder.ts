import { isJsonObject } from '@bifrost/sdk';
import type { DialectName, Json, JsonObject, StreamEvent, StreamFrame } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';
import type { MutableJson } from './object-reader.ts';

/** Where a value of an event stands in the chunk: event number, its member, then the path of keys. */
type Slot = readonly [number, string, ...(string | number)[]];

/** A wire object that may be emptied of the values that events carry. */
export type Holder = Record<string | number, Json>;

/**
 * Collects what one chunk says. Values that an event carries are taken out of the chunk and their place is noted, so that the
 * frame's residue is only the chunk's remainder, and the encoder puts the events' values back.
 */
export class FrameBuilder {
  readonly events: StreamEvent[] = [];
  readonly #slots: Slot[] = [];
  readonly #chunk: JsonObject;

  constructor(chunk: JsonObject) {
    this.#chunk = chunk;
  }

  emit(event: StreamEvent): void {
    this.events.push(event);
  }

  /** Notes that `member` of the event emitted last is the value of `holder[key]`, at `path`. */
  link(member: string, holder: Holder, path: readonly (string | number)[]): void {
    const key = path.at(-1);
    if (key === undefined) return;
    holder[key] = null;
    this.#slots.push([this.events.length - 1, member, ...path]);
  }

  frame(dialect: DialectName, event: SseEvent): StreamFrame {
    const form: MutableJson = {};
    if (this.#slots.length > 0) form['slots'] = this.#slots as unknown as Json;
    if (event.event !== undefined) form['event'] = event.event;
    if (event.id !== undefined) form['id'] = event.id;
    const residue = { dialect, fields: this.#chunk, ...(Object.keys(form).length === 0 ? {} : { form }) };
    return { events: this.events, residue };
  }
}

function copyPath(root: JsonObject, path: readonly (string | number)[], value: Json): JsonObject {
  const copy = { ...root } as MutableJson;
  let holder = copy as unknown as Holder;
  for (const key of path.slice(0, -1)) {
    const inner = holder[key];
    const next = Array.isArray(inner) ? [...(inner as readonly Json[])] : { ...(inner as JsonObject) };
    holder[key] = next as Json;
    holder = next as unknown as Holder;
  }
  holder[path.at(-1) ?? ''] = value;
  return copy;
}

/** Rebuilds the chunk that a frame came from; undefined where the events no longer fit the places that were noted. */
export function rebuildChunk(frame: StreamFrame): JsonObject | undefined {
  let chunk = frame.residue?.fields;
  const slots = (frame.residue?.form?.['slots'] as unknown as readonly Slot[] | undefined) ?? [];
  for (const [at, member, ...path] of slots) {
    const event = frame.events[at] as unknown as Record<string, Json> | undefined;
    const value = event?.[member];
    if (chunk === undefined || value === undefined) return undefined;
    chunk = copyPath(chunk, path, value);
  }
  return chunk;
}

/** The wire event of a rebuilt chunk, under the name and id that it had. */
export function toSseEvent(chunk: JsonObject, frame: StreamFrame): SseEvent {
  const { event, id } = isJsonObject(frame.residue?.form) ? frame.residue.form : {};
  return {
    data: JSON.stringify(chunk),
    ...(typeof event === 'string' ? { event } : {}),
    ...(typeof id === 'string' ? { id } : {}),
  };
}
