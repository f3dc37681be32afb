import type { Socket } from 'node:net';
import { largeBodyBytes } from '../bodies/body-store.ts';
import type { ReceivedBody } from '../bodies/received-body.ts';
import type { BodyTaker } from '../gateway-request.ts';
import { BodyReader } from '../read-body.ts';
import type { BodyFailure, BodySource } from '../read-body.ts';
import { PlainExchange } from './plain-exchange.ts';
import type { ExchangeHolder } from './plain-exchange.ts';
import type { PlainFront } from './plain-front.ts';
import { parsePlainHead } from './plain-head.ts';

const endOfHead = Buffer.from('\r\n\r\n');
/** A longer head is left to Node's parser, which knows the limits. */
const maxHeadBytes = 16 * 1024;
/** A client that sends requests ahead of their turn is read no further beyond this. */
const maxPendingBytes = 64 * 1024;

/**
 * One connection whose requests are read here, as long as they are plain. What is not goes to Node's HTTP server with the connection
 * and stays there: the bytes that were read come first, so that server sees what the client sent.
 */
export class PlainConnection implements ExchangeHolder, BodySource {
  readonly #socket: Socket;
  readonly #front: PlainFront;
  #exchange: PlainExchange | undefined;
  #reader: BodyTaker | undefined;
  /** Bytes of the body still to come. */
  #missing = 0;
  /** What came before its turn. */
  #pending: Buffer | undefined;
  #hasServed: boolean;
  #onStall: (() => void) | undefined;
  /** `Date.now()` when the connection last began to wait for its client. */
  #waitingSince = Date.now();

  /** `hasServed`: its client has had an answer on it already. */
  constructor(socket: Socket, front: PlainFront, hasServed: boolean) {
    this.#socket = socket;
    this.#front = front;
    this.#hasServed = hasServed;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('error', ignoreError);
  }

  get isKeptAlive(): boolean {
    // After a body that did not come whole nothing on this connection can be told apart.
    return this.#front.isKeptAlive && this.#missing === 0;
  }

  get connectionLines(): string {
    return this.isKeptAlive ? this.#front.keptAliveLines : closeLine;
  }

  /** Between two requests, or before the first. */
  get isIdle(): boolean {
    return this.#exchange === undefined;
  }

  /** Idle, with nothing read that is not answered, nothing to write, and an open way in both directions. */
  get isUntouched(): boolean {
    const { destroyed, readableLength, writableLength, readableEnded, writableEnded } = this.#socket;
    const isOpen = !destroyed && !readableEnded && !writableEnded;
    return this.isIdle && isOpen && this.#pending === undefined && readableLength === 0 && writableLength === 0;
  }

  /** Ends the connection where the client has made it wait for too long. */
  check(now: number): void {
    const waitedMs = now - this.#waitingSince;
    if (this.#onStall !== undefined) {
      if (waitedMs > this.#front.limits.bodyStallMs) this.#onStall();
    } else if (this.#exchange === undefined) {
      if (!this.#hasServed && waitedMs > this.#front.limits.firstHeadMs) this.#front.refuseSilent(this.#socket);
      else if (this.#hasServed && waitedMs > this.#front.limits.keepAliveMs) this.#socket.destroy();
    }
  }

  /** Ends the connection now. */
  close(): void {
    this.#socket.destroy();
  }

  /** Has nothing to do with its socket any more. */
  release(): Socket {
    const socket = this.#socket;
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
    socket.off('error', ignoreError);
    this.#front.forget(this);
    return socket;
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#missing > 0) this.#takeBody(chunk);
    else if (this.#exchange === undefined) this.#takeHead(chunk);
    else this.#keep(chunk);
  };

  #takeHead(bytes: Buffer): void {
    const end = bytes.indexOf(endOfHead);
    // A head in several pieces is rare, and its pieces are a state that only Node's parser keeps.
    const head = end === -1 || end > maxHeadBytes ? undefined : parsePlainHead(bytes.toString('latin1', 0, end));
    const route = head && this.#front.listener.admit(head);
    if (head === undefined || route === undefined) {
      this.#handOver(bytes);
      return;
    }
    const exchange = new PlainExchange(this.#socket, this, head, route);
    this.#exchange = exchange;
    this.#front.listener.plainEntered(exchange);
    const { contentLength } = head;
    this.#missing = contentLength;
    if (contentLength === 0) this.#front.listener.startPlain(exchange, noBody);
    else {
      this.#reader =
        contentLength > largeBodyBytes
          ? this.#front.listener.takeLargeBody(exchange, this, this.#onBody)
          : new BodyReader(this, route.destination.limit, contentLength, this.#onBody);
      const start = end + endOfHead.length;
      if (start < bytes.length) this.#takeBody(bytes.subarray(start));
    }
  }

  #takeBody(chunk: Buffer): void {
    const missing = this.#missing;
    this.#waitingSince = Date.now();
    if (chunk.length > missing) {
      this.#keep(chunk.subarray(missing));
      this.#missing = 0;
      this.#reader?.onBodyData(chunk.subarray(0, missing));
    } else {
      this.#missing = missing - chunk.length;
      this.#reader?.onBodyData(chunk);
    }
  }

  readonly #onBody = (failure: BodyFailure | null, body: ReceivedBody): void => {
    this.#reader = undefined;
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    if (failure === null) this.#front.listener.startPlain(exchange, body);
    else if (failure !== 'aborted') this.#front.listener.refusePlain(exchange, failure);
  };

  watchStall(onStall: () => void): void {
    this.#onStall = onStall;
  }

  unwatchStall(): void {
    this.#onStall = undefined;
  }

  pauseBody(): void {
    this.#socket.pause();
  }

  resumeBody(): void {
    this.#waitingSince = Date.now();
    this.#socket.resume();
  }

  /** Nothing to do: a refused body ends the connection. */
  releaseBody(): void {
    this.#missing = Number.POSITIVE_INFINITY;
  }

  #keep(bytes: Buffer): void {
    this.#pending = this.#pending === undefined ? bytes : Buffer.concat([this.#pending, bytes]);
    if (this.#pending.length > maxPendingBytes) this.#socket.pause();
  }

  exchangeEnded(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#exchange = undefined;
    this.#hasServed = true;
    this.#waitingSince = Date.now();
    this.#front.listener.plainEnded(exchange);
    if (exchange.isLast) this.#socket.end();
    else if (this.#pending !== undefined) process.nextTick(this.#takePending);
  }

  readonly #takePending = (): void => {
    const bytes = this.#pending;
    this.#pending = undefined;
    if (bytes === undefined || this.#socket.destroyed) return;
    this.#socket.resume();
    this.#takeHead(bytes);
  };

  #handOver(bytes: Buffer): void {
    const socket = this.release();
    this.#front.giveToNode(socket);
    socket.emit('data', bytes);
  }

  /** The client sends no more. One that waits for its answer has given it up, as Node's server sees it too. */
  readonly #onEnd = (): void => {
    if (this.#exchange === undefined || this.#exchange.isClosed) this.#socket.end();
    else this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#front.forget(this);
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    this.#exchange = undefined;
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.onBodyAborted();
    exchange.clientGone();
    this.#front.listener.plainEnded(exchange);
  };
}

const noBody = Buffer.alloc(0);
const closeLine = 'connection: close\r\n';

/** What went wrong is told by the close that follows. */
function ignoreError(): void {
  // A client may go at any time.
}
