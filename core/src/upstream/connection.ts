import type { Socket } from 'node:net';
import { BodySender } from './body-sender.ts';
import type { ConnectionPool } from './connection-pool.ts';
import type { DirectCall } from './direct-call.ts';
import { StoredRequestBody } from './request-body.ts';
import { writeRequest } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';
import { ResponseParser } from './response-parser.ts';
import type { ResponseSink } from './response-parser.ts';
import type { SocketOpener } from './socket-opener.ts';
import { ConnectionError } from './upstream-failure.ts';

const resetCodes = new Set(['ECONNRESET', 'EPIPE', 'CONNECTION_CLOSED']);
/** A connection is dropped so long before the server said that it would close it. */
const closeAheadMs = 1000;

/**
 * What all connections of a thread read into: bytes are parsed, and what is kept of them copied, before anything else can run. A
 * connection that waits holds no buffer.
 */
let readBuffer: Buffer | undefined;

/**
 * One connection and the call that it serves. What one read brings is parsed whole, then handed on as head, one piece of the body,
 * and end; a listener that pauses finds the rest kept for it, and reading stops.
 */
export class Connection implements ResponseSink {
  /** The last arrival in the pool when this connection was asked for. */
  readonly openedFor: number;
  /** When it is too old to be used, by `performance.now()`. */
  usableUntil = 0;
  readonly #pool: ConnectionPool;
  readonly #parser = new ResponseParser(this);
  #socket: Socket | undefined;
  #connectTimer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #isDestroyed = false;
  #isReferenced = true;
  #isReadingStopped = false;
  #isDelivering = false;
  #call: DirectCall | null = null;
  /** What sends the call's body, where that is stored. */
  #sender: BodySender | null = null;
  #isUsed = false;
  /** Of the answer: a byte has come; what is not handed on yet. */
  #hasBytes = false;
  #head: ResponseHead | null = null;
  #bodyStart = 0;
  #bodyEnd = 0;
  #body: Buffer | null = null;
  #isEnded = false;
  #failure: Error | null = null;
  #keepMs = 0;

  constructor(pool: ConnectionPool, openedFor: number) {
    this.#pool = pool;
    this.openedFor = openedFor;
  }

  /** Connects; the pool is told how it went. The time for it includes the name's resolution and the TLS handshake. */
  open(opener: SocketOpener, timeoutMs: number): void {
    readBuffer ??= Buffer.allocUnsafeSlow(64 * 1024);
    const { target } = this.#pool;
    let socket: Socket;
    try {
      socket = opener.open(target, { buffer: readBuffer, callback: (bytes, buffer) => this.#read(bytes, buffer) });
    } catch (error) {
      // The operator's certificate is none, for one.
      process.nextTick(() => this.#broke(error as Error));
      return;
    }
    this.#socket = socket;
    socket.once(target.isTls ? 'secureConnect' : 'connect', () => {
      clearTimeout(this.#connectTimer);
      if (this.#isDestroyed) return;
      this.#isOpen = true;
      this.#pool.opened(this);
    });
    socket.on('end', () => this.#ended());
    socket.on('error', (error) => this.#broke(error));
    socket.on('close', () => this.#broke(closedError()));
    if (timeoutMs > 0) {
      const expire = () => this.#broke(new ConnectionError('no connection in time', 'CONNECT_TIMEOUT'));
      this.#connectTimer = setTimeout(expire, timeoutMs).unref();
    }
  }

  /** Sends a call. */
  begin(call: DirectCall): void {
    const socket = this.#socket as Socket;
    this.#call = call;
    call.connection = this;
    this.#hasBytes = false;
    this.#isEnded = false;
    this.#failure = null;
    this.#parser.reset();
    if (!this.#isReferenced) {
      this.#isReferenced = true;
      socket.ref();
    }
    const { body } = call.request;
    if (body instanceof StoredRequestBody) {
      socket.write(call.head, 'latin1');
      this.#sender = new BodySender(socket, body, (error) => this.#broke(error));
    } else writeRequest(socket, call.head, body);
  }

  /** Hands on what was kept while the call was paused, then reads on. */
  resume(): void {
    if (this.#isDelivering) return;
    this.#deliver();
    if (this.#isReadingStopped && this.#call?.isPaused !== true) this.#startReading();
  }

  /** The call is given up. */
  abort(): void {
    this.#dropCall();
    this.destroy();
  }

  /** While it is idle it does not keep the process alive. */
  unref(): void {
    if (!this.#isReferenced) return;
    this.#isReferenced = false;
    this.#socket?.unref();
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    clearTimeout(this.#connectTimer);
    this.#socket?.destroy();
    this.#pool.forget(this);
  }

  onHead(head: ResponseHead): void {
    this.#head = head;
    this.#keepMs = head.isReusable ? keepMs(head.headers['keep-alive'], this.#pool.idleLimitMs) : 0;
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    if (this.#bodyStart === this.#bodyEnd) {
      this.#bodyStart = start;
      this.#bodyEnd = end;
      return;
    }
    // The parser is past these bytes: the chunks of one read are moved together, and are one piece for the listener.
    bytes.copyWithin(this.#bodyEnd, start, end);
    this.#bodyEnd += end - start;
  }

  onEnd(): void {
    this.#isEnded = true;
  }

  /** Takes what was read. False stops the reading. */
  #read(bytes: number, buffer: Uint8Array): boolean {
    // Whatever a server says without having been asked would be taken for the answer to the next call.
    if (this.#call === null) {
      this.destroy();
      return true;
    }
    this.#hasBytes = true;
    this.#parse(buffer as Buffer, bytes);
    this.#deliver();
    this.#isReadingStopped = this.#isPaused();
    return !this.#isReadingStopped;
  }

  #parse(buffer: Buffer, bytes: number): void {
    this.#bodyStart = 0;
    this.#bodyEnd = 0;
    try {
      if (this.#parser.execute(buffer, 0, bytes) < bytes) this.#keepMs = 0;
    } catch (error) {
      this.#failure = error as Error;
    }
    const length = this.#bodyEnd - this.#bodyStart;
    if (length === 0) return;
    const body = Buffer.allocUnsafe(length);
    buffer.copy(body, 0, this.#bodyStart, this.#bodyEnd);
    // A TLS socket that was stopped still hands on what it has already decrypted.
    this.#body = this.#body === null ? body : Buffer.concat([this.#body, body]);
  }

  #isPaused(): boolean {
    return this.#call?.isPaused === true;
  }

  /** Hands on what there is, until the listener pauses or gives up. */
  #deliver(): void {
    const call = this.#call;
    if (call === null || call.isPaused) return;
    this.#isDelivering = true;
    try {
      if (this.#head !== null) this.#deliverHead(call, this.#head);
      if (this.#body !== null && this.#call === call && !call.isPaused) this.#deliverBody(call, this.#body);
    } catch (error) {
      // What the listener throws ends its call.
      this.#failure = error as Error;
      this.#isEnded = false;
    }
    this.#isDelivering = false;
    if (this.#call !== call || call.isPaused) return;
    if (this.#isEnded) this.#finish(call);
    else if (this.#failure !== null) this.#fail(this.#failure);
  }

  #deliverHead(call: DirectCall, head: ResponseHead): void {
    this.#head = null;
    call.isAnswered = true;
    call.listener.onUpstreamHead(head.statusCode, head.headers);
  }

  #deliverBody(call: DirectCall, body: Buffer): void {
    this.#body = null;
    call.listener.onUpstreamData(body);
  }

  /** The connection is free before the listener hears of the end: what it sends next may use it. */
  #finish(call: DirectCall): void {
    const isSent = this.#sender === null || this.#sender.isDone;
    this.#dropCall();
    this.#isUsed = true;
    const socket = this.#socket as Socket;
    const isFree = this.#keepMs > 0 && !call.isClosing && isSent && socket.writableLength === 0;
    if (isFree) {
      this.usableUntil = performance.now() + this.#keepMs;
      this.#pool.release(this);
    } else this.destroy();
    call.end();
  }

  #dropCall(): void {
    const call = this.#call;
    if (call !== null) call.connection = null;
    this.#call = null;
    this.#sender?.stop();
    this.#sender = null;
    this.#head = null;
    this.#body = null;
  }

  #startReading(): void {
    this.#isReadingStopped = false;
    if (!this.#isDestroyed) this.#socket?.resume();
  }

  /** The server has ended its side. */
  #ended(): void {
    if (this.#call === null) {
      if (this.#isOpen) this.destroy();
      else this.#broke(closedError());
      return;
    }
    this.#keepMs = 0;
    if (!this.#parser.finish()) this.#failure ??= closedError();
    this.#deliver();
  }

  #broke(error: Error): void {
    if (this.#isDestroyed) return;
    if (!this.#isOpen) {
      this.#isDestroyed = true;
      clearTimeout(this.#connectTimer);
      this.#socket?.destroy();
      this.#pool.failedToOpen(this, error);
    } else if (this.#call === null) this.destroy();
    // An end, good or bad, that is there already waits for its listener to resume.
    else if (this.#isEnded || this.#failure !== null) this.#keepMs = 0;
    else this.#fail(error);
  }

  #fail(error: Error): void {
    const call = this.#call as DirectCall;
    const isIdleReset = this.#isUsed && !this.#hasBytes && resetCodes.has((error as { code?: string }).code ?? '');
    this.abort();
    if (isIdleReset && !call.isResent) {
      call.isResent = true;
      this.#pool.resend(call);
    } else call.fail(error);
  }
}

function closedError(): ConnectionError {
  return new ConnectionError('the server closed the connection', 'CONNECTION_CLOSED');
}

/** How long a connection may be idle: by our own limit, and by what the server says (`timeout=5`). */
function keepMs(keepAlive: string | string[] | undefined, limitMs: number): number {
  if (keepAlive === undefined) return limitMs;
  const seconds = /(?:^|[\s,;])timeout=(\d{1,9})/i.exec(String(keepAlive))?.[1];
  return seconds === undefined ? limitMs : Math.min(limitMs, Number(seconds) * 1000 - closeAheadMs);
}
