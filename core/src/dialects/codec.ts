/** What a dialect has to provide: pure functions between its JSON and the canonical model, both ways. */
import type {
  ConversationRequest,
  ConversationResponse,
  DialectName,
  ErrorInfo,
  JsonObject,
  StreamFrame,
  Usage,
} from '@bifrost/sdk';
import type { SseEvent } from '../sse/event.ts';

/** One field that did not survive a translation. Listed in `x-bf-dropped-fields` / `x-bf-changed-fields`, never silent. */
export interface Loss {
  readonly action: 'dropped' | 'changed';
  /** The field's path in the client's dialect, e.g. `logit_bias`, `messages[2].cache_control`. */
  readonly field: string;
  readonly reason?: string;
}

/** Collects losses while one message is encoded. */
export interface LossReport {
  add(loss: Loss): void;
}

/** What of a request is not in its body: Gemini has model and stream in the path. */
export interface RequestHeadHint {
  readonly model?: string;
  readonly stream?: boolean;
}

/** Deviations of one provider from its dialect, declared as data on the provider. Every member is optional; absent = by the book. */
export interface DialectQuirks {
  /** Wants `max_tokens` in place of `max_completion_tokens`. */
  readonly maxTokensField?: 'max_tokens' | 'max_completion_tokens';
  /** Where reasoning text stands in messages and deltas. */
  readonly reasoningField?: 'reasoning' | 'reasoning_content';
  /** How reasoning is asked for. */
  readonly reasoningRequest?: 'reasoning_effort' | 'reasoning' | 'thinking' | 'enable_thinking' | 'none';
  /** Top-level request fields that the provider refuses; they are dropped and reported. */
  readonly unsupportedFields?: readonly string[];
  /** Fields beyond the book that the provider takes from callers of any dialect: `top_k`, `cache_control` (in parts and tools). */
  readonly extraFields?: readonly string[];
  /** The `developer` role is sent as `system`. */
  readonly noDeveloperRole?: boolean;
  /** `stream_options.include_usage` is refused or not needed. */
  readonly noStreamOptions?: boolean;
  /** A stream may end without `[DONE]`. */
  readonly noDoneMarker?: boolean;
  /** Tool-call ids must match this set (Mistral: 9 alphanumerics); others are mapped and mapped back. */
  readonly toolCallIdPattern?: string;
}

export interface EncodeOptions {
  readonly report: LossReport;
  readonly quirks?: DialectQuirks;
  /** The canonical request that this answers, for fields an answer must echo (Responses `tools`, `instructions`). */
  readonly request?: ConversationRequest;
  /** Id, model and time to use where the answer's dialect needs one and the source had none. */
  readonly fallbackId?: string;
}

/** Turns one dialect's wire events into frames. One instance per stream; testable without HTTP. */
export interface StreamDecoder {
  /** Decodes one wire event. Throws only GatewayError (`BF_DIALECT_STREAM_INVALID`) for an event that cannot be read. */
  push(event: SseEvent): readonly StreamFrame[];
  /** Call at the end of the bytes: closes open parts. A stream that ended without its terminal event yields an `error` event. */
  finish(): readonly StreamFrame[];
}

/** Turns frames into one dialect's wire events. */
export interface StreamEncoder {
  push(frame: StreamFrame): readonly SseEvent[];
  /** Call when the stream is over: closes open blocks, writes the terminal event and `[DONE]` where the dialect has one. */
  finish(): readonly SseEvent[];
  /** A failure after the commit point: the dialect's error event; nothing may follow. */
  fail(error: ErrorInfo): readonly SseEvent[];
}

/** How one wire event of a stream counts for the commit point and the watch on a stream that is passed through undecoded. */
export type StreamEventClass = 'content' | 'lifecycle' | 'terminal' | 'error';

export interface DialectCodec {
  readonly name: DialectName;
  /** What a request of a client shows in its bytes where it holds a value that this codec alone wrapped for it (beside `wrappedMarks`). */
  readonly clientMarks?: readonly string[];
  /** Request JSON -> canonical. Throws InvalidRequestError (with `param`) where a required field is missing or of the wrong type. */
  decodeRequest(body: JsonObject, hint: RequestHeadHint): ConversationRequest;
  /** Canonical -> request JSON. What the dialect cannot say is reported, never silently left out. */
  encodeRequest(request: ConversationRequest, options: EncodeOptions): JsonObject;
  decodeResponse(body: JsonObject): ConversationResponse;
  encodeResponse(response: ConversationResponse, options: EncodeOptions): JsonObject;
  createStreamDecoder(): StreamDecoder;
  createStreamEncoder(options: EncodeOptions): StreamEncoder;
  /**
   * Reads a provider's error body (any status, also an in-band error event's JSON). Never throws; an unreadable body gives a
   * generic message. `origin` is `provider`.
   */
  decodeError(statusCode: number, body: unknown): ErrorInfo;
  /** The error in the dialect's own shape, as a JSON body. */
  encodeError(error: ErrorInfo): JsonObject;
  /**
   * Classifies a wire event without decoding it whole: string tests, no full JSON parse where it can be helped. Text, reasoning,
   * tool activity, refusals and unknown events are `content`; roles, `response.created`, pings and empty deltas are `lifecycle`;
   * `terminal` ends a healthy stream (`[DONE]`, `message_stop`, `response.completed|incomplete`, a Gemini `finishReason`).
   */
  classifyStreamEvent(event: SseEvent): StreamEventClass;
  /**
   * The usage an undecoded wire event carries, if any: totals so far, disjoint buckets, each replacing the earlier one. `earlier` is
   * what the stream's events said before, merged: Anthropic's later totals need it to tell 1-hour cache writes from the rest.
   */
  readStreamUsage(event: SseEvent, earlier?: Usage): Usage | undefined;
  /** The usage of a whole answer, from its `usage` member alone. Where absent, the stream's reader is shown it in an event's form. */
  decodeUsage?(usage: JsonObject): Usage | undefined;
}
