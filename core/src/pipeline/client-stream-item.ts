/** What a stream to the client is made with, and what waits in it. */
import type { ErrorInfo, StreamChunk } from '@bifrost/sdk';
import type { Loss, StreamEncoder } from '../dialects/codec.ts';
import type { SseEvent } from '../sse/event.ts';
import type { StreamUnit } from './stream-unit.ts';

/** What waits in a stream to the client, in order. */
export type Item =
  | { readonly type: 'unit'; readonly unit: StreamUnit }
  | { readonly type: 'tick' }
  /** `closing`: what ends the stream where its bytes went out as they came. */
  | { readonly type: 'end'; readonly closing: string }
  | { readonly type: 'fail'; readonly error: ErrorInfo };

export interface ClientStreamOptions {
  /** Needed for units that are not passed, and on the passed ones where a hook looks at events: it is then asked for once. */
  readonly encoder?: () => StreamEncoder;
  /** The units leave as they came, unless a hook changes them. */
  readonly isPassed?: boolean;
  /** What the encoder has lost so far; it grows. */
  readonly losses: readonly Loss[];
  /** `performance.now()` at the attempt's start. */
  readonly startedAt: number;
  /** Called once, when the last byte has been handed to the client. */
  onEnded(): void;
}

/** An event as the plugins' chunk hooks see it. */
export function toChunk({ event, data }: SseEvent, index: number): StreamChunk {
  return event === undefined ? { data, index } : { event, data, index };
}
