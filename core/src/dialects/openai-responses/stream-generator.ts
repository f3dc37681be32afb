import type { ErrorInfo, Json, JsonObject, ReasoningPart, StreamEvent } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { EncodeOptions, LossReport } from '../codec.ts';
import { packToolCallId } from '../provenance.ts';
import { encodeAnnotation, encodeLogprobs } from './annotations.ts';
import { encodeErrorEvent } from './errors.ts';
import { encodeFinish, reportFinish } from './finish.ts';
import type { FinishStatus } from './finish.ts';
import { numberField, stringField } from './json-fields.ts';
import { reportBelow } from './loss-path.ts';
import { encodeEncrypted } from './reasoning-encode.ts';
import { dialect } from './residue.ts';
import { generateResponse, responseContext, statusFields } from './response-encode.ts';
import type { StreamedPart, StreamedItem } from './stream-output.ts';
import { finishedItem, partSnapshot, partStems } from './stream-output.ts';
import { letterOfType, outputIndexOf, partId } from './stream-places.ts';
import type { StreamState } from './stream-state.ts';
import { generateUsage } from './usage.ts';

type EventOf<Type extends StreamEvent['type']> = Extract<StreamEvent, { readonly type: Type }>;

/**
 * Writes the events of a response from canonical events: items are announced, filled and finished in order, every `.done`
 * repeats its whole text, the last event holds the whole response. `adopt` follows a stream that is passed on as it came, so
 * that generation can take over in the middle: a plugin may change any event.
 */
export class ResponseGenerator {
  readonly #state: StreamState;
  readonly #options: EncodeOptions;
  readonly #newId: (prefix: string) => string;
  readonly #isSummaryWanted: boolean;
  readonly #items = new Map<number, StreamedItem>();
  readonly #parts = new Map<string, StreamedPart>();
  /** The parts of the answer in the order in which they began. */
  readonly #places = new Set<string>();
  #base: JsonObject | undefined;
  #sequence = 0;
  #isEnded = false;
  #out: JsonObject[] = [];

  constructor(state: StreamState, options: EncodeOptions) {
    this.#state = state;
    this.#options = options;
    const context = responseContext(options, 'completed');
    this.#newId = context.newId;
    this.#isSummaryWanted = context.isSummaryWanted === true;
  }

  /** True after the event that ends the response. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Follows an event that goes to the client as it came. */
  adopt(type: string, event: JsonObject, isTerminal: boolean): void {
    this.#sequence = (numberField(event, 'sequence_number') ?? this.#sequence) + 1;
    const [response, item, part] = [event['response'], event['item'], event['part']];
    if (isTerminal) this.#isEnded = true;
    else if (isJsonObject(response)) this.#base = response;
    else if (isJsonObject(item)) this.#adoptItem(outputIndexOf(event), item, type.endsWith('.done'));
    else if (isJsonObject(part)) this.#adoptPart(event, part, type.endsWith('.done'));
  }

  #adoptItem(index: number, item: JsonObject, isDone: boolean): void {
    const known = this.#items.get(index);
    if (known !== undefined) {
      known.template = item;
      known.isDone = isDone;
      for (const part of known.parts) part.isDone ||= isDone;
      return;
    }
    const streamed: StreamedItem = { index, template: item, parts: [], isDone };
    this.#items.set(index, streamed);
    const type = stringField(item, 'type');
    if (type !== 'function_call' && type !== 'custom_tool_call') return;
    this.#addPart({ id: partId(index, '', undefined), type, item: streamed, index: 0, isAnnounced: true, isDone });
  }

  #adoptPart(event: JsonObject, part: JsonObject, isDone: boolean): void {
    const letter = letterOfType(part['type']);
    const item = this.#items.get(outputIndexOf(event));
    if (letter === undefined || item === undefined) return;
    const index = numberField(event, letter === 's' ? 'summary_index' : 'content_index') ?? 0;
    const id = partId(item.index, letter, index);
    const known = this.#parts.get(id);
    if (known !== undefined) known.isDone = isDone;
    else this.#addPart({ id, type: part['type'] as StreamedPart['type'], item, index, isAnnounced: true, isDone });
  }

  #addPart(part: StreamedPart): StreamedPart {
    this.#parts.set(part.id, part);
    part.item.parts.push(part);
    return part;
  }

  /** The wire events of canonical events that are already in the state. */
  push(events: readonly StreamEvent[]): readonly JsonObject[] {
    this.#out = [];
    for (const event of events) {
      if (this.#isEnded) break;
      this.#event(event, events);
    }
    return this.#out;
  }

  /** The end of the response. */
  finish(): readonly JsonObject[] {
    this.#out = [];
    if (this.#isEnded) return this.#out;
    this.#start();
    const finish: FinishStatus =
      this.#state.finish === undefined ? { status: 'incomplete' } : encodeFinish(this.#state.finish);
    for (const part of this.#parts.values()) this.#finishPart(part);
    for (const item of this.#items.values())
      this.#finishItem(item, finish.status === 'completed' ? 'completed' : 'incomplete');
    reportFinish(this.#state.finish, finish, this.#state, this.#options.report);
    this.#end(finish);
    return this.#out;
  }

  /** The failure of the response: an `error` event, and the response as failed where it had begun. */
  fail(error: ErrorInfo): readonly JsonObject[] {
    this.#out = [];
    if (!this.#isEnded) this.#fail(error);
    return this.#out;
  }

  #fail(error: ErrorInfo): void {
    const event = encodeErrorEvent(error, this.#sequence);
    this.#sequence += 1;
    this.#out.push(event);
    if (this.#base !== undefined)
      this.#end({ status: 'failed' }, { code: event['code'] ?? null, message: error.message });
    this.#isEnded = true;
  }

  #end(finish: FinishStatus, error: JsonObject | null = null): void {
    const { usage } = this.#state;
    const items = [...this.#items.values()].toSorted((left, right) => left.index - right.index);
    const output = items.filter((item) => item.isDone).map((item) => item.template);
    const type = finish.status === 'failed' || finish.status === 'incomplete' ? finish.status : 'completed';
    const isCompleted = finish.status === 'completed';
    const response = {
      ...this.#base,
      error,
      ...statusFields(finish),
      ...(isCompleted ? { completed_at: Math.floor(Date.now() / 1000) } : {}),
      output,
      usage: usage === undefined ? null : generateUsage(usage, this.#options.report),
    };
    this.#emit(`response.${type}`, { response });
    this.#isEnded = true;
  }

  #emit(type: string, fields: JsonObject): void {
    this.#out.push({ type, sequence_number: this.#sequence, ...fields });
    this.#sequence += 1;
  }

  #start(): void {
    if (this.#base !== undefined) return;
    const response = {
      ...generateResponse(this.#state.head, this.#options, { status: 'in_progress' }),
      output: [],
      usage: null,
    };
    this.#base = response;
    this.#emit('response.created', { response });
    this.#emit('response.in_progress', { response });
  }

  #event(event: StreamEvent, siblings: readonly StreamEvent[]): void {
    if ('part' in event) this.#places.add(event.part);
    else if (event.type === 'server-tool' || event.type === 'opaque') this.#places.add(`whole ${this.#places.size}`);
    if (event.type === 'error') {
      this.#fail(event.error);
      return;
    }
    if (event.type === 'usage' || event.type === 'finish') return;
    this.#start();
    switch (event.type) {
      case 'response-start':
        return;
      case 'text-start':
      case 'refusal-start':
        this.#contentPart(event.part, event.type === 'text-start' ? 'output_text' : 'refusal');
        return;
      case 'text-delta':
      case 'refusal-delta':
      case 'citation':
        this.#contentEvent(event);
        return;
      case 'reasoning-start':
        this.#reasoningPart(event);
        return;
      case 'reasoning-delta':
        this.#delta(
          this.#parts.get(event.part) ?? this.#reasoningPart({ ...event, type: 'reasoning-start' }),
          event.text,
        );
        return;
      case 'reasoning-end':
        this.#endReasoning(event);
        return;
      case 'tool-call-start':
        this.#startCall(event, siblings);
        return;
      case 'tool-call-delta': {
        const part = this.#parts.get(event.part);
        if (part !== undefined) this.#delta(part, event.argumentsDelta);
        return;
      }
      case 'tool-call-end':
      case 'text-end':
      case 'refusal-end':
        this.#endPart(event);
        return;
      case 'media-delta':
        this.#media(event);
        return;
      default:
        this.#whole(event);
    }
  }

  /** A report with the place of the event's part among all parts of the answer. */
  #reportOf(event: StreamEvent): LossReport {
    const place = 'part' in event ? [...this.#places].indexOf(event.part) : this.#places.size - 1;
    return reportBelow(this.#options.report, `content[${place}]`);
  }

  #reportSignature(event: EventOf<'tool-call-end' | 'text-end'>): void {
    if (event.signature === undefined) return;
    this.#reportOf(event).add({
      action: 'dropped',
      field: 'signature',
      reason: 'the Responses API has no place for it here',
    });
  }

  #endPart(event: EventOf<'tool-call-end' | 'text-end' | 'refusal-end'>): void {
    const part = this.#parts.get(event.part);
    if (part === undefined) return;
    if (event.type === 'text-end') this.#reportSignature(event);
    if (event.type === 'tool-call-end' && part.signature === undefined) this.#reportSignature(event);
    this.#finishPart(part);
    if (event.type === 'tool-call-end') this.#finishItem(part.item, 'completed');
  }

  /** Opens an item; those before it that have nothing open any more are finished first. */
  #openItem(template: JsonObject): StreamedItem {
    for (const item of this.#items.values())
      if (item.parts.every((part) => part.isDone)) this.#finishItem(item, 'completed');
    const index = Math.max(-1, ...this.#items.keys()) + 1;
    const item: StreamedItem = { index, template, parts: [], isDone: false };
    this.#items.set(index, item);
    this.#emit('response.output_item.added', { output_index: index, item: template });
    return item;
  }

  #finishItem(item: StreamedItem, status: string): void {
    if (item.isDone) return;
    item.template = finishedItem(item, this.#state, status);
    item.isDone = true;
    this.#emit('response.output_item.done', { output_index: item.index, item: item.template });
  }

  /** The part, in the message that is open or in a new one. */
  #contentPart(id: string, type: 'output_text' | 'refusal'): StreamedPart {
    const known = this.#parts.get(id);
    if (known !== undefined) return known;
    const last = this.#items.get(Math.max(-1, ...this.#items.keys()));
    const isOpen = last?.template['type'] === 'message' && !last.isDone;
    const added = { id: this.#newId('msg'), type: 'message', status: 'in_progress', role: 'assistant', content: [] };
    const item = isOpen ? last : this.#openItem(added);
    const part = this.#addPart({ id, type, item, index: item.parts.length, isAnnounced: false, isDone: false });
    this.#announce(part);
    return part;
  }

  #announce(part: StreamedPart): void {
    if (part.isAnnounced) return;
    part.isAnnounced = true;
    const { added } = partStems(part.type);
    if (added !== undefined) this.#emit(added, { ...placeOf(part), part: partSnapshot(part, undefined) });
  }

  #delta(part: StreamedPart, delta: string, fields: JsonObject = {}): void {
    this.#announce(part);
    this.#emit(`${partStems(part.type).stem}.delta`, { ...placeOf(part), delta, ...fields });
  }

  #contentEvent(event: EventOf<'text-delta' | 'refusal-delta' | 'citation'>): void {
    const part = this.#contentPart(event.part, event.type === 'refusal-delta' ? 'refusal' : 'output_text');
    if (event.type !== 'citation') {
      const isText = event.type === 'text-delta';
      this.#delta(part, event.text, isText ? { logprobs: encodeLogprobs(event.logprobs ?? []) } : {});
      return;
    }
    const annotation = encodeAnnotation(event.citation, this.#reportOf(event));
    if (annotation === undefined) return;
    const annotationIndex = this.#state.citations(part.id).indexOf(event.citation);
    this.#emit('response.output_text.annotation.added', {
      ...placeOf(part),
      annotation_index: annotationIndex,
      annotation,
    });
  }

  #reasoningPart(event: EventOf<'reasoning-start'>): StreamedPart {
    const known = this.#parts.get(event.part);
    if (known !== undefined) return known;
    const type = event.isSummary === true || this.#isSummaryWanted ? 'summary_text' : 'reasoning_text';
    const last = this.#items.get(Math.max(-1, ...this.#items.keys()));
    const isSame = last !== undefined && !last.isDone && event.id !== undefined && last.template['id'] === event.id;
    const lists = type === 'reasoning_text' ? { summary: [], content: [] } : { summary: [] };
    const added = { id: event.id ?? this.#newId('rs'), type: 'reasoning', status: 'in_progress', ...lists };
    const item = isSame ? last : this.#openItem(added);
    const index = item.parts.filter((part) => part.type === type).length;
    return this.#addPart({ id: event.part, type, item, index, isAnnounced: false, isDone: false });
  }

  #endReasoning(event: EventOf<'reasoning-end'>): void {
    const part = this.#parts.get(event.part) ?? this.#reasoningPart({ type: 'reasoning-start', part: event.part });
    const opaque: Pick<ReasoningPart, 'encrypted' | 'signature' | 'origin'> = event;
    const encrypted = encodeEncrypted(opaque, 'response');
    if (encrypted !== undefined && 'value' in encrypted) part.item.encrypted = encrypted.value;
    else if (encrypted !== undefined) {
      this.#reportOf(event).add({ action: 'dropped', field: 'encrypted_content', reason: encrypted.dropped });
    }
    this.#finishPart(part);
  }

  #startCall(event: EventOf<'tool-call-start'>, siblings: readonly StreamEvent[]): void {
    if (this.#parts.has(event.part)) return;
    const end = siblings.find((one) => one.type === 'tool-call-end' && one.part === event.part);
    const signature = end?.type === 'tool-call-end' ? end.signature : undefined;
    const isFreeform = event.isFreeform === true;
    const type = isFreeform ? 'custom_tool_call' : 'function_call';
    const item = this.#openItem({
      id: this.#newId(isFreeform ? 'ctc' : 'fc'),
      type,
      status: 'in_progress',
      call_id: packToolCallId(event.id, signature),
      name: event.name,
      [isFreeform ? 'input' : 'arguments']: '',
    });
    const part = { id: event.part, type, item, index: 0, isAnnounced: true, isDone: false } as const;
    this.#addPart({ ...part, ...(signature === undefined ? {} : { signature }) });
  }

  /** Says the whole text of a part and closes it. */
  #finishPart(part: StreamedPart): void {
    if (part.isDone) return;
    part.isDone = true;
    if (!part.isAnnounced) return; // reasoning without any text: the item alone carries it
    const { stem, done, key } = partStems(part.type);
    const text = this.#state.text(part.id);
    const extra = part.type === 'output_text' ? { logprobs: encodeLogprobs(this.#state.logprobs(part.id)) } : {};
    const name = part.type === 'function_call' ? { name: part.item.template['name'] ?? '' } : {};
    this.#emit(`${stem}.done`, { ...placeOf(part), [key]: text, ...extra, ...name });
    if (done !== undefined) this.#emit(done, { ...placeOf(part), part: partSnapshot(part, this.#state) });
  }

  #media(event: EventOf<'media-delta'>): void {
    if (event.kind !== 'image' || event.source !== undefined) {
      this.#reportOf(event).add({
        action: 'dropped',
        field: event.kind,
        reason: 'the Responses API streams no such media',
      });
      return;
    }
    const known = this.#parts.get(event.part);
    if (known !== undefined) {
      known.item.template = {
        ...known.item.template,
        result: `${stringField(known.item.template, 'result') ?? ''}${event.data}`,
      };
      return;
    }
    const added = { id: this.#newId('ig'), type: 'image_generation_call', status: 'in_progress', result: null };
    const item = this.#openItem(added);
    item.template = { ...added, result: event.data };
    this.#addPart({ id: event.part, type: 'image_generation_call', item, index: 0, isAnnounced: false, isDone: false });
  }

  #whole(event: EventOf<'server-tool' | 'opaque'>): void {
    const { value }: { readonly value: Json } = event;
    if (event.dialect !== dialect || !isJsonObject(value)) {
      this.#reportOf(event).add({ action: 'dropped', field: '', reason: `only ${event.dialect} knows it` });
      return;
    }
    const id = stringField(value, 'id');
    const announced = [...this.#items.values()].find((item) => id !== undefined && item.template['id'] === id);
    const item = announced ?? this.#openItem(value);
    item.template = value;
    this.#finishItem(item, stringField(value, 'status') ?? 'completed');
  }
}

function placeOf(part: StreamedPart): JsonObject {
  const place = { item_id: part.item.template['id'] ?? '', output_index: part.item.index };
  if (part.type === 'summary_text') return { ...place, summary_index: part.index };
  return partStems(part.type).added === undefined ? place : { ...place, content_index: part.index };
}
