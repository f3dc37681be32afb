import type { ErrorInfo, JsonObject, ReasoningPart, StreamEvent } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { EncodeOptions, LossReport } from '../codec.ts';
import { packToolCallId } from '../provenance.ts';
import { encodeAnnotation, encodeLogprobs } from './annotations.ts';
import { encodeErrorEvent } from './errors.ts';
import { encodeFinish, reportFinish } from './finish.ts';
import type { FinishStatus } from './finish.ts';
import { reportBelow } from './loss-path.ts';
import { encodeEncrypted } from './reasoning-encode.ts';
import { generateResponse, responseContext, statusFields } from './response-encode.ts';
import type { StreamedPart } from './stream-output.ts';
import { placeOf, StreamOutputWriter } from './stream-output-writer.ts';
import { outputIndexOf } from './stream-places.ts';
import type { StreamState } from './stream-state.ts';
import { writeMedia, writeWholeItem } from './stream-whole-items.ts';
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
  readonly #writer: StreamOutputWriter;
  /** The parts of the answer in the order in which they began. */
  readonly #places = new Set<string>();
  #base: JsonObject | undefined;
  #isEnded = false;

  constructor(state: StreamState, options: EncodeOptions) {
    this.#state = state;
    this.#options = options;
    this.#writer = new StreamOutputWriter(state);
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
    this.#writer.follow(event);
    const [response, item, part] = [event['response'], event['item'], event['part']];
    if (isTerminal) this.#isEnded = true;
    else if (isJsonObject(response)) this.#base = response;
    else if (isJsonObject(item)) this.#writer.adoptItem(outputIndexOf(event), item, type.endsWith('.done'));
    else if (isJsonObject(part)) this.#writer.adoptPart(event, part, type.endsWith('.done'));
  }

  /** The wire events of canonical events that are already in the state. */
  push(events: readonly StreamEvent[]): readonly JsonObject[] {
    this.#writer.begin();
    for (const event of events) {
      if (this.#isEnded) break;
      this.#event(event, events);
    }
    return this.#writer.written;
  }

  /** The end of the response. */
  finish(): readonly JsonObject[] {
    this.#writer.begin();
    if (this.#isEnded) return this.#writer.written;
    this.#start();
    const finish: FinishStatus =
      this.#state.finish === undefined ? { status: 'incomplete' } : encodeFinish(this.#state.finish);
    for (const part of this.#writer.parts.values()) this.#writer.finishPart(part);
    for (const item of this.#writer.items.values())
      this.#writer.finishItem(item, finish.status === 'completed' ? 'completed' : 'incomplete');
    reportFinish(this.#state.finish, finish, this.#state, this.#options.report);
    this.#end(finish);
    return this.#writer.written;
  }

  /** The failure of the response: an `error` event, and the response as failed where it had begun. */
  fail(error: ErrorInfo): readonly JsonObject[] {
    this.#writer.begin();
    if (!this.#isEnded) this.#fail(error);
    return this.#writer.written;
  }

  #fail(error: ErrorInfo): void {
    const event = encodeErrorEvent(error, this.#writer.sequence);
    this.#writer.append(event);
    if (this.#base !== undefined)
      this.#end({ status: 'failed' }, { code: event['code'] ?? null, message: error.message });
    this.#isEnded = true;
  }

  #end(finish: FinishStatus, error: JsonObject | null = null): void {
    const { usage } = this.#state;
    const type = finish.status === 'failed' || finish.status === 'incomplete' ? finish.status : 'completed';
    const isCompleted = finish.status === 'completed';
    const response = {
      ...this.#base,
      error,
      ...statusFields(finish),
      ...(isCompleted ? { completed_at: Math.floor(Date.now() / 1000) } : {}),
      output: this.#writer.output,
      usage: usage === undefined ? null : generateUsage(usage, this.#options.report),
    };
    this.#writer.emit(`response.${type}`, { response });
    this.#isEnded = true;
  }

  #start(): void {
    if (this.#base !== undefined) return;
    const response = {
      ...generateResponse(this.#state.head, this.#options, { status: 'in_progress' }),
      output: [],
      usage: null,
    };
    this.#base = response;
    this.#writer.emit('response.created', { response });
    this.#writer.emit('response.in_progress', { response });
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
        this.#writer.delta(
          this.#writer.parts.get(event.part) ?? this.#reasoningPart({ ...event, type: 'reasoning-start' }),
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
        const part = this.#writer.parts.get(event.part);
        if (part !== undefined) this.#writer.delta(part, event.argumentsDelta);
        return;
      }
      case 'tool-call-end':
      case 'text-end':
      case 'refusal-end':
        this.#endPart(event);
        return;
      case 'media-delta':
        writeMedia(this.#writer, event, { newId: this.#newId, report: this.#reportOf(event) });
        return;
      default:
        writeWholeItem(this.#writer, event, this.#reportOf(event));
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
    const part = this.#writer.parts.get(event.part);
    if (part === undefined) return;
    if (event.type === 'text-end') this.#reportSignature(event);
    if (event.type === 'tool-call-end' && part.signature === undefined) this.#reportSignature(event);
    this.#writer.finishPart(part);
    if (event.type === 'tool-call-end') this.#writer.finishItem(part.item, 'completed');
  }

  /** The part, in the message that is open or in a new one. */
  #contentPart(id: string, type: 'output_text' | 'refusal'): StreamedPart {
    const known = this.#writer.parts.get(id);
    if (known !== undefined) return known;
    const last = this.#writer.lastItem;
    const isOpen = last?.template['type'] === 'message' && !last.isDone;
    const added = { id: this.#newId('msg'), type: 'message', status: 'in_progress', role: 'assistant', content: [] };
    const item = isOpen ? last : this.#writer.openItem(added);
    const part = this.#writer.addPart({ id, type, item, index: item.parts.length, isAnnounced: false, isDone: false });
    this.#writer.announce(part);
    return part;
  }

  #contentEvent(event: EventOf<'text-delta' | 'refusal-delta' | 'citation'>): void {
    const part = this.#contentPart(event.part, event.type === 'refusal-delta' ? 'refusal' : 'output_text');
    if (event.type !== 'citation') {
      const isText = event.type === 'text-delta';
      this.#writer.delta(part, event.text, isText ? { logprobs: encodeLogprobs(event.logprobs ?? []) } : {});
      return;
    }
    const annotation = encodeAnnotation(event.citation, this.#reportOf(event));
    if (annotation === undefined) return;
    const annotationIndex = this.#state.citations(part.id).indexOf(event.citation);
    this.#writer.emit('response.output_text.annotation.added', {
      ...placeOf(part),
      annotation_index: annotationIndex,
      annotation,
    });
  }

  #reasoningPart(event: EventOf<'reasoning-start'>): StreamedPart {
    const known = this.#writer.parts.get(event.part);
    if (known !== undefined) return known;
    const type = event.isSummary === true || this.#isSummaryWanted ? 'summary_text' : 'reasoning_text';
    const last = this.#writer.lastItem;
    const isSame = last !== undefined && !last.isDone && event.id !== undefined && last.template['id'] === event.id;
    const lists = type === 'reasoning_text' ? { summary: [], content: [] } : { summary: [] };
    const added = { id: event.id ?? this.#newId('rs'), type: 'reasoning', status: 'in_progress', ...lists };
    const item = isSame ? last : this.#writer.openItem(added);
    const index = item.parts.filter((part) => part.type === type).length;
    return this.#writer.addPart({ id: event.part, type, item, index, isAnnounced: false, isDone: false });
  }

  #endReasoning(event: EventOf<'reasoning-end'>): void {
    const part =
      this.#writer.parts.get(event.part) ?? this.#reasoningPart({ type: 'reasoning-start', part: event.part });
    const opaque: Pick<ReasoningPart, 'encrypted' | 'signature' | 'origin'> = event;
    const encrypted = encodeEncrypted(opaque, 'response');
    if (encrypted !== undefined && 'value' in encrypted) part.item.encrypted = encrypted.value;
    else if (encrypted !== undefined) {
      this.#reportOf(event).add({ action: 'dropped', field: 'encrypted_content', reason: encrypted.dropped });
    }
    this.#writer.finishPart(part);
  }

  #startCall(event: EventOf<'tool-call-start'>, siblings: readonly StreamEvent[]): void {
    if (this.#writer.parts.has(event.part)) return;
    const end = siblings.find((one) => one.type === 'tool-call-end' && one.part === event.part);
    const signature = event.signature ?? (end?.type === 'tool-call-end' ? end.signature : undefined);
    const isFreeform = event.isFreeform === true;
    const type = isFreeform ? 'custom_tool_call' : 'function_call';
    const item = this.#writer.openItem({
      id: this.#newId(isFreeform ? 'ctc' : 'fc'),
      type,
      status: 'in_progress',
      call_id: packToolCallId(event.id, signature),
      name: event.name,
      [isFreeform ? 'input' : 'arguments']: '',
    });
    const part = { id: event.part, type, item, index: 0, isAnnounced: true, isDone: false } as const;
    this.#writer.addPart({ ...part, ...(signature === undefined ? {} : { signature }) });
  }
}
