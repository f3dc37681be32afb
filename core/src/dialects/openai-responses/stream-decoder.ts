import type { Json, JsonObject, StreamEvent, StreamFrame, WholeFrame } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';
import type { StreamDecoder } from '../codec.ts';
import { unpackToolCallId } from '../provenance.ts';
import { decodeAnnotation, decodeLogprobs } from './annotations.ts';
import { decodeError } from './errors.ts';
import { decodeFinish } from './finish.ts';
import { decodeEncrypted, decodeItem } from './item-decode.ts';
import { listField, numberField, stringField } from './json-fields.ts';
import { defined, dialect } from './residue.ts';
import type { StreamedKind } from './stream-places.ts';
import { letterOfType, outputIndexOf, partId, partOfEvent, streamedKind, textKeyOf } from './stream-places.ts';
import { StreamState } from './stream-state.ts';
import { parseEvent, sseForm } from './stream-event.ts';
import { stripEvent, terminalTypes } from './stream-template.ts';
import { decodeUsage } from './usage.ts';

type TextKind = 'text' | 'refusal' | 'reasoning';

const kindOfLetter: Readonly<Record<StreamedKind['letter'], TextKind>> = {
  '': 'text',
  r: 'refusal',
  s: 'reasoning',
  c: 'reasoning',
};

/** Items whose pieces are events of their own; an image's pieces are images. */
const streamedItems: ReadonlySet<string> = new Set([
  'message',
  'reasoning',
  'function_call',
  'custom_tool_call',
  'image_generation_call',
]);

/**
 * Decodes the stream of one response. Text that a provider says only in a snapshot (no deltas, or fewer than the whole) becomes a
 * delta of the frame that said it. A reasoning part stays open until the next one or the end of its item, because the item's
 * `encrypted_content` comes last.
 */
export class ResponsesStreamDecoder implements StreamDecoder {
  readonly #state = new StreamState();
  /** Open parts: their ids and kinds, in the order in which they began. */
  readonly #open = new Map<string, TextKind | 'call'>();
  readonly #begun = new Set<string>();
  readonly #done = new Set<number>();
  /** Signatures of calls that came inside their ids. */
  readonly #signatures = new Map<string, string>();
  readonly #itemIds = new Map<number, string>();
  /** Items that are open, and of which nothing is said before their end. */
  readonly #wholes = new Set<number>();
  #isStarted = false;
  #isEnded = false;
  #events: StreamEvent[] = [];

  push(event: SseEvent): readonly StreamFrame[] {
    if (event.data === '[DONE]') {
      return [
        { events: [], residue: { dialect, fields: {}, form: { data: event.data, ...sseForm(event, undefined) } } },
      ];
    }
    const json = parseEvent(event);
    const type = stringField(json, 'type') ?? event.event ?? '';
    this.#events = [];
    this.#decode(type, json);
    const fields = stripEvent(type, json, this.#state, this.#events);
    const sse = sseForm(event, stringField(json, 'type'));
    const form = json['response'] === undefined ? sse : { ...sse, ...this.#absentHead(json['response']) };
    const residue = { dialect, fields, ...(Object.keys(form).length === 0 ? {} : { form }) };
    const whole = this.#wholeOf(type, json);
    return [whole === undefined ? { events: this.#events, residue } : { events: this.#events, residue, whole }];
  }

  finish(): readonly StreamFrame[] {
    if (this.#isEnded) return [];
    this.#events = [];
    this.#closeAll();
    const error = {
      statusCode: 502,
      code: 'BF_STREAM_TRUNCATED',
      message: 'the provider ended the stream before response.completed, response.incomplete or response.failed',
      origin: 'provider',
    } as const;
    this.#emit({ type: 'error', error });
    return [{ events: this.#events }];
  }

  /** The item that the event is a piece of, where only its end shows it. */
  #wholeOf(type: string, json: JsonObject): WholeFrame | undefined {
    const index = numberField(json, 'output_index');
    if (index === undefined || !this.#wholes.has(index)) return undefined;
    const isEnd = type === 'response.output_item.done';
    if (isEnd) this.#wholes.delete(index);
    return { key: String(index), isEnd };
  }

  /** Which members of the head a snapshot lacks: they must not be put in again. */
  #absentHead(response: Json | undefined): JsonObject {
    if (!isJsonObject(response)) return {};
    const { id, model, createdAt } = this.#state.head;
    const known: JsonObject = defined({ id, model, created_at: createdAt });
    const absent = Object.keys(known).filter((key) => response[key] === undefined);
    return absent.length === 0 ? {} : { absent };
  }

  #emit(event: StreamEvent): void {
    this.#state.apply(event);
    this.#events.push(event);
  }

  #decode(type: string, json: JsonObject): void {
    const [response, item, part] = [json['response'], json['item'], json['part']];
    if (isJsonObject(response) && type.startsWith('response.')) {
      this.#start(response);
      if (terminalTypes.has(type)) this.#end(response);
    } else if (isJsonObject(item) && type === 'response.output_item.added') this.#addItem(outputIndexOf(json), item);
    else if (isJsonObject(item) && type === 'response.output_item.done') this.#completeItem(outputIndexOf(json), item);
    else if (isJsonObject(part)) this.#decodePart(type, json, part);
    else if (type === 'response.output_text.annotation.added' && isJsonObject(json['annotation'])) {
      const place = partId(outputIndexOf(json), '', numberField(json, 'content_index') ?? 0);
      this.#begin(place, 'text');
      this.#emit({ type: 'citation', part: place, citation: decodeAnnotation(json['annotation']) });
    } else if (type === 'response.audio.delta') {
      this.#emit({ type: 'media-delta', part: 'audio', kind: 'audio', data: stringField(json, 'delta') ?? '' });
    } else if (type === 'error') {
      this.#isEnded = true;
      this.#emit({ type: 'error', error: decodeError(200, json) });
    } else this.#decodeStreamed(type, json);
  }

  #start(response: JsonObject): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const head = {
      id: stringField(response, 'id'),
      model: stringField(response, 'model'),
      createdAt: numberField(response, 'created_at'),
    };
    this.#emit({ type: 'response-start', ...defined(head) });
  }

  #end(response: JsonObject): void {
    for (const [position, item] of (listField(response, 'output') ?? []).entries()) {
      if (isJsonObject(item)) this.#completeItem(this.#state.indexOf(item, position), item);
    }
    this.#closeAll();
    this.#isEnded = true;
    const usage = decodeUsage(response['usage']);
    if (usage !== undefined) this.#emit({ type: 'usage', usage });
    const reason = decodeFinish(response, this.#state);
    // A failed response has no end but its error; its status stays in the residue.
    if (reason?.kind === 'error') this.#emit({ type: 'error', error: decodeError(200, response) });
    else if (reason !== undefined) this.#emit({ type: 'finish', reason });
  }

  #decodePart(type: string, json: JsonObject, part: JsonObject): void {
    const letter = letterOfType(part['type']);
    if (letter === undefined) return;
    const index = numberField(json, letter === 's' ? 'summary_index' : 'content_index') ?? 0;
    const place = partId(outputIndexOf(json), letter, index);
    const kind = kindOfLetter[letter];
    this.#begin(place, kind);
    this.#catchUp(place, kind, part[textKeyOf(letter)]);
    if (type.endsWith('.done') && kind !== 'reasoning') this.#close(place);
  }

  #decodeStreamed(type: string, json: JsonObject): void {
    const kind = streamedKind(type);
    if (kind === undefined) return;
    const part = partOfEvent(kind, json);
    if (kind.kind !== 'call') this.#begin(part, kind.kind);
    if (kind.isDone) {
      this.#catchUp(part, kind.kind, json[kind.doneKey]);
      return;
    }
    const delta = stringField(json, 'delta');
    if (delta !== undefined) this.#delta(part, kind.kind, delta, decodeLogprobs(json['logprobs']));
  }

  #delta(part: string, kind: TextKind | 'call', text: string, logprobs?: ReturnType<typeof decodeLogprobs>): void {
    if (kind === 'text') this.#emit({ type: 'text-delta', part, text, ...defined({ logprobs }) });
    else if (kind === 'call') this.#emit({ type: 'tool-call-delta', part, argumentsDelta: text });
    else this.#emit({ type: `${kind}-delta`, part, text });
  }

  /** What a snapshot says beyond the deltas, where it goes on from them. */
  #catchUp(part: string, kind: TextKind | 'call', whole: Json | undefined): void {
    if (typeof whole !== 'string') return;
    const known = this.#state.text(part);
    if (whole.length > known.length && whole.startsWith(known)) this.#delta(part, kind, whole.slice(known.length));
  }

  #begin(part: string, kind: TextKind): void {
    if (this.#begun.has(part)) return;
    this.#begun.add(part);
    if (kind === 'reasoning') {
      const outputIndex = Number.parseInt(part, 10);
      this.#closeReasoning(outputIndex);
      const id = this.#itemIds.get(outputIndex);
      const isSummary = part.includes('.s') ? true : undefined;
      this.#emit({ type: 'reasoning-start', part, ...defined({ id, isSummary }) });
    } else this.#emit({ type: `${kind}-start`, part });
    this.#open.set(part, kind);
  }

  #close(part: string): void {
    const kind = this.#open.get(part);
    if (kind === undefined) return;
    this.#open.delete(part);
    if (kind === 'call')
      this.#emit({ type: 'tool-call-end', part, ...defined({ signature: this.#signatures.get(part) }) });
    else this.#emit({ type: `${kind}-end`, part });
  }

  #closeReasoning(outputIndex: number): void {
    for (const [part, kind] of this.#open) {
      if (kind === 'reasoning' && part.startsWith(`${outputIndex}.`)) this.#close(part);
    }
  }

  #closeAll(): void {
    for (const part of this.#open.keys()) this.#close(part);
  }

  #addItem(outputIndex: number, item: JsonObject): void {
    this.#state.noteItem(outputIndex, item);
    if (!streamedItems.has(stringField(item, 'type') ?? '')) this.#wholes.add(outputIndex);
    const id = stringField(item, 'id');
    if (id !== undefined) this.#itemIds.set(outputIndex, id);
    this.#beginCall(outputIndex, item);
  }

  #beginCall(outputIndex: number, item: JsonObject): void {
    const isFreeform = item['type'] === 'custom_tool_call';
    if (!isFreeform && item['type'] !== 'function_call') return;
    const part = partId(outputIndex, '', undefined);
    const [callId, name] = [stringField(item, 'call_id'), stringField(item, 'name')];
    if (callId === undefined || name === undefined) return;
    const { id, signature } = unpackToolCallId(callId);
    if (signature !== undefined) this.#signatures.set(part, signature);
    if (!this.#begun.has(part)) {
      this.#begun.add(part);
      this.#open.set(part, 'call');
      const more = { ...(isFreeform ? { isFreeform } : {}), ...defined({ signature }) };
      this.#emit({ type: 'tool-call-start', part, id, name, ...more });
    }
    this.#catchUp(part, 'call', item[isFreeform ? 'input' : 'arguments']);
  }

  /** Closes an item; what of it was never streamed is said now. */
  #completeItem(outputIndex: number, item: JsonObject): void {
    if (this.#done.has(outputIndex)) return;
    this.#done.add(outputIndex);
    this.#state.noteItem(outputIndex, item);
    switch (item['type']) {
      case 'function_call':
      case 'custom_tool_call':
        this.#beginCall(outputIndex, item);
        this.#close(partId(outputIndex, '', undefined));
        return;
      case 'message':
        this.#completeParts(outputIndex, listField(item, 'content'));
        return;
      case 'reasoning':
        this.#completeReasoning(outputIndex, item);
        return;
      default:
        this.#completeOther(outputIndex, item);
    }
  }

  #completeParts(outputIndex: number, parts: readonly Json[] | undefined): void {
    for (const [index, part] of (parts ?? []).entries()) {
      const letter = isJsonObject(part) ? letterOfType(part['type']) : undefined;
      if (!isJsonObject(part) || letter === undefined) continue;
      const place = partId(outputIndex, letter, index);
      this.#begin(place, kindOfLetter[letter]);
      this.#catchUp(place, kindOfLetter[letter], part[textKeyOf(letter)]);
      if (this.#state.citations(place).length === 0 && this.#open.has(place)) {
        for (const annotation of listField(part, 'annotations') ?? []) {
          if (isJsonObject(annotation))
            this.#emit({ type: 'citation', part: place, citation: decodeAnnotation(annotation) });
        }
      }
      if (letter === '' || letter === 'r') this.#close(place);
    }
  }

  #completeReasoning(outputIndex: number, item: JsonObject): void {
    const id = stringField(item, 'id');
    if (id !== undefined) this.#itemIds.set(outputIndex, id);
    this.#completeParts(outputIndex, listField(item, 'summary'));
    this.#completeParts(outputIndex, listField(item, 'content'));
    const encrypted = stringField(item, 'encrypted_content');
    let last = [...this.#open.keys()].findLast((part) => part.startsWith(`${outputIndex}.`));
    if (last === undefined && encrypted === undefined) {
      this.#completeOther(outputIndex, item);
      return;
    }
    if (last === undefined) {
      last = partId(outputIndex, '', undefined);
      this.#emit({ type: 'reasoning-start', part: last, ...defined({ id }) });
    }
    this.#open.delete(last);
    if (encrypted !== undefined) this.#state.setEncrypted(outputIndex, encrypted);
    this.#emit({ type: 'reasoning-end', part: last, ...(encrypted === undefined ? {} : decodeEncrypted(encrypted)) });
  }

  #completeOther(outputIndex: number, item: JsonObject): void {
    for (const part of decodeItem(item).parts) {
      if (part.type === 'server-tool' || part.type === 'opaque') this.#emit(part);
      else if (part.type === 'media' && part.source.type === 'base64') {
        const { kind, mediaType, source } = part;
        const place = partId(outputIndex, '', undefined);
        this.#emit({ type: 'media-delta', part: place, kind, data: source.data, ...defined({ mediaType }) });
      }
    }
  }
}
