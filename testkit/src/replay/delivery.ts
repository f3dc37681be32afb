/** How an answer is put on the wire: where it is cut, how long it pauses, and how it goes wrong. */

/** Where the body is cut into writes. */
export type Cut =
  | 'whole'
  /** One write per line, its line end included. */
  | 'lines'
  /** One write per event (SSE block, NDJSON line, AWS frame). */
  | 'events'
  /** One write per byte, each in its own turn of the event loop. */
  | 'bytes'
  /** So many writes of nearly equal size, wherever that cuts. */
  | { readonly chunks: number };

/** Deviations from "status, headers, whole body at once". Members combine; the first fault that is reached ends the answer. */
export interface Delivery {
  /** @default 'whole', or 'events' where a member below counts events */
  readonly cut?: Cut;
  /** Wait before status and headers go out. */
  readonly delayBeforeHeadersMs?: number;
  /** Wait between headers and the first byte of the body. */
  readonly delayBeforeBodyMs?: number;
  /** Wait between two writes. */
  readonly delayBetweenWritesMs?: number;
  /** The socket is destroyed once so many bytes of the body are out. */
  readonly dieAfterBytes?: number;
  /** The socket is destroyed in the middle of the event after so many whole ones. */
  readonly dieAfterEvents?: number;
  /** The answer ends cleanly after so many events: no terminal event, no `[DONE]`. */
  readonly endAfterEvents?: number;
  /** Nothing is ever answered; the socket stays open. */
  readonly hangBeforeHeaders?: boolean;
  /** Status and headers go out, then nothing. */
  readonly hangAfterHeaders?: boolean;
  /** So many events go out, then nothing; the socket stays open. */
  readonly hangAfterEvents?: number;
  /** Behind a `hangAfterEvents`: an SSE comment goes out at this interval for as long as somebody listens. */
  readonly commentsEveryMs?: number;
  /** The connection is reset as soon as the request has arrived. */
  readonly refuse?: boolean;
  /** The n-th event (1 is the first) is an error event of the dialect, inside a 200; the stream ends cleanly after it. */
  readonly errorAtEvent?: number;
  /** The status that the in-band error stands for. @default 529 for Anthropic, 500 otherwise */
  readonly errorStatus?: number;
  /** An SSE comment (`: keep-alive`) is put before every n-th event. */
  readonly commentEveryEvents?: number;
  /** The body is sent with `content-encoding: gzip`, flushed after each write, if the request accepts gzip. */
  readonly gzip?: boolean;
}

/** A whole delivery from its short form. */
export function toDelivery(delivery: Delivery | Cut | undefined): Delivery {
  if (delivery === undefined) return {};
  if (typeof delivery === 'string' || 'chunks' in delivery) return { cut: delivery };
  return delivery;
}
