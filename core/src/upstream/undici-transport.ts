import type { Dispatcher } from 'undici';
import { createBodyStream } from './body-stream.ts';
import type { UpstreamCall, UpstreamHeaders, UpstreamListener, UpstreamRequest, UpstreamTransport } from './call.ts';
import { requestBodyLength, StoredRequestBody } from './request-body.ts';
import { bytesReadBefore } from './socket-failure.ts';
import type { SocketFailure } from './socket-failure.ts';
import { invalidRequest, toGatewayError } from './upstream-failure.ts';

/** What is used of undici. */
type CallDispatcher = Pick<Dispatcher, 'dispatch' | 'close'>;

/** Calls over undici's dispatchers: what goes through a proxy. The first calls may have to wait for undici to be loaded. */
export class UndiciTransport implements UpstreamTransport {
  readonly opening: Promise<CallDispatcher>;
  /** Undefined until `opening` has settled. */
  dispatcher: CallDispatcher | undefined = undefined;

  constructor(opening: Promise<CallDispatcher>) {
    this.opening = opening;
    opening.then(
      (dispatcher) => (this.dispatcher = dispatcher),
      () => undefined, // every call asks again, and fails with it
    );
  }

  createCall(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall {
    return new UndiciCall(this, request, listener);
  }

  async close(): Promise<void> {
    const dispatcher = await this.opening.catch(() => undefined);
    await dispatcher?.close();
  }
}

/**
 * undici's own limits of 300 s are off, as the attempt's clocks decide. Said with each call: its agents for proxies pass what they were
 * configured with on to some of their pools only (undici 8.12.4, lib/dispatcher/proxy-agent.js and socks5-proxy-agent.js).
 */
const unlimited = { headersTimeout: 0, bodyTimeout: 0 };

const aborted = new Error('the request was given up');
const resetCodes = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** One call over undici's `dispatch`: its callbacks go straight to the listener. */
class UndiciCall implements UpstreamCall, Dispatcher.DispatchHandler {
  readonly #transport: UndiciTransport;
  readonly #request: UpstreamRequest;
  readonly #listener: UpstreamListener;
  resumedAt = 0;
  #controller: Dispatcher.DispatchController | undefined;
  #isAborted = false;
  #isAnswered = false;
  #isResent = false;
  #isPaused = false;

  constructor(transport: UndiciTransport, request: UpstreamRequest, listener: UpstreamListener) {
    this.#transport = transport;
    this.#request = request;
    this.#listener = listener;
  }

  start(): void {
    const { dispatcher, opening } = this.#transport;
    if (dispatcher !== undefined) this.#dispatch(dispatcher);
    else {
      opening.then(
        (opened) => this.#dispatch(opened),
        (cause: unknown) => {
          if (!this.#isAborted) this.#listener.onUpstreamFailure(invalidRequest(cause));
        },
      );
    }
  }

  #dispatch(dispatcher: CallDispatcher): void {
    if (this.#isAborted) return;
    const { origin, path, headers, body } = this.#request;
    try {
      const list = Buffer.isBuffer(body)
        ? headers.list
        : [...headers.list, 'content-length', String(requestBodyLength(body))];
      const sent = body instanceof StoredRequestBody ? createBodyStream(body) : (body as Buffer);
      const call = { origin, path, method: 'POST' as const, headers: list as string[], body: sent };
      dispatcher.dispatch({ ...call, ...unlimited }, this);
    } catch (cause) {
      this.#listener.onUpstreamFailure(invalidRequest(cause));
    }
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    this.#isPaused = true;
    this.#controller?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.resumedAt = performance.now();
    this.#controller?.resume();
  }

  get isSent(): boolean {
    return this.#controller !== undefined;
  }

  readOn(): void {
    this.#isResent = true;
    this.resume();
  }

  abort(): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#controller?.abort(aborted);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isAborted) controller.abort(aborted);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number, headers: UpstreamHeaders): void {
    if (statusCode < 200 || this.#isAborted) return;
    this.#isAnswered = true;
    this.#listener.onUpstreamHead(statusCode, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#isAborted) this.#listener.onUpstreamData(chunk);
  }

  onResponseEnd(): void {
    if (!this.#isAborted) this.#listener.onUpstreamEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#isAborted) return;
    if (!this.#isAnswered && !this.#isResent && isIdleReset(error)) {
      this.#isResent = true;
      this.start();
      return;
    }
    this.#listener.onUpstreamFailure(toGatewayError(error, this.#isAnswered));
  }
}

function isIdleReset(error: SocketFailure): boolean {
  if (!resetCodes.has(error.code ?? '')) return false;
  return (error[bytesReadBefore] ?? error.socket?.bytesRead ?? 0) > 0;
}
