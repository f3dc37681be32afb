import { SseParser } from './parser.ts';
import type { SseEvent } from './event.ts';

/** A piece of a stream of server-sent events that ends with a blank line. */
export interface WireEvent {
  /** Its very bytes; absent where nobody needs them. */
  readonly bytes?: Buffer;
  /** What the piece says; undefined for comments and blank lines. */
  readonly event: SseEvent | undefined;
}

/** Reads a stream event by event. */
export interface EventReader {
  /** Takes a chunk; returns the events that it completed. Throws GatewayError where an event is too large. */
  push(chunk: Buffer): readonly WireEvent[];
  /** The rest of the bytes: an event without its blank line counts. */
  finish(): readonly WireEvent[];
}

/** Reads what the events say and forgets their bytes. */
export class ParsedEventReader implements EventReader {
  readonly #parser = new SseParser();

  push(chunk: Buffer): readonly WireEvent[] {
    return this.#parser.push(chunk).map(asWireEvent);
  }

  finish(): readonly WireEvent[] {
    return this.#parser.finish().map(asWireEvent);
  }
}

function asWireEvent(event: SseEvent): WireEvent {
  return { event };
}

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/**
 * Cuts a stream of server-sent events into its events without losing a byte: the pieces put together are what came in, comments, odd
 * line ends and byte order mark included, wherever the chunks were cut.
 */
export class WireEventReader implements EventReader {
  readonly #parser = new SseParser();
  /** The bytes of an event that is not whole yet, and what it has said so far. */
  #pending: Buffer[] = [];
  #event: SseEvent | undefined;
  /** The line that is being read has a character already. */
  #isInLine = false;
  /** The last byte was a carriage return, whose line feed may follow. */
  #isAfterReturn = false;
  /** The event ended in that carriage return: its line feed, if one follows, still belongs to it. */
  #isEndOpen = false;

  push(chunk: Buffer): readonly WireEvent[] {
    const done: WireEvent[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length;) {
      const byte = chunk[at];
      if (this.#isAfterReturn && byte === lineFeed) {
        this.#isAfterReturn = false;
        at += 1;
        if (this.#isEndOpen) start = this.#complete(chunk, { start, end: at }, done);
        continue;
      }
      if (this.#isEndOpen) start = this.#complete(chunk, { start, end: at }, done);
      this.#isAfterReturn = false;
      if (byte !== lineFeed && byte !== carriageReturn) {
        this.#isInLine = true;
        at = lineEnd(chunk, at);
        continue;
      }
      const isBlank = !this.#isInLine;
      this.#isInLine = false;
      this.#isAfterReturn = byte === carriageReturn;
      at += 1;
      if (!isBlank) continue;
      if (byte === carriageReturn) this.#isEndOpen = true;
      else start = this.#complete(chunk, { start, end: at }, done);
    }
    this.#keep(chunk.subarray(start));
    // Where lines end in a bare carriage return none is waited for: the next byte may be far away.
    if (this.#isEndOpen && this.#endsInBareReturns())
      this.#complete(chunk, { start: chunk.length, end: chunk.length }, done);
    return done;
  }

  finish(): readonly WireEvent[] {
    const [last] = this.#parser.finish();
    this.#event ??= last;
    const bytes = Buffer.concat(this.#pending);
    const event = this.#event;
    this.#pending = [];
    this.#event = undefined;
    return bytes.length === 0 && event === undefined ? [] : [{ bytes, event }];
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#pending.push(bytes);
    const [event] = this.#parser.push(bytes);
    this.#event ??= event;
  }

  /** The event ends before `end`; returns where the next one begins. */
  #complete(
    chunk: Buffer,
    { start, end }: { readonly start: number; readonly end: number },
    done: WireEvent[],
  ): number {
    this.#keep(chunk.subarray(start, end));
    const [only] = this.#pending;
    const bytes = this.#pending.length === 1 && only !== undefined ? only : Buffer.concat(this.#pending);
    done.push({ bytes, event: this.#event });
    this.#pending = [];
    this.#event = undefined;
    this.#isEndOpen = false;
    return end;
  }

  #endsInBareReturns(): boolean {
    const tail = Buffer.concat(this.#pending).subarray(-2);
    return tail.length === 2 && tail[0] === carriageReturn;
  }
}

/** Where the line that `from` is in ends: at its first line end, or with the chunk. */
function lineEnd(chunk: Buffer, from: number): number {
  const feed = chunk.indexOf(lineFeed, from);
  const limit = feed === -1 ? chunk.length : feed;
  const back = chunk.subarray(from, limit).indexOf(carriageReturn);
  return back === -1 ? limit : from + back;
}
