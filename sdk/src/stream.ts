/** The canonical stream: typed events, grouped in frames (one frame = what one wire event said). */
import type { Citation, DialectName, FinishReason, MediaSource, Residue, TokenLogprob } from './conversation.ts';
import type { Json } from './json.ts';
import type { ErrorInfo } from './errors.ts';
import type { Usage } from './usage.ts';

interface PartEvent {
  /**
   * Set by the host on the deltas that it shows to a hook with `holdBack` or `chunks`: nothing more of this part follows, so a
   * pattern that reaches to the end of the text has ended. Never on the wire; a hook need not return it.
   */
  readonly isLast?: true;
  /** Which part of the answer: the same string on start, deltas and end; unique within the response. */
  readonly part: string;
  /** Which candidate; absent means 0. */
  readonly candidate?: number;
}

/** What a stream says next. A part begins with its `-start`, grows by `-delta`s and ends with its `-end`; parts may overlap. */
export type StreamEvent =
  | { readonly type: 'response-start'; readonly id?: string; readonly model?: string; readonly createdAt?: number }
  | (PartEvent & { readonly type: 'text-start' })
  | (PartEvent & { readonly type: 'text-delta'; readonly text: string; readonly logprobs?: readonly TokenLogprob[] })
  /** `signature`: a provider's proof that came with the text (Gemini). */
  | (PartEvent & { readonly type: 'text-end'; readonly signature?: string })
  | (PartEvent & { readonly type: 'refusal-start' })
  | (PartEvent & { readonly type: 'refusal-delta'; readonly text: string })
  | (PartEvent & { readonly type: 'refusal-end' })
  | (PartEvent & { readonly type: 'reasoning-start'; readonly id?: string; readonly isSummary?: boolean })
  | (PartEvent & { readonly type: 'reasoning-delta'; readonly text: string })
  | (PartEvent & {
      readonly type: 'reasoning-end';
      readonly signature?: string;
      readonly encrypted?: string;
      readonly origin?: DialectName;
    })
  | (PartEvent & {
      readonly type: 'tool-call-start';
      readonly id: string;
      readonly name: string;
      readonly isFreeform?: boolean;
      /** A provider's proof of the call, where it is known before the call's end; that repeats it. */
      readonly signature?: string;
    })
  | (PartEvent & { readonly type: 'tool-call-delta'; readonly argumentsDelta: string })
  | (PartEvent & { readonly type: 'tool-call-end'; readonly signature?: string })
  /** Generated media, whole or a piece: base64 in `data`. Pieces of one part are concatenated. */
  | (PartEvent & {
      readonly type: 'media-delta';
      readonly kind: 'image' | 'audio' | 'video' | 'file';
      readonly mediaType?: string;
      readonly data: string;
      /** Where the bytes are when the answer does not carry them (a URL, a file id): `data` is then empty. */
      readonly source?: MediaSource;
      /** A provider's proof that came with the media (Gemini `thoughtSignature`), on any piece. */
      readonly signature?: string;
      readonly filename?: string;
    })
  | (PartEvent & { readonly type: 'citation'; readonly citation: Citation })
  /** A tool that the provider runs, or anything else without a name here: only its own dialect can write it. */
  | {
      readonly type: 'server-tool';
      readonly dialect: DialectName;
      readonly name: string;
      readonly value: Json;
      readonly candidate?: number;
    }
  | { readonly type: 'opaque'; readonly dialect: DialectName; readonly value: Json; readonly candidate?: number }
  /** Totals so far: a later event replaces an earlier one bucket by bucket, nothing is summed. */
  | { readonly type: 'usage'; readonly usage: Usage }
  | { readonly type: 'finish'; readonly candidate?: number; readonly reason: FinishReason }
  | { readonly type: 'error'; readonly error: ErrorInfo };

/**
 * What one wire event said. `residue` is its own dialect's remainder: the same dialect's encoder rebuilds the very event from
 * it (kept only as long as nobody changed `events`), every other encoder ignores it.
 */
export interface StreamFrame {
  readonly events: readonly StreamEvent[];
  readonly residue?: Residue;
  /** Set on the frames of a part that hooks see only at its end. */
  readonly whole?: WholeFrame;
}

/**
 * One of the frames that say a part together, of which only the last has the event that shows it: a tool that the provider runs,
 * whose input comes in pieces. Where hooks hold text back, the earlier ones wait until that event has passed them.
 */
export interface WholeFrame {
  /** The same on all frames of the part; unique among those that are open at a time. */
  readonly key: string;
  readonly isEnd: boolean;
}
