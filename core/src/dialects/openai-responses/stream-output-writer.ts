/** The output of a generated stream as it is written: items and their parts are announced, filled and finished in order. */
import type { JsonObject } from '@bifrost/sdk';
import { encodeLogprobs } from './annotations.ts';
import { numberField, stringField } from './json-fields.ts';
import { finishedItem, partSnapshot, partStems } from './stream-output.ts';
import type { StreamedItem, StreamedPart } from './stream-output.ts';
import { letterOfType, outputIndexOf, partId } from './stream-places.ts';
import type { StreamState } from './stream-state.ts';

/** Writes items, parts and their events; knows what is open. What the events mean is the generator's concern. */
export class StreamOutputWriter {
  readonly items = new Map<number, StreamedItem>();
  readonly parts = new Map<string, StreamedPart>();
  readonly #state: StreamState;
  #sequence = 0;
  #out: JsonObject[] = [];

  constructor(state: StreamState) {
    this.#state = state;
  }

  /** The number of the next event. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The item that began last. */
  get lastItem(): StreamedItem | undefined {
    return this.items.get(Math.max(-1, ...this.items.keys()));
  }

  /** The finished items in their order. */
  get output(): readonly JsonObject[] {
    const items = [...this.items.values()].toSorted((left, right) => left.index - right.index);
    return items.filter((item) => item.isDone).map((item) => item.template);
  }

  /** Begins a list of events, and forgets the one before. */
  begin(): void {
    this.#out = [];
  }

  /** What was written since `begin`. */
  get written(): readonly JsonObject[] {
    return this.#out;
  }

  /** An event went to the client as it came: the next one of ours has the number after it. */
  follow(event: JsonObject): void {
    this.#sequence = (numberField(event, 'sequence_number') ?? this.#sequence) + 1;
  }

  /** Writes an event that has its number already. */
  append(event: JsonObject): void {
    this.#out.push(event);
    this.#sequence += 1;
  }

  /** Follows an item that goes to the client as it came. */
  adoptItem(index: number, item: JsonObject, isDone: boolean): void {
    const known = this.items.get(index);
    if (known !== undefined) {
      known.template = item;
      known.isDone = isDone;
      for (const part of known.parts) part.isDone ||= isDone;
      return;
    }
    const streamed: StreamedItem = { index, template: item, parts: [], isDone };
    this.items.set(index, streamed);
    const type = stringField(item, 'type');
    if (type !== 'function_call' && type !== 'custom_tool_call') return;
    this.addPart({ id: partId(index, '', undefined), type, item: streamed, index: 0, isAnnounced: true, isDone });
  }

  /** Follows a part that goes to the client as it came. */
  adoptPart(event: JsonObject, part: JsonObject, isDone: boolean): void {
    const letter = letterOfType(part['type']);
    const item = this.items.get(outputIndexOf(event));
    if (letter === undefined || item === undefined) return;
    const index = numberField(event, letter === 's' ? 'summary_index' : 'content_index') ?? 0;
    const id = partId(item.index, letter, index);
    const known = this.parts.get(id);
    if (known !== undefined) known.isDone = isDone;
    else this.addPart({ id, type: part['type'] as StreamedPart['type'], item, index, isAnnounced: true, isDone });
  }

  addPart(part: StreamedPart): StreamedPart {
    this.parts.set(part.id, part);
    part.item.parts.push(part);
    return part;
  }

  /** Writes an event with the next sequence number. */
  emit(type: string, fields: JsonObject): void {
    this.#out.push({ type, sequence_number: this.#sequence, ...fields });
    this.#sequence += 1;
  }

  /** Opens an item; those before it that have nothing open any more are finished first. */
  openItem(template: JsonObject): StreamedItem {
    for (const item of this.items.values())
      if (item.parts.every((part) => part.isDone)) this.finishItem(item, 'completed');
    const index = Math.max(-1, ...this.items.keys()) + 1;
    const item: StreamedItem = { index, template, parts: [], isDone: false };
    this.items.set(index, item);
    this.emit('response.output_item.added', { output_index: index, item: template });
    return item;
  }

  /** Says an item as it is now and closes it. */
  finishItem(item: StreamedItem, status: string): void {
    if (item.isDone) return;
    item.template = finishedItem(item, this.#state, status);
    item.isDone = true;
    this.emit('response.output_item.done', { output_index: item.index, item: item.template });
  }

  /** Says that a part begins, once. */
  announce(part: StreamedPart): void {
    if (part.isAnnounced) return;
    part.isAnnounced = true;
    const { added } = partStems(part.type);
    if (added !== undefined) this.emit(added, { ...placeOf(part), part: partSnapshot(part, undefined) });
  }

  /** Writes a piece of a part. */
  delta(part: StreamedPart, delta: string, fields: JsonObject = {}): void {
    this.announce(part);
    this.emit(`${partStems(part.type).stem}.delta`, { ...placeOf(part), delta, ...fields });
  }

  /** Says the whole text of a part and closes it. */
  finishPart(part: StreamedPart): void {
    if (part.isDone) return;
    part.isDone = true;
    if (!part.isAnnounced) return; // reasoning without any text: the item alone carries it
    const { stem, done, key } = partStems(part.type);
    const text = this.#state.text(part.id);
    const extra = part.type === 'output_text' ? { logprobs: encodeLogprobs(this.#state.logprobs(part.id)) } : {};
    const name = part.type === 'function_call' ? { name: part.item.template['name'] ?? '' } : {};
    this.emit(`${stem}.done`, { ...placeOf(part), [key]: text, ...extra, ...name });
    if (done !== undefined) this.emit(done, { ...placeOf(part), part: partSnapshot(part, this.#state) });
  }
}

/** Where a part stands, as its events say it. */
export function placeOf(part: StreamedPart): JsonObject {
  const place = { item_id: part.item.template['id'] ?? '', output_index: part.item.index };
  if (part.type === 'summary_text') return { ...place, summary_index: part.index };
  return partStems(part.type).added === undefined ? place : { ...place, content_index: part.index };
}
