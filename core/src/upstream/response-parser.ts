import { ChunkedDecoder } from './chunked-decoder.ts';
import type { BodySink } from './chunked-decoder.ts';
import { bodyUntilClose, chunkedBody, readHead, scanHead } from './response-head.ts';
import type { ResponseHead } from './response-head.ts';
import { lineFeed, responseError } from './response-syntax.ts';

/** Told of one answer: head, parts of the body, end. Must not call the parser. */
export interface ResponseSink extends BodySink {
  onHead(head: ResponseHead): void;
  onEnd(): void;
}

/** Most bytes of a head, interim ones (1xx) before it included. */
export const maxHeadBytes = 64 * 1024;
const switchingProtocols = 101;
/** What is shorter is looked at whenever it grows. */
const shortBytes = 16;

const inHead = 0;
const inSizedBody = 1;
const inChunks = 2;
const inOpenBody = 3;
const done = 4;

/**
 * One answer of HTTP/1.1 after the other, `reset` in between, cut anywhere. Pure: bytes in, calls of the sink out. A head that comes
 * in one piece is read where it lies; the body is never copied.
 */
export class ResponseParser {
  readonly #sink: ResponseSink;
  readonly #chunks = new ChunkedDecoder();
  #state = inHead;
  #missing = 0;
  #headBytes = 0;
  /** The beginning of a head that is not whole yet. */
  #partialHead: Buffer | undefined = undefined;
  #partialBytes = 0;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** Begins to wait for another answer. */
  reset(): void {
    this.#state = inHead;
    this.#headBytes = 0;
    this.#partialHead = undefined;
    this.#partialBytes = 0;
  }

  /** Reads up to `end` or to the end of the answer, and says how far. Throws ConnectionError for what is no answer. */
  execute(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (this.#state === inHead && at < end) at = this.#readHead(bytes, at, end);
    switch (this.#state) {
      case inSizedBody: {
        const stop = Math.min(end, at + this.#missing);
        this.#missing -= stop - at;
        if (stop > at) this.#sink.onBody(bytes, at, stop);
        if (this.#missing === 0) this.#complete();
        return stop;
      }
      case inChunks:
        at = this.#chunks.execute(bytes, at, end, this.#sink);
        if (this.#chunks.isDone) this.#complete();
        return at;
      case inOpenBody:
        if (end > at) this.#sink.onBody(bytes, at, end);
        return end;
      default:
        return at;
    }
  }

  /** The connection has ended. False where the answer has not. */
  finish(): boolean {
    if (this.#state === inOpenBody) this.#complete();
    return this.#state === done;
  }

  #complete(): void {
    this.#state = done;
    this.#sink.onEnd();
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    if (this.#partialHead !== undefined) return this.#continueHead(bytes, start, end);
    const headEnd = scanHead(bytes, start, end);
    if (headEnd === -1) {
      this.#keepPartial(bytes, start, end);
      return end;
    }
    this.#count(headEnd - start);
    this.#beginBody(readHead(bytes, start, headEnd));
    return headEnd;
  }

  /** Adds what may be of the head, so that what follows it is not copied, and looks again where a line has ended. */
  #continueHead(bytes: Buffer, start: number, end: number): number {
    const stop = this.#emptyLineEnd(bytes, start, end);
    const hasLine = bytes.subarray(start, stop).includes(lineFeed);
    this.#keepPartial(bytes, start, stop);
    const partial = this.#partialHead as Buffer;
    const length = this.#partialBytes;
    // Whatever trickles in is looked at once per line; only what does not even begin like an answer is known before.
    if ((!hasLine && length > shortBytes) || scanHead(partial, 0, length) === -1) return stop;
    this.#partialHead = undefined;
    this.#partialBytes = 0;
    this.#count(length);
    this.#beginBody(readHead(partial, 0, length));
    return stop;
  }

  /** Where the first empty line ends, the bytes kept so far being before `start`; else `end`. */
  #emptyLineEnd(bytes: Buffer, start: number, end: number): number {
    const kept = this.#partialBytes;
    let lineBytes = kept - 1 - (this.#partialHead as Buffer).lastIndexOf(lineFeed, kept - 1);
    for (let at = start; at < end; at += 1) {
      if (bytes[at] !== lineFeed) lineBytes += 1;
      else if (lineBytes <= 1) return at + 1;
      else lineBytes = 0;
    }
    return end;
  }

  #keepPartial(bytes: Buffer, start: number, end: number): void {
    const length = this.#partialBytes + end - start;
    if (this.#headBytes + length > maxHeadBytes) throw tooLarge();
    if (this.#partialHead === undefined || this.#partialHead.length < length) {
      const larger = Buffer.allocUnsafe(Math.max(1024, length * 2));
      this.#partialHead?.copy(larger, 0, 0, this.#partialBytes);
      this.#partialHead = larger;
    }
    bytes.copy(this.#partialHead, this.#partialBytes, start, end);
    this.#partialBytes = length;
  }

  #count(bytes: number): void {
    this.#headBytes += bytes;
    if (this.#headBytes > maxHeadBytes) throw tooLarge();
  }

  #beginBody(head: ResponseHead): void {
    if (head.statusCode < 200) {
      if (head.statusCode === switchingProtocols) {
        throw responseError('switches to another protocol', 'RESPONSE_UPGRADE');
      }
      // One that closes, has a body or is of HTTP/1.0 has nothing behind it that could be the answer.
      if (!head.isReusable) throw responseError('has an interim answer that is the last one', 'RESPONSE_HEAD_INVALID');
      return;
    }
    if (head.bodyBytes === chunkedBody) {
      this.#chunks.reset();
      this.#state = inChunks;
    } else if (head.bodyBytes === bodyUntilClose) this.#state = inOpenBody;
    else {
      this.#missing = head.bodyBytes;
      this.#state = inSizedBody;
    }
    this.#sink.onHead(head);
  }
}

function tooLarge(): Error {
  return responseError(`has a head of more than ${maxHeadBytes} bytes`, 'RESPONSE_HEAD_TOO_LARGE');
}
