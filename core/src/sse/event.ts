/** One server-sent event, as the WHATWG parsing rules yield it. */
export interface SseEvent {
  /** The `event:` field; absent when the stream did not name it. */
  readonly event?: string;
  /** The `data:` lines joined by line feeds. */
  readonly data: string;
  readonly id?: string;
}
