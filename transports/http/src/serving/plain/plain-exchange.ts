import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ResponseSink } from '@bifrost/core';
import { formatAnswerHead } from '../answer-head.ts';
import { largeBodyBytes } from '../bodies/body-store.ts';
import { frameChunk, lastChunk } from '../chunk-frame.ts';
import type { PlainHead } from './plain-head.ts';
import type { PlainRoute } from './plain-front.ts';

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Up to this a piece of the body is copied behind its head or into its frame: cheaper than a second write. */
const maxCopiedBytes = 16 * 1024;
const noBytes = Buffer.alloc(0);

/** The connection as its exchange sees it. */
export interface ExchangeHolder {
  /** Lines of an answer's head that say how the connection goes on. */
  readonly connectionLines: string;
  /** False where these lines say that it ends. */
  readonly isKeptAlive: boolean;
  /** The answer has left, to its last byte. */
  exchangeEnded(): void;
}

/** One request on a plain connection, and the engine's way to its client. */
export class PlainExchange implements ResponseSink {
  readonly plainHead: PlainHead;
  readonly route: PlainRoute;
  /** `performance.now()` at the head of the request. */
  readonly startedAt: number = performance.now();
  /** Bytes of its body that are counted as held in memory; a large body is counted by who takes it in. */
  readonly heldBytes: number;
  /** 0 until the head of the answer has left. */
  statusCode = 0;
  /** The head of the answer said that the connection ends with it. */
  isLast = false;
  readonly #socket: Socket;
  readonly #holder: ExchangeHolder;
  #headers: Headers | undefined;
  #nextStatus = 0;
  #isChunked = false;
  #isEnded = false;
  #isGone = false;
  #onGone: (() => void)[] | undefined;

  constructor(socket: Socket, holder: ExchangeHolder, head: PlainHead, route: PlainRoute) {
    this.#socket = socket;
    this.#holder = holder;
    this.plainHead = head;
    this.heldBytes = head.contentLength > largeBodyBytes ? 0 : head.contentLength;
    this.route = route;
  }

  get isClosed(): boolean {
    return this.#isGone || this.#isEnded;
  }

  onClose(listener: () => void): void {
    if (this.#isGone) process.nextTick(listener);
    else (this.#onGone ??= []).push(listener);
  }

  /** The connection broke. Whoever works for the client hears so, unless the answer was whole. */
  clientGone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (!this.#isEnded) for (const gone of this.#onGone ?? []) gone();
  }

  /** The head leaves with the first bytes of the body, in one packet. */
  head(statusCode: number, headers: Headers): void {
    this.#nextStatus = statusCode;
    this.#headers = headers;
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.isClosed) return true;
    const headers = this.#headers;
    if (headers === undefined) return this.#writeBody(chunk);
    this.#isChunked = !('content-length' in headers) && !isBodiless(this.#nextStatus);
    const head = this.#takeHead(headers, this.#isChunked ? 'transfer-encoding: chunked\r\n' : '');
    if (isShort(chunk)) return this.#socket.write(head + this.#bodyText(chunk), 'latin1');
    this.#socket.cork();
    this.#socket.write(head, 'latin1');
    const isWritable = this.#writeBody(chunk);
    this.#socket.uncork();
    return isWritable;
  }

  onDrain(listener: () => void): void {
    this.#socket.once('drain', listener);
  }

  end(chunk?: Uint8Array | string): void {
    if (this.isClosed) return;
    const headers = this.#headers;
    if (headers !== undefined) this.#endWhole(headers, chunk ?? noBytes);
    else {
      if (chunk !== undefined) this.#writeBody(chunk);
      if (this.#isChunked) this.#socket.write(lastChunk, 'latin1');
    }
    this.#isEnded = true;
    if (this.#socket.writableLength === 0) this.#holder.exchangeEnded();
    else this.#socket.write(noBytes, () => this.#holder.exchangeEnded());
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Only the whole body is left to send: a length spares the client and us the chunked framing. */
  #endWhole(headers: Headers, body: Uint8Array | string): void {
    const isCounted = 'content-length' in headers || isBodiless(this.#nextStatus);
    const head = this.#takeHead(headers, isCounted ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`);
    if (isShort(body)) this.#socket.write(head + latin1Of(body), 'latin1');
    else {
      this.#socket.cork();
      this.#socket.write(head, 'latin1');
      this.#socket.write(body);
      this.#socket.uncork();
    }
  }

  #takeHead(headers: Headers, framing: string): string {
    const head = formatAnswerHead(this.#nextStatus, headers, framing + this.#holder.connectionLines);
    this.#headers = undefined;
    this.statusCode = this.#nextStatus;
    this.isLast = !this.#holder.isKeptAlive;
    return head;
  }

  /** A piece of the body in the answer's framing. */
  #writeBody(chunk: Uint8Array | string): boolean {
    if (!this.#isChunked) return this.#socket.write(chunk);
    const bytes = Buffer.byteLength(chunk);
    // A chunk without bytes would end the body.
    if (bytes === 0) return !this.#socket.writableNeedDrain;
    if (bytes <= maxCopiedBytes) return this.#socket.write(frameChunk(chunk, bytes));
    this.#socket.cork();
    this.#socket.write(`${bytes.toString(16)}\r\n`, 'latin1');
    this.#socket.write(chunk);
    const isWritable = this.#socket.write('\r\n', 'latin1');
    this.#socket.uncork();
    return isWritable;
  }

  /** The same as characters of one byte each, to be put behind a head. */
  #bodyText(chunk: Uint8Array | string): string {
    const text = latin1Of(chunk);
    if (!this.#isChunked) return text;
    return text.length === 0 ? '' : `${text.length.toString(16)}\r\n${text}\r\n`;
  }
}

function isShort(chunk: Uint8Array | string): boolean {
  return chunk.length <= maxCopiedBytes;
}

function latin1Of(chunk: Uint8Array | string): string {
  if (chunk instanceof Buffer) return chunk.toString('latin1');
  return (
    typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
  ).toString('latin1');
}

function isBodiless(statusCode: number): boolean {
  return statusCode === 204 || statusCode === 304 || statusCode < 200;
}
