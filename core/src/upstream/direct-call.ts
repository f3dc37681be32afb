import type { UpstreamCall, UpstreamListener, UpstreamRequest } from './call.ts';
import type { Connection } from './connection.ts';
import type { ConnectionPool } from './connection-pool.ts';
import type { DirectTransport } from './direct-transport.ts';
import { invalidRequest, toGatewayError } from './upstream-failure.ts';

/** One call over a connection of our own: waits in the pool of its origin, then is held by the connection until it ends. */
export class DirectCall implements UpstreamCall {
  readonly request: UpstreamRequest;
  readonly listener: UpstreamListener;
  /** The request's head as it is sent; known once it has been started. */
  head = '';
  isPaused = false;
  resumedAt = 0;
  isAnswered = false;
  isResent = false;
  /** The request asks for the connection to be closed behind it. */
  isClosing = false;
  connection: Connection | null = null;
  waitsBehind: DirectCall | null = null;
  waitsBefore: DirectCall | null = null;
  /** The order in which calls came to wait. */
  arrival = 0;
  readonly #transport: DirectTransport;
  #pool: ConnectionPool | null = null;
  #isOver = false;

  constructor(transport: DirectTransport, request: UpstreamRequest, listener: UpstreamListener) {
    this.#transport = transport;
    this.request = request;
    this.listener = listener;
  }

  start(): void {
    if (this.#isOver) return;
    try {
      const prepared = this.request.headers.prepare();
      this.#pool = this.#transport.poolOf(this.request.origin, prepared.host);
      this.isClosing = prepared.isClosing;
      this.head = this.#pool.formHead(this.request, prepared.text);
    } catch (cause) {
      this.#isOver = true;
      this.listener.onUpstreamFailure(invalidRequest(cause));
      return;
    }
    this.#pool.send(this);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.resumedAt = performance.now();
    this.connection?.resume();
  }

  get isSent(): boolean {
    return this.connection !== null;
  }

  readOn(): void {
    this.isResent = true;
    this.resume();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.connection !== null) this.connection.abort();
    else this.#pool?.giveUp(this);
  }

  /** The whole answer is there. What the listener throws ends the call as a failure. */
  end(): void {
    this.#isOver = true;
    try {
      this.listener.onUpstreamEnd();
    } catch (error) {
      this.listener.onUpstreamFailure(toGatewayError(error as Error, true));
    }
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.listener.onUpstreamFailure(toGatewayError(error, this.isAnswered));
  }
}
