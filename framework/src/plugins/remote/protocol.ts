/**
 * What is said over a channel between a serving thread and a plugin's runner. Batches (arrays) of these messages travel as
 * structured clones over a port, or as frames over a socket (frame-codec.ts). The thread numbers calls and requests; numbers are
 * never used twice on a channel.
 */
import type { HookName, Json, ModelInfo, RequestFacts } from '@bifrost/sdk';
import type { ThrownData } from './thrown-data.ts';

export interface CallMessage {
  readonly kind: 'call';
  readonly call: number;
  readonly request: number;
  readonly hook: HookName;
  readonly input?: unknown;
  /** Sent with a request's first call, and again when they have changed. */
  readonly facts?: RequestFacts;
  /** What the catalogue knows of the facts' model; sent with facts that name one. */
  readonly modelInfo?: ModelInfo;
  /** Values by `plugin/key` that were set since the request's last call, by other plugins and by this one's other calls. */
  readonly values?: readonly (readonly [key: string, value: Json])[];
}

export type ThreadMessage =
  | CallMessage
  /** The client has gone, or (`isExpired`) the call's deadline has passed: its result is not waited for. */
  | { readonly kind: 'abort'; readonly call: number; readonly isExpired: boolean; readonly reason: string }
  /** The request's last hook has ended. */
  | { readonly kind: 'end'; readonly request: number }
  /** The next event of a stream is wanted: answered with `event`. */
  | { readonly kind: 'pull'; readonly stream: number }
  | { readonly kind: 'cancel'; readonly stream: number };

/** What a plugin did through its context since the last message of that request. */
export interface ContextEffects {
  readonly values?: readonly (readonly [key: string, value: Json])[];
  readonly attributes?: readonly (readonly [key: string, value: Json])[];
  readonly routingNotes?: readonly string[];
}

export interface ReplyMessage {
  readonly kind: 'reply';
  readonly call: number;
  /** Absent: the hook returned nothing. */
  readonly value?: unknown;
  /**
   * Where the value holds parts of the input itself, which are not sent back: names of members, or indexes into the value's list
   * of events. Unchanged parts keep their identity that way, by which the gateway knows that their bytes may stay.
   */
  readonly same?: readonly (string | number)[];
  /** Number of the stream that stands for the value's member `stream`. */
  readonly stream?: number;
  readonly effects?: ContextEffects;
}

export type RunnerMessage =
  | ReplyMessage
  | { readonly kind: 'threw'; readonly call: number; readonly thrown: ThrownData; readonly effects?: ContextEffects }
  | {
      readonly kind: 'event';
      readonly stream: number;
      /** Absent at the end of the stream. */
      readonly event?: unknown;
      readonly isDone?: boolean;
      readonly thrown?: ThrownData;
      readonly effects?: ContextEffects;
    };
