/** Follows what one frame's events become on their way through the stream hooks. */
import type { StreamEvent } from '@bifrost/sdk';

/** One frame's events. Who makes it fills nothing in; the hooks do. */
export interface StreamTrack {
  /** How many of its events, or of those that hooks put in their place, have not left yet. */
  pending: number;
  /** A hook changed, dropped or added an event: what came in can no longer go out as it was. */
  isChanged: boolean;
  /** What has left so far, in order. */
  readonly out: StreamEvent[];
}

export function createTrack(): StreamTrack {
  return { pending: 0, isChanged: false, out: [] };
}
