/** The hooks: their handlers, their options, their names. Names are Bifrost's in camelCase. */
import type { HttpRequest, HttpResponse, HttpResponseHead } from './http.ts';
import type { HookContext } from './hook-context.ts';
import type {
  HttpPostResult,
  HttpPreResult,
  LLMOutcome,
  LLMRequest,
  PostLLMResult,
  PreLLMResult,
  PreRequestResult,
  RequestTrace,
  ResponseHeadersResult,
  StreamChunk,
  StreamChunkResult,
} from './hook-values.ts';
import type { JsonObject } from './json.ts';
import type { StreamEvent } from './stream.ts';

/**
 * What a hook needs to see, from cheap to dear. `head`: route, headers, provider, model, stream. `messages`: the decoded
 * conversation too. `body`: everything, with the bytes. The host decodes only what an active, matching hook reads, and each
 * hook is shown only what it asked for.
 */
export type Reads = 'head' | 'messages' | 'body';

/**
 * What to do when a hook throws, rejects, passes its deadline or returns garbage. In every case the value before it is kept
 * and the failure is logged and counted.
 * - `continue`: the next plugin runs (the default; of a guard: an explicit, logged exception);
 * - `deny`: the request is refused with 500 `BF_PLUGIN_HOOK_FAILED` (the default of a guard);
 * - `skip`: as `continue`, and this plugin's other hooks are left out for the rest of this request;
 * - `{ disableAfter: n }`: as `continue` (of a guard: `deny`); after n failures in a row the plugin is disabled until it is
 *   loaded again. A disabled guard denies every request that it would have seen.
 */
export type OnError = 'continue' | 'deny' | 'skip' | { readonly disableAfter: number };

/** The host calls a hook only where all stated members match. Strings are globs: `*` stands for any characters. */
export interface HookFilter {
  readonly path?: string | readonly string[];
  readonly provider?: string | readonly string[];
  /** Matched against the model alone and against `provider/model`. */
  readonly model?: string | readonly string[];
  readonly isStream?: boolean;
  /** A header that must be present (`x-team`), or its value as a glob (`x-team: red*`). */
  readonly header?: string;
  /** Share of requests, 0 to 1. All hooks and plugins draw the same number for one request. */
  readonly sampling?: number;
}

/** The filter of hooks that run before routing: provider and model are not known there. */
export type EarlyHookFilter = Omit<HookFilter, 'provider' | 'model'>;

type MaybePromise<T> = T | Promise<T>;

/**
 * Handler of each hook. `Config` is what the plugin's `configSchema` yields. To return nothing means "unchanged".
 * Pre hooks run forward through the plugins, post hooks in reverse and only for plugins that the forward pass reached.
 */
export interface HookHandlers<Config = JsonObject> {
  /** @kind sequential; once per request, forward, before authentication. Its changes are meant for credentials. */
  httpTransportPreAuthHook(
    context: HookContext<Config>,
    request: HttpRequest,
  ): MaybePromise<HttpPreResult | undefined | void>;
  /** @kind sequential, first; once per request, forward. */
  httpTransportPreHook(
    context: HookContext<Config>,
    request: HttpRequest,
  ): MaybePromise<HttpPreResult | undefined | void>;
  /** @kind sequential; once per request, forward: the routing phase, the only place to change provider, model, fallbacks. */
  preRequestHook(context: HookContext<Config>, request: LLMRequest): MaybePromise<PreRequestResult | undefined | void>;
  /** @kind sequential, first; every attempt (the primary and each fallback), forward. */
  preLLMHook(context: HookContext<Config>, request: LLMRequest): MaybePromise<PreLLMResult | undefined | void>;
  /** @kind sequential; every attempt, reverse; on a stream once, at its end. */
  postLLMHook(context: HookContext<Config>, outcome: LLMOutcome): MaybePromise<PostLLMResult | undefined | void>;
  /** @kind sequential; typed stream events, reverse; an empty array drops the event. The stream leaves the identical lane. */
  streamEventHook(
    context: HookContext<Config>,
    event: StreamEvent,
  ): MaybePromise<readonly StreamEvent[] | undefined | void>;
  /** @kind sequential; before the head of the answer is committed, reverse; on streams too. */
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
  /** @kind observe; after the answer went out, all plugins at once, in the background. */
  inject(context: HookContext<Config>, trace: RequestTrace): MaybePromise<void>;
}

/** What each hook may ask to read. The first is the default. */
export interface HookReads {
  httpTransportPreAuthHook: 'head' | 'body';
  httpTransportPreHook: 'head' | 'body';
  preRequestHook: 'head' | 'messages' | 'body';
  preLLMHook: 'head' | 'messages' | 'body';
  postLLMHook: 'head' | 'messages';
  /** Always: the events are decoded for it. */
  streamEventHook: 'messages';
  httpTransportResponseHeadersHook: 'head';
  /** Always: the chunk's bytes are its input. */
  httpTransportStreamChunkHook: 'body';
  httpTransportPostHook: 'head' | 'body';
  inject: 'head';
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

/** The name of a hook. */
export type HookName = (typeof hookNames)[number];

type EarlyHookName = 'httpTransportPreAuthHook' | 'httpTransportPreHook';

/** A hook with options. */
export interface HookObject<Handler, Name extends HookName = HookName, Config = never> {
  readonly handler: Handler;
  /** Default: the cheapest that the hook knows, `head` for most. */
  readonly reads?: HookReads[Name];
  /** Run before (`pre`) or after (`post`) the other plugins of the placement group, for this hook alone. */
  readonly order?: 'pre' | 'post';
  readonly filter?: Name extends EarlyHookName ? EarlyHookFilter : HookFilter;
  /**
   * How long a promise of the handler may take; `ctx.signal` is aborted then. A handler that blocks the thread cannot be
   * timed out from within it.
   * @default 5000
   */
  readonly timeoutMs?: number;
  /** An observer's failure never touches the request: `inject` knows no `deny`. */
  readonly onError?: Name extends 'inject' ? Exclude<OnError, 'deny'> : OnError;
  /** Asked once, when the plugin is loaded: false leaves the hook out, as if the plugin did not have it. */
  when?(config: Config): boolean;
}

/** A hook as a bare function, or with options. */
export type Hook<Handler, Name extends HookName = HookName, Config = never> =
  | Handler
  | HookObject<Handler, Name, Config>;
