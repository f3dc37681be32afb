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
import type {
  MCPConnectOutcome,
  MCPConnectRequest,
  MCPOutcome,
  MCPRequest,
  PostMCPResult,
  PreMCPConnectionResult,
  PreMCPResult,
} from './mcp.ts';
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
  /** Of the request, without the query. `*` stands for any characters, here and below. */
  readonly path?: string | readonly string[];
  /** The provider that was routed to. */
  readonly provider?: string | readonly string[];
  /** Matched against the model alone and against `provider/model`. */
  readonly model?: string | readonly string[];
  /** True: streams alone; false: whole answers alone. */
  readonly isStream?: boolean;
  /** A header that must be present (`x-team`), or its value as a glob (`x-team: red*`). */
  readonly header?: string;
  /** Share of requests, 0 to 1. All hooks and plugins draw the same number for one request. */
  readonly sampling?: number;
}

/** The filter of hooks that run before routing: provider and model are not known there. */
export type EarlyHookFilter = Omit<HookFilter, 'provider' | 'model'>;

/**
 * How much of a stream a hook is shown at once. The host gathers deltas of one part into one longer delta and calls the hook with
 * that; what it gathers is not sent before the hook has seen it, and what the hook leaves unchanged goes out in the bytes it came in.
 * - `each`: every event as it comes;
 * - `sentence`: text up to the end of a sentence or line; tool calls at their end;
 * - `tool-call`: the arguments of a tool call in one piece, at its end; text as it comes;
 * - `end`: each part in one piece, at its end;
 * - `{ afterMs, afterBytes }`: what has come within that time or size, whichever is first.
 */
export type ChunkMode =
  | 'each'
  | 'sentence'
  | 'tool-call'
  | 'end'
  | { readonly afterMs?: number; readonly afterBytes?: number };

/**
 * Keeps the newest text of a stream back until the hook has seen what follows it: the hook's delta then begins with the text that
 * was kept, so that a pattern of at most `characters` is seen whole before its first character leaves. At the end of the part the
 * hook is shown what was kept once more, marked `isLast`, and then the end event; then the rest is let go. What a hook returns in
 * the place of its delta is what is kept and shown next. A tool that the provider runs waits whole until the hook has seen it.
 */
export interface HoldBack {
  /** UTF-16 code units of each part's text (or arguments) that stay back. */
  readonly characters: number;
  /** Bound of all that is held for one stream; above it the hook counts as failed. @default 262144 */
  readonly maxBytes?: number;
}

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
  /**
   * @kind sequential; every attempt, reverse; on a stream once, at its end. With `chunks` also for each event of a stream: the
   * outcome then has `event` and neither `response` nor `error`.
   */
  postLLMHook(context: HookContext<Config>, outcome: LLMOutcome): MaybePromise<PostLLMResult | undefined | void>;
  /** @kind sequential; typed stream events, reverse; an empty array drops the event. What is left unchanged keeps its bytes. */
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
  /** @kind sequential, first; every call to an MCP server, forward. */
  preMCPHook(context: HookContext<Config>, request: MCPRequest): MaybePromise<PreMCPResult | undefined | void>;
  /** @kind sequential; every answer of an MCP server, reverse. */
  postMCPHook(context: HookContext<Config>, outcome: MCPOutcome): MaybePromise<PostMCPResult | undefined | void>;
  /** @kind sequential, first; once for each connection of an MCP client, forward. */
  preMCPConnectionHook(
    context: HookContext<Config>,
    request: MCPConnectRequest,
  ): MaybePromise<PreMCPConnectionResult | undefined | void>;
  /** @kind sequential; after the handshake with an MCP server, reverse; what it returns is not used. */
  postMCPConnectionHook(context: HookContext<Config>, outcome: MCPConnectOutcome): MaybePromise<undefined | void>;
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
  /** Always: the call is shown whole. */
  preMCPHook: 'body';
  postMCPHook: 'body';
  preMCPConnectionHook: 'body';
  postMCPConnectionHook: 'body';
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
  'preMCPHook',
  'postMCPHook',
  'preMCPConnectionHook',
  'postMCPConnectionHook',
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
  /** @default 'each' for `streamEventHook`; `postLLMHook` is called at the end of a stream only */
  readonly chunks?: Name extends 'streamEventHook' | 'postLLMHook' ? ChunkMode : never;
  readonly holdBack?: Name extends 'streamEventHook' ? HoldBack : never;
  /** Asked once, when the plugin is loaded: false leaves the hook out, as if the plugin did not have it. */
  when?(config: Config): boolean;
}

/** A hook as a bare function, or with options. */
export type Hook<Handler, Name extends HookName = HookName, Config = never> =
  | Handler
  | HookObject<Handler, Name, Config>;

/** A hook's options as plain data: in a manifest, and for plugins that are not JavaScript. */
export interface HookOptionsData {
  readonly reads?: Reads;
  readonly order?: 'pre' | 'post';
  readonly filter?: HookFilter;
  readonly timeoutMs?: number;
  readonly onError?: OnError;
  readonly chunks?: ChunkMode;
  readonly holdBack?: HoldBack;
}
