import type { Citation, FinishReason, JsonObject, StreamEvent, TokenLogprob, Usage } from '@bifrost/sdk';
import { stringField } from './json-fields.ts';

/** The head of a response, as `response-start` says it. */
export interface ResponseHead {
  readonly id?: string;
  readonly model?: string;
  readonly createdAt?: number;
}

interface CallHead {
  readonly id: string;
  readonly name: string;
}

/**
 * What a stream has said so far, part by part. Decoder and encoder keep one each and feed it the same events, so that what the
 * decoder leaves out of a snapshot (`*.done`, the final response) the encoder can put in again, changes included.
 */
export class StreamState {
  readonly #texts = new Map<string, string[]>();
  readonly #citations = new Map<string, Citation[]>();
  readonly #logprobs = new Map<string, TokenLogprob[]>();
  readonly #calls = new Map<string, CallHead>();
  readonly #encrypted = new Map<number, string>();
  readonly #indexes = new Map<string, number>();

  head: ResponseHead = {};
  usage: Usage | undefined;
  finish: FinishReason | undefined;
  hasToolCall = false;
  hasRefusal = false;

  /** Takes one event in. */
  apply(event: StreamEvent): void {
    switch (event.type) {
      case 'response-start': {
        const { type: _, ...head } = event;
        this.head = { ...this.head, ...head };
        return;
      }
      case 'text-delta':
        for (const logprob of event.logprobs ?? []) append(this.#logprobs, event.part, logprob);
        append(this.#texts, event.part, event.text);
        return;
      case 'refusal-delta':
        this.hasRefusal = true;
        append(this.#texts, event.part, event.text);
        return;
      case 'reasoning-delta':
        append(this.#texts, event.part, event.text);
        return;
      case 'tool-call-start':
        this.hasToolCall = true;
        this.#calls.set(event.part, { id: event.id, name: event.name });
        return;
      case 'tool-call-delta':
        append(this.#texts, event.part, event.argumentsDelta);
        return;
      case 'citation':
        append(this.#citations, event.part, event.citation);
        return;
      case 'usage':
        this.usage = { ...this.usage, ...event.usage };
        return;
      case 'finish':
        this.finish = event.reason;
        return;
      default:
    }
  }

  /** The text of a part so far; '' for one that has none. */
  text(part: string): string {
    const pieces = this.#texts.get(part);
    if (pieces === undefined) return '';
    if (pieces.length > 1) pieces.splice(0, pieces.length, pieces.join(''));
    return pieces[0] ?? '';
  }

  citations(part: string): readonly Citation[] {
    return this.#citations.get(part) ?? [];
  }

  logprobs(part: string): readonly TokenLogprob[] {
    return this.#logprobs.get(part) ?? [];
  }

  call(part: string): CallHead | undefined {
    return this.#calls.get(part);
  }

  /** Keeps the `encrypted_content` of the reasoning item at this index. */
  setEncrypted(outputIndex: number, value: string): void {
    this.#encrypted.set(outputIndex, value);
  }

  encrypted(outputIndex: number): string | undefined {
    return this.#encrypted.get(outputIndex);
  }

  /** Keeps which item stands at an index. */
  noteItem(outputIndex: number, item: JsonObject): void {
    const id = stringField(item, 'id');
    if (id !== undefined) this.#indexes.set(id, outputIndex);
  }

  /** The output index of an item in the final list: known by its id, as the list may be shorter than the stream. */
  indexOf(item: JsonObject, position: number): number {
    return this.#indexes.get(stringField(item, 'id') ?? '') ?? position;
  }
}

function append<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
