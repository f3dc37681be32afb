import { StringDecoder } from 'node:string_decoder';
import { GatewayError } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';
import { maxEventCharacters } from '../../sse/parser.ts';

const structural = /["\\{}]/g;

/**
 * Incremental parser of the form in which streamGenerateContent answers without `alt=sse`: one JSON array whose elements are the
 * chunks. Each element becomes an event with its own JSON text as `data`; an object outside of an array (an error body) is an
 * event too. Bytes may be cut anywhere.
 */
export class JsonArrayStreamParser {
  readonly #decoder = new StringDecoder('utf8');
  /** The text of the element that is not complete yet. */
  #element = '';
  #braces = 0;
  #isInString = false;
  #isEscaped = false;

  /** Parses one piece and returns the elements that it completed. */
  push(chunk: Uint8Array | string): readonly SseEvent[] {
    const text = typeof chunk === 'string' ? chunk : this.#decoder.write(chunk as Buffer);
    return text === '' ? [] : this.#parse(text);
  }

  /** Call at the end of the bytes. An element cut off in the middle is handed out as it is, for the decoder to refuse. */
  finish(): readonly SseEvent[] {
    const events = [...this.#parse(this.#decoder.end())];
    if (this.#element !== '') events.push({ data: this.#element });
    this.#element = '';
    return events;
  }

  #parse(text: string): readonly SseEvent[] {
    const events: SseEvent[] = [];
    let start = this.#braces > 0 ? 0 : -1;
    structural.lastIndex = this.#skipEscaped(text);
    for (let match = structural.exec(text); match !== null; match = structural.exec(text)) {
      const at = match.index;
      if (this.#isInString) {
        if (match[0] === '"') this.#isInString = false;
        else if (match[0] === '\\') {
          this.#isEscaped = at + 1 === text.length;
          structural.lastIndex = at + 2;
        }
      } else if (match[0] === '"') this.#isInString = this.#braces > 0;
      else if (match[0] === '{') {
        if (this.#braces++ === 0) start = at;
      } else if (match[0] === '}' && this.#braces > 0 && --this.#braces === 0) {
        events.push({ data: this.#element + text.slice(start, at + 1) });
        this.#element = '';
        start = -1;
      }
    }
    if (start !== -1) this.#hold(text.slice(start));
    return events;
  }

  /** Where to begin: after a character that the piece before escaped. */
  #skipEscaped(text: string): number {
    if (!this.#isEscaped || text === '') return 0;
    this.#isEscaped = false;
    return 1;
  }

  #hold(text: string): void {
    this.#element += text;
    if (this.#element.length <= maxEventCharacters) return;
    throw new GatewayError('the provider sent a stream element of more than 32 Mi characters', {
      code: 'BF_STREAM_EVENT_TOO_LARGE',
      statusCode: 502,
      origin: 'provider',
    });
  }
}

/** Writes events as one JSON array, piece by piece, for a client that did not ask for `alt=sse`. */
export class JsonArrayStreamWriter {
  #isBegun = false;

  /** The text of one more element. */
  push(event: SseEvent): string {
    const separator = this.#isBegun ? ',\r\n' : '[';
    this.#isBegun = true;
    return separator + event.data;
  }

  /** The end of the array; an empty one when there was no element. */
  finish(): string {
    return this.#isBegun ? '\r\n]' : '[]';
  }
}

/** A whole stream as one JSON array. */
export function formatJsonArrayStream(events: readonly SseEvent[]): string {
  const writer = new JsonArrayStreamWriter();
  return events.map((event) => writer.push(event)).join('') + writer.finish();
}
