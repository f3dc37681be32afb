import { GatewayError } from '@bifrost/sdk';
import type { Dispatcher } from 'undici';
import { bytesReadBefore } from './dispatcher.ts';
import type { SocketFailure, UpstreamDispatcher } from './dispatcher.ts';

/** Response headers as undici parses them: names in lower case. */
export type UpstreamHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** One request to a provider. `body` may be a list of buffers, so that a spliced body is not copied. */
export interface UpstreamRequest {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer | readonly Buffer[];
}

/** Told what happens to a call. Exactly one of `onUpstreamEnd` and `onUpstreamFailure` comes last, neither after `abort`. */
export interface UpstreamListener {
  onUpstreamHead(statusCode: number, headers: UpstreamHeaders): void;
  onUpstreamData(chunk: Buffer): void;
  onUpstreamEnd(): void;
  onUpstreamFailure(error: GatewayError): void;
}

const aborted = new Error('the request was given up');
const resetCodes = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/**
 * One call over undici's `dispatch`: its callbacks go straight to the listener. A connection that was kept alive and is reset
 * before any byte of an answer was closed by the server at that moment: the call is sent once more on another one.
 */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  readonly #dispatcher: UpstreamDispatcher;
  readonly #request: UpstreamRequest;
  readonly #listener: UpstreamListener;
  #controller: Dispatcher.DispatchController | undefined;
  #isAborted = false;
  #isAnswered = false;
  #isResent = false;
  #isPaused = false;

  constructor(dispatcher: UpstreamDispatcher, request: UpstreamRequest, listener: UpstreamListener) {
    this.#dispatcher = dispatcher;
    this.#request = request;
    this.#listener = listener;
  }

  /** Sends the request. */
  start(): void {
    const { origin, path, headers, body } = this.#request;
    try {
      this.#dispatcher.dispatch(
        { origin, path, method: 'POST', headers: headers as string[], body: body as Buffer },
        this,
      );
    } catch (cause) {
      this.#listener.onUpstreamFailure(
        new GatewayError(`the request to the provider could not be formed: ${(cause as Error).message}`, {
          code: 'BF_UPSTREAM_REQUEST_INVALID',
          statusCode: 502,
          cause,
        }),
      );
    }
  }

  /** True while nothing is read because the client has not caught up. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Stops reading until `resume`. */
  pause(): void {
    this.#isPaused = true;
    this.#controller?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#controller?.resume();
  }

  /** Gives the call up: its connection is destroyed at once and the listener hears nothing more. */
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

function toGatewayError(error: SocketFailure, isAnswered: boolean): GatewayError {
  if (GatewayError.isInstance(error)) return error;
  const code = error.code ?? '';
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return new GatewayError('the provider did not accept a connection in time', {
      code: 'BF_UPSTREAM_CONNECT_TIMEOUT',
      statusCode: 504,
      isRetryable: true,
      cause: error,
    });
  }
  // Only codes go to the caller: messages may name internal hosts and proxies.
  const what = isAnswered
    ? 'the connection to the provider broke while it answered'
    : 'the provider could not be reached';
  return new GatewayError(code === '' ? what : `${what} (${code})`, {
    code: isAnswered ? 'BF_UPSTREAM_TRUNCATED' : 'BF_UPSTREAM_UNREACHABLE',
    statusCode: 502,
    isRetryable: true,
    cause: error,
  });
}
