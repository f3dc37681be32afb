/**
 * The plugin contract. Hooks keep Bifrost's names in camelCase. Inputs are deeply read-only plain data; a change is a
 * returned value, `undefined` means "unchanged", so a plugin that throws leaves the value before it in place.
 */
import type { ConversationRequest, ConversationResponse } from './conversation.ts';
import type { ErrorInfo } from './errors.ts';
import type { HttpRequest, HttpResponse, HttpResponseHead } from './http.ts';
import type { Json, JsonObject } from './json.ts';
import type { StreamEvent } from './stream.ts';
import type { Usage } from './usage.ts';

/** The plugin API this package describes; a plugin states the range it was written for. */
export const apiVersion = 'v1';

/** What a hook needs to see. The host decodes only what an active, matching hook reads. */
export type Reads = 'head' | 'messages' | 'body';

/** What to do when a hook throws, times out or returns garbage. Guards deny by default, all others continue. */
export type OnError = 'continue' | 'deny' | 'skip' | { readonly disableAfter: number };

/** Facts about the request that no plugin can change. */
export interface RequestFacts {
  readonly requestId: string;
  /** `chat_completion`, `responses`, `embedding`, ... as in Bifrost's `request_type`. */
  readonly requestType: string;
  readonly method: string;
  readonly path: string;
  readonly isStream: boolean;
  /** Present once routing has chosen. */
  readonly provider?: string;
  readonly model?: string;
  /** 0 for the primary, 1 for the first fallback, ... */
  readonly fallbackIndex?: number;
}

export interface PluginLog {
  debug(message: string, fields?: JsonObject): void;
  info(message: string, fields?: JsonObject): void;
  warn(message: string, fields?: JsonObject): void;
  error(message: string, fields?: JsonObject): void;
}

/** What every hook gets first. One per request and plugin; `state` lives as long as the request. */
export interface HookContext<Config = JsonObject> {
  readonly facts: RequestFacts;
  readonly config: Config;
  /** Aborted when the client has gone or the hook's deadline has passed. */
  readonly signal: AbortSignal;
  readonly log: PluginLog;
  /** This plugin's own values for this request; other plugins do not see them. */
  readonly state: Map<string, Json>;
  /** Values visible to all plugins of this request, namespaced as `plugin/key` on write. */
  getValue(key: string): Json | undefined;
  setValue(key: string, value: Json): void;
}

/** What `init` and `cleanup` get. */
export interface PluginContext<Config = JsonObject> {
  readonly name: string;
  readonly config: Config;
  readonly log: PluginLog;
  /** Aborted when `init` or `cleanup` has passed its deadline. */
  readonly signal: AbortSignal;
}

/** The head of a request: all that is known without decoding its messages. */
export interface RequestHead {
  readonly provider?: string;
  readonly model: string;
  readonly isStream: boolean;
  readonly fallbacks: readonly string[];
}

/** Input of `preRequestHook` and `preLLMHook`; `conversation` is present where the hook `reads: 'messages'`. */
export interface LLMRequest extends RequestHead {
  readonly conversation?: ConversationRequest;
  /** The body's bytes; present where the hook `reads: 'body'`. */
  readonly body?: Uint8Array;
}

/** A change by `preRequestHook`: the routing phase. */
export interface PreRequestResult {
  /** `provider/model` or a bare model. */
  readonly model?: string;
  readonly fallbacks?: readonly string[];
  readonly conversation?: ConversationRequest;
}

/** A change or a short-circuit by `preLLMHook`: at most one of the members. */
export interface PreLLMResult {
  readonly conversation?: ConversationRequest;
  /** Answer now; the provider is not called. */
  readonly response?: ConversationResponse;
  /** Answer with a stream; the provider is not called. */
  readonly stream?: AsyncIterable<StreamEvent> | Iterable<StreamEvent>;
  /** Fail this attempt; `error.allowFallbacks` decides about the next one. */
  readonly error?: ErrorInfo;
}

/** Input of `postLLMHook`: exactly one of `response` and `error`, or neither for a stream that nobody read. */
export interface LLMOutcome {
  readonly request: RequestHead;
  /** Present where the hook `reads: 'messages'` and the provider answered. On a stream: the accumulated answer, at its end. */
  readonly response?: ConversationResponse;
  readonly error?: ErrorInfo;
  readonly statusCode: number;
  readonly usage?: Usage;
  readonly latencyMs: number;
}

/** A change by `postLLMHook`: a response on an error recovers it, an error on a response invalidates it; error wins. */
export interface PostLLMResult {
  readonly response?: ConversationResponse;
  readonly error?: ErrorInfo;
}

/** A change by `httpTransportPreHook`: new headers or body for the rest of the way, or an answer now. */
export interface HttpPreResult {
  readonly request?: {
    readonly headers?: Readonly<Record<string, string | null>>;
    readonly body?: Uint8Array | string;
  };
  readonly response?: HttpResponse;
}

/** A change by `httpTransportPostHook`. */
export interface HttpPostResult {
  readonly statusCode?: number;
  /** Headers to set; null removes one. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: Uint8Array | string;
}

/** A change by `httpTransportResponseHeadersHook`, before the head is committed (streams too). */
export interface ResponseHeadersResult {
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** One chunk on its way to the client: one whole event of the client's dialect, as it will be written. */
export interface StreamChunk {
  /** SSE event name, when the dialect uses one. */
  readonly event?: string;
  readonly data: string;
  readonly index: number;
}

/** A change by `httpTransportStreamChunkHook`: null drops the chunk, `error` ends the stream with an error event. */
export type StreamChunkResult =
  | { readonly data: string; readonly event?: string }
  | { readonly error: ErrorInfo }
  | null;

/** What is known of a request after its answer went out. Input of `inject`. */
export interface RequestTrace {
  readonly facts: RequestFacts;
  readonly statusCode: number;
  readonly startedAt: number;
  readonly latencyMs: number;
  readonly timeToFirstContentMs?: number;
  readonly usage?: Usage;
  readonly error?: ErrorInfo;
  readonly attempts: readonly AttemptTrace[];
  readonly lane: 'identical' | 'spliced' | 'translated' | 'none';
}

export interface AttemptTrace {
  readonly provider: string;
  readonly model: string;
  readonly keyName?: string;
  readonly statusCode?: number;
  readonly failure?: string;
  readonly latencyMs: number;
}

type MaybePromise<T> = T | Promise<T>;

/** A hook as a bare function, or with options. */
export type Hook<Handler> = Handler | HookObject<Handler>;

export interface HookObject<Handler> {
  readonly handler: Handler;
  /** @default 'head' */
  readonly reads?: Reads;
  /** Place within the plugin's placement group, for this hook alone. */
  readonly order?: 'pre' | 'post';
  /** The host calls the hook only where all stated members match; globs with `*`. */
  readonly filter?: HookFilter;
  /** @default 5000 */
  readonly timeoutMs?: number;
  readonly onError?: OnError;
}

export interface HookFilter {
  readonly path?: string | readonly string[];
  readonly provider?: string | readonly string[];
  readonly model?: string | readonly string[];
  readonly isStream?: boolean;
  /** Header that must be present, or `name: value` glob. */
  readonly header?: string;
  /** Share of requests, 0 to 1. */
  readonly sampling?: number;
}

/** Handler of each hook. `Config` is what the plugin's `configSchema` yields. */
export interface HookHandlers<Config = JsonObject> {
  /** @kind sequential; once per request, before authentication. */
  httpTransportPreAuthHook(
    context: HookContext<Config>,
    request: HttpRequest,
  ): MaybePromise<HttpPreResult | undefined | void>;
  /** @kind sequential, first; once per request, forward. */
  httpTransportPreHook(
    context: HookContext<Config>,
    request: HttpRequest,
  ): MaybePromise<HttpPreResult | undefined | void>;
  /** @kind sequential; once per request, forward: the routing phase. */
  preRequestHook(context: HookContext<Config>, request: LLMRequest): MaybePromise<PreRequestResult | undefined | void>;
  /** @kind sequential, first; every attempt, forward. */
  preLLMHook(context: HookContext<Config>, request: LLMRequest): MaybePromise<PreLLMResult | undefined | void>;
  /** @kind sequential; every attempt, reverse; on a stream once, at its end. */
  postLLMHook(context: HookContext<Config>, outcome: LLMOutcome): MaybePromise<PostLLMResult | undefined | void>;
  /** @kind sequential; typed stream events, reverse; an empty array drops the event. */
  streamEventHook(
    context: HookContext<Config>,
    event: StreamEvent,
  ): MaybePromise<readonly StreamEvent[] | undefined | void>;
  /** @kind sequential; before the head of the answer is committed, reverse. */
  httpTransportResponseHeadersHook(
    context: HookContext<Config>,
    head: HttpResponseHead,
  ): MaybePromise<ResponseHeadersResult | undefined | void>;
  /** @kind sequential; each event of a stream just before it is written, reverse. */
  httpTransportStreamChunkHook(
    context: HookContext<Config>,
    chunk: StreamChunk,
  ): MaybePromise<StreamChunkResult | undefined | void>;
  /** @kind sequential; once per request with its whole answer, reverse; not on streams. */
  httpTransportPostHook(
    context: HookContext<Config>,
    response: HttpResponse,
  ): MaybePromise<HttpPostResult | undefined | void>;
  /** @kind observe; after the answer went out. */
  inject(context: HookContext<Config>, trace: RequestTrace): MaybePromise<void>;
}

/** All hook names, in the order in which a request meets them. */
export const hookNames = [
  'httpTransportPreAuthHook',
  'httpTransportPreHook',
  'preRequestHook',
  'preLLMHook',
  'postLLMHook',
  'streamEventHook',
  'httpTransportResponseHeadersHook',
  'httpTransportStreamChunkHook',
  'httpTransportPostHook',
  'inject',
] as const satisfies readonly (keyof HookHandlers)[];

export type HookName = (typeof hookNames)[number];

/** A validator in the shape of Standard Schema (https://standardschema.dev): zod, valibot, arktype and others have it. */
export interface ConfigSchema<Config> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    validate(
      value: unknown,
    ): MaybePromise<
      | { readonly value: Config; readonly issues?: undefined }
      | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }
    >;
    readonly types?: { readonly input: unknown; readonly output: Config } | undefined;
  };
}

/** A plugin: the default export of its module. */
export type Plugin<Config = JsonObject> = {
  readonly name: string;
  readonly version?: string;
  /** @default 'v1' */
  readonly apiVersion?: string;
  /** A guard may deny; it fails closed. */
  readonly guard?: boolean;
  readonly configSchema?: ConfigSchema<Config>;
  init?(context: PluginContext<Config>): MaybePromise<void>;
  cleanup?(context: PluginContext<Config>): MaybePromise<void>;
} & { readonly [Name in HookName]?: Hook<HookHandlers<Config>[Name]> };

/** Gives a plugin's author completion and type errors; returns its argument. */
export function definePlugin<Config = JsonObject>(plugin: Plugin<Config>): Plugin<Config> {
  return plugin;
}
