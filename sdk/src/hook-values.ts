/** What each hook is given and what it may return. Inputs are deeply read-only plain data. */
import type { ConversationRequest, ConversationResponse } from './conversation.ts';
import type { ErrorInfo } from './errors.ts';
import type { Explanation } from './explanation.ts';
import type { HttpResponse } from './http.ts';
import type { Json } from './json.ts';
import type { RequestFacts } from './hook-context.ts';
import type { StreamEvent } from './stream.ts';
import type { Usage } from './usage.ts';

/**
 * Headers to set; null removes one. Names in any case. The gateway itself sets `content-length`, `transfer-encoding`,
 * `connection` and the like: naming one of them is a mistake and counts as a failed call.
 */
export type HeaderChanges = Readonly<Record<string, string | null>>;

/** The head of a request: all that is known without decoding its messages. */
export interface RequestHead {
  /** Absent until the gateway has resolved it, also after an earlier plugin changed `model`. */
  readonly provider?: string;
  readonly model: string;
  readonly isStream: boolean;
  readonly fallbacks: readonly string[];
}

/** Input of `preRequestHook` and `preLLMHook`. */
export interface LLMRequest extends RequestHead {
  /** Present where the hook `reads: 'messages'` (or `'body'`) and the request is a conversation (embeddings are not). */
  readonly conversation?: ConversationRequest;
  /** The body's bytes as the client sent them; present where the hook `reads: 'body'`. */
  readonly body?: Uint8Array;
}

/** A change by `preRequestHook`: the routing phase. Absent members stay as they were. */
export interface PreRequestResult {
  /** `provider/model` or a bare model. */
  readonly model?: string;
  /** `provider/model` or bare models, tried in this order after the primary. */
  readonly fallbacks?: readonly string[];
  readonly conversation?: ConversationRequest;
}

/** A change or a short-circuit by `preLLMHook`: at most one of the members. */
export interface PreLLMResult {
  /** The conversation to send; only its messages, tools and settings count, routing is done in `preRequestHook`. */
  readonly conversation?: ConversationRequest;
  /** Answer now; the provider is not called. */
  readonly response?: ConversationResponse;
  /** Answer with a stream; the provider is not called. */
  readonly stream?: AsyncIterable<StreamEvent> | Iterable<StreamEvent>;
  /** Fail this attempt; `error.allowFallbacks` decides about the next one: true or absent tries it, false does not. */
  readonly error?: ErrorInfo;
}

/** Input of `postLLMHook`: exactly one of `response` and `error`, or neither where the hook did not ask to read the answer. */
export interface LLMOutcome {
  /** What was asked, without the conversation. */
  readonly request: RequestHead;
  /** Present where the hook `reads: 'messages'` and the provider answered. On a stream: the accumulated answer, at its end. */
  readonly response?: ConversationResponse;
  /** Present where the attempt failed. */
  readonly error?: ErrorInfo;
  /** Present only in a hook with `chunks`, for each event of a stream before its end. */
  readonly event?: StreamEvent;
  readonly statusCode: number;
  /** Absent where the provider reported none: unknown, not 0. */
  readonly usage?: Usage;
  readonly latencyMs: number;
}

/** A change by `postLLMHook`: a response on an error recovers it, an error on a response invalidates it; error wins. */
export interface PostLLMResult {
  readonly response?: ConversationResponse;
  readonly error?: ErrorInfo;
  /** Where the outcome had an `event`: what is sent in its place; empty drops it. */
  readonly events?: readonly StreamEvent[];
}

/** A change by `httpTransportPreHook`: new headers or body for the rest of the way, or an answer now. */
export interface HttpPreResult {
  readonly request?: {
    readonly headers?: HeaderChanges;
    readonly body?: Uint8Array | string;
  };
  /** Answer now: later plugins and the engine are skipped, the post hooks of the plugins reached so far run. */
  readonly response?: HttpResponse;
}

/** A change by `httpTransportPostHook`. Absent members stay as they were. */
export interface HttpPostResult {
  readonly statusCode?: number;
  readonly headers?: HeaderChanges;
  readonly body?: Uint8Array | string;
}

/** A change by `httpTransportResponseHeadersHook`, before the head is committed (streams too). */
export interface ResponseHeadersResult {
  readonly headers?: HeaderChanges;
}

/** One chunk on its way to the client: one whole event of the client's dialect, as it will be written. */
export interface StreamChunk {
  /** SSE event name, when the dialect uses one. */
  readonly event?: string;
  /** As the client will get it: in most dialects the JSON text of one event. */
  readonly data: string;
  /** 0 for the first chunk of the answer. */
  readonly index: number;
}

/** A change by `httpTransportStreamChunkHook`: null drops the chunk, `error` ends the stream with an error event. */
export type StreamChunkResult =
  | { readonly data: string; readonly event?: string }
  | { readonly error: ErrorInfo }
  | null;

/** A plugin's call that failed: it threw, rejected, passed its deadline or returned garbage. */
export interface PluginFailure {
  readonly plugin: string;
  readonly hook: string;
  readonly kind: 'threw' | 'timeout' | 'invalid-result';
  /** For operators: may hold what the plugin threw; never sent to a client. */
  readonly message: string;
}

/** What is known of a request after its answer went out. Input of `inject`. */
export interface RequestTrace {
  readonly facts: RequestFacts;
  readonly statusCode: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly latencyMs: number;
  readonly timeToFirstContentMs?: number;
  readonly usage?: Usage;
  readonly error?: ErrorInfo;
  readonly attempts: readonly AttemptTrace[];
  /** Present where the provider's answer was read on after the client had gone; `usage` is then what the whole answer reported. */
  readonly drain?: DrainTrace;
  readonly lane: 'identical' | 'spliced' | 'translated' | 'none';
  /** Hook calls of this request that failed (the first 20); absent when none did. */
  readonly pluginFailures?: readonly PluginFailure[];
  /** What plugins set with `setTraceAttribute`, as `plugin/key`. */
  readonly attributes?: Readonly<Record<string, Json>>;
  /** What plugins noted about routing, in order. */
  readonly routingNotes?: readonly RoutingNote[];
  /** What each hook decided, `inject` excepted; present where the request asked for it (`x-bf-explain: true`). */
  readonly explanation?: Explanation;
}

/**
 * How the reading of an answer without its client ended: with the answer, by the idle clock, at its limit of time or of size, or
 * because the provider failed.
 */
export type DrainOutcome = 'complete' | 'idle' | 'time' | 'size' | 'failed';

/** What was read of an answer after its client had gone. */
export interface DrainTrace {
  readonly outcome: DrainOutcome;
  /** From the client's leaving on. */
  readonly bytes: number;
  readonly latencyMs: number;
}

/** A plugin's account of a routing decision. */
export interface RoutingNote {
  readonly plugin: string;
  readonly message: string;
}

/** One try at one provider with one key. */
export interface AttemptTrace {
  readonly provider: string;
  readonly model: string;
  readonly keyName?: string;
  readonly statusCode?: number;
  readonly failure?: string;
  readonly latencyMs: number;
}
