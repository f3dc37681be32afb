import { StringDecoder } from 'node:string_decoder';
import { GatewayError } from '@bifrost/sdk';
import type { SseEvent } from './event.ts';

const lineEnd = /\r\n|\n|\r/g;

/** An event larger than this is refused rather than held: 32 Mi characters, well above a 10 MB image in base64. */
export const maxEventCharacters = 32 * 1024 * 1024;

/**
 * Incremental parser of server-sent events, after the WHATWG rules (https://html.spec.whatwg.org/multipage/server-sent-events.html
 * section 9.2.6): any mix of LF, CRLF and CR, a leading byte order mark, `data:` with or without a space, comments, characters
 * and line ends cut by chunk borders. An event at the end of the bytes without its blank line is dropped by those rules;
 * `finish` hands it out all the same, as several providers leave the last blank line away.
 */
export class SseParser {
  readonly #decoder = new StringDecoder('utf8');
  #pending = '';
  #isStart = true;
  #isLineFeedSkipped = false;
  #event: string | undefined;
  #id: string | undefined;
  #data: string | undefined;

  /** Comments seen so far; they count as life, not as content. */
  commentCount = 0;

  /** Parses one chunk and returns the events that it completed. */
  push(chunk: Uint8Array | string): readonly SseEvent[] {
    const text = typeof chunk === 'string' ? chunk : this.#decoder.write(chunk as Buffer);
    return text === '' ? [] : this.#parse(text);
  }

  /** The event that the bytes ended in, if any. */
  finish(): readonly SseEvent[] {
    const events = [...this.#parse(this.#decoder.end())];
    if (this.#pending !== '') {
      this.#line(this.#pending);
      this.#pending = '';
    }
    const last = this.#dispatch();
    if (last !== undefined) events.push(last);
    return events;
  }

  #parse(input: string): readonly SseEvent[] {
    let text = input;
    if (this.#isStart && text !== '') {
      this.#isStart = false;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    if (this.#isLineFeedSkipped && text !== '') {
      this.#isLineFeedSkipped = false;
      if (text.charCodeAt(0) === 0x0a) text = text.slice(1);
    }
    const events: SseEvent[] = [];
    let start = 0;
    lineEnd.lastIndex = 0;
    for (let match = lineEnd.exec(text); match !== null; match = lineEnd.exec(text)) {
      const line = this.#pending + text.slice(start, match.index);
      this.#pending = '';
      start = match.index + match[0].length;
      if (match[0] === '\r' && start === text.length) this.#isLineFeedSkipped = true;
      if (line === '') {
        const event = this.#dispatch();
        if (event !== undefined) events.push(event);
      } else {
        this.#line(line);
      }
    }
    this.#pending += text.slice(start);
    if (this.#pending.length + (this.#data?.length ?? 0) > maxEventCharacters) {
      throw new GatewayError('the provider sent a stream event of more than 32 Mi characters', {
        code: 'BF_STREAM_EVENT_TOO_LARGE',
        statusCode: 502,
        origin: 'provider',
      });
    }
    return events;
  }

  #line(line: string): void {
    const colon = line.indexOf(':');
    if (colon === 0) {
      this.commentCount += 1;
      return;
    }
    const field = colon === -1 ? line : line.slice(0, colon);
    let value = colon === -1 ? '' : line.slice(colon + 1);
    if (value.charCodeAt(0) === 0x20) value = value.slice(1);
    if (field === 'data') this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    else if (field === 'event') this.#event = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
  }

  #dispatch(): SseEvent | undefined {
    const [data, event, id] = [this.#data, this.#event, this.#id];
    this.#data = undefined;
    this.#event = undefined;
    if (data === undefined) return undefined;
    return { data, ...(event === undefined ? {} : { event }), ...(id === undefined ? {} : { id }) };
  }
}

/** Parses a whole SSE text. */
export function parseSse(body: Uint8Array | string): readonly SseEvent[] {
  const parser = new SseParser();
  return [...parser.push(body), ...parser.finish()];
}

/** One event as wire text. `data` may hold line feeds; each line gets its own field. */
export function formatSse(event: SseEvent): string {
  const name = event.event === undefined ? '' : `event: ${event.event}\n`;
  const id = event.id === undefined ? '' : `id: ${event.id}\n`;
  const data = event.data.includes('\n') ? event.data.replaceAll('\n', '\ndata: ') : event.data;
  return `${name}${id}data: ${data}\n\n`;
}
