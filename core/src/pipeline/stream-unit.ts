import type { StreamFrame } from '@bifrost/sdk';
import type { SseEvent } from '../sse/event.ts';

/** One step of a stream on its way to the client: what one wire event of the provider says. */
export interface StreamUnit {
  /**
   * The event as it came, where it may leave as it came; `bytes` is absent where it has to be framed anew (a JSON array). Absent in
   * a translated stream, and for what no wire event says (the end of open parts).
   */
  readonly wire?: { readonly event: SseEvent | undefined; readonly bytes?: Buffer | undefined };
  /** What it says, decoded; empty where nobody asks. */
  readonly frames: readonly StreamFrame[];
  /** Kept from the client: a report that only the gateway asked for. */
  readonly isWithheld?: boolean;
}

/** What goes out for a unit. Without an event: comments, which no hook looks at. */
export interface OutgoingEvent {
  readonly event: SseEvent | undefined;
  /** The event's own bytes, if it leaves as it came. */
  readonly bytes?: Buffer | undefined;
}
