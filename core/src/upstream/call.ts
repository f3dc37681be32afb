import type { GatewayError } from '@bifrost/sdk';
import type { RequestBody } from './request-body.ts';
import type { RequestHeaders } from './request-headers.ts';

/** Response headers: names in lower case, a list where a name came more than once. */
export type UpstreamHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** One request to a provider. */
export interface UpstreamRequest {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly path: string;
  /** Without `host` and `content-length`, which are written by the transport. */
  readonly headers: RequestHeaders;
  readonly body: RequestBody;
}

/** Told what happens to a call. Exactly one of `onUpstreamEnd` and `onUpstreamFailure` comes last, neither after `abort`. */
export interface UpstreamListener {
  onUpstreamHead(statusCode: number, headers: UpstreamHeaders): void;
  onUpstreamData(chunk: Buffer): void;
  onUpstreamEnd(): void;
  onUpstreamFailure(error: GatewayError): void;
}

/**
 * One call of a provider. A connection that was kept alive and is reset before any byte of an answer was closed by the server at
 * that moment: the call is sent once more on another one.
 */
export interface UpstreamCall {
  /** True while nothing is delivered because the client has not caught up. */
  readonly isPaused: boolean;
  /** When it was resumed last, by `performance.now()`; 0 before. A provider is silent from then on at the earliest. */
  readonly resumedAt: number;
  /** The request is on its way, or has been. */
  readonly isSent: boolean;
  /** Sends the request. */
  start(): void;
  /** Nothing more is delivered, and no more read than is on its way, until `resume`. */
  pause(): void;
  resume(): void;
  /** Nobody waits for the answer but it is read to its end: `resume`, and from now on the request is never sent a second time. */
  readOn(): void;
  /** Gives the call up: its connection is destroyed at once and the listener hears nothing more. */
  abort(): void;
}

/** Carries the calls of one provider. */
export interface UpstreamTransport {
  /** A call that `start` sends. */
  createCall(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall;
  /** Takes no more calls, and resolves when those under way have ended and their connections are closed. */
  close(): Promise<void>;
}
