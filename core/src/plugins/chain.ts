/**
 * The plugin chains as the engine calls them: built once per snapshot, one member per hook, null when no active plugin has it
 * (an empty hook costs one compare). The host of the plugins builds these; the engine never sees a plugin.
 */
import type {
  ConversationRequest,
  ConversationResponse,
  ErrorInfo,
  HeaderChanges,
  HttpPostResult,
  HttpRequest,
  HttpResponse,
  HttpResponseHead,
  Json,
  JsonObject,
  LLMOutcome,
  LLMRequest,
  MCPConnectOutcome,
  MCPConnectRequest,
  MCPOutcome,
  MCPRequest,
  Reads,
  RequestFacts,
  RequestTrace,
  StreamChunk,
  StreamEvent,
} from '@bifrost/sdk';
import type { StreamOutcome } from './stream-event-pass.ts';
import type { StreamTrack } from './stream-track.ts';

/** Who has the signal that is aborted when the client goes away, or makes it when it is asked for. */
export interface SignalSource {
  readonly signal: AbortSignal;
}

/** Opens the chains for one request: per-request state of all plugins, which plugins the forward passes reached. */
export interface PluginChains {
  /**
   * What the most demanding hook of each phase reads; undefined when the phase has no hook. `body` includes `messages`:
   * another hook of the phase may read the conversation. Each hook is shown only what it declared.
   */
  readonly needs: {
    readonly httpPreAuth?: Reads;
    /** Of the hooks before authentication too. */
    readonly httpPre?: Reads;
    readonly preRequest?: Reads;
    readonly preLLM?: Reads;
    readonly postLLM?: Reads;
    readonly streamEvent?: Reads;
    readonly responseHeaders?: Reads;
    readonly streamChunk?: Reads;
    readonly httpPost?: Reads;
    readonly preMCP?: Reads;
    readonly postMCP?: Reads;
    readonly preMCPConnection?: Reads;
    readonly postMCPConnection?: Reads;
    readonly inject?: Reads;
  };
  /**
   * Null when no hook of any plugin matches the request (filters evaluated). Nobody changes `facts` afterwards. Of a source the signal is asked for when a hook asks for
   * its own, or never.
   */
  open(facts: RequestFacts, headers: HttpRequest['headers'], signal: AbortSignal | SignalSource): PluginRun | null;
}

export interface HttpPreOutcome {
  /** Headers changed by plugins: null removes. Empty when nothing changed. */
  readonly headers: Readonly<Record<string, string | null>>;
  readonly body?: Uint8Array;
  readonly response?: HttpResponse;
  /** A guard failed closed or a plugin denied. */
  readonly error?: ErrorInfo;
}

export interface PreRequestOutcome {
  readonly model?: string;
  readonly fallbacks?: readonly string[];
  readonly conversation?: ConversationRequest;
  readonly error?: ErrorInfo;
}

export interface PreLLMOutcome {
  readonly conversation?: ConversationRequest;
  readonly response?: ConversationResponse;
  readonly stream?: AsyncIterable<StreamEvent> | Iterable<StreamEvent>;
  readonly error?: ErrorInfo;
}

export interface PostLLMOutcome {
  /** Present only when a plugin changed it. */
  readonly response?: ConversationResponse;
  readonly error?: ErrorInfo;
}

/** A change or a short-circuit; at most one member. */
export interface PreMCPOutcome {
  readonly arguments?: JsonObject;
  readonly result?: Json;
  readonly error?: ErrorInfo;
}

export interface PostMCPOutcome {
  /** Present only when a plugin changed it. */
  readonly result?: Json;
  readonly error?: ErrorInfo;
}

/** How the transport is changed; with `error` the connection is not made. */
export interface PreMCPConnectionOutcome {
  readonly connectionString?: string;
  readonly headers?: HeaderChanges;
  readonly stdioCommand?: string;
  readonly stdioArgs?: readonly string[];
  readonly error?: ErrorInfo;
}

/** An explanation in the forms that its client is given. */
export interface RunExplanation {
  /** For a header. */
  summary(): string;
  /** For a comment in a stream: one line. */
  comment(): string;
}

export interface OpenStreamOptions extends StreamOutcome {
  /** Some text has waited as long as a hook lets it: call `tick`, in turn with the other calls. */
  onDue(): void;
}

/**
 * The hooks that look at one stream. Events are pushed frame by frame, and leave into the frame's track: now, later, changed or not at
 * all. Calls must not overlap: wait for the promise of one before the next. None throws or rejects.
 */
export interface StreamHookRun {
  /** A hook ended the stream: what has left goes out, then this error, and nothing after it. */
  readonly error: ErrorInfo | undefined;
  /** How many bytes may be held back for the hooks; undefined where none of them holds anything back. */
  readonly maxHeldBytes: number | undefined;
  push(track: StreamTrack, events: readonly StreamEvent[]): void | Promise<void>;
  /** More than that would have to be held: the hooks that hold back follow their policies, which may set `error`. */
  refuse(message: string): void;
  tick(): void | Promise<void>;
  /** The stream is over: everything that is held leaves. */
  end(): void | Promise<void>;
  /** Gives up without an end: the client has gone. */
  close(): void;
}

/**
 * One request's way through the chains. Every method may return synchronously (the common case: no promise is made unless a
 * handler returned one). None throws or rejects: failures follow the plugin's policy and are logged and counted inside.
 */
export interface PluginRun {
  /**
   * As the chains' `needs`, of the hooks whose filters match this request: what has to be decoded for it. Filters on provider
   * and model count as matching, as both may still change.
   */
  readonly needs?: PluginChains['needs'];
  /** Facts that become known later (provider, model, attempt): some, or whole ones with a request id, which nobody changes afterwards. */
  update(facts: Partial<RequestFacts>): void;
  /**
   * Set when a guard failed closed in `responseHeaders` or `httpPost`, whose results cannot say so: send this error instead
   * of the answer. Later calls for chunks and events of a stream answer with it too, so that nothing leaves either way.
   */
  readonly denial?: ErrorInfo | undefined;
  /** The hooks before authentication. Where it is not called, `httpPre` runs them first. */
  httpPreAuth?(request: HttpRequest): HttpPreOutcome | undefined | Promise<HttpPreOutcome | undefined>;
  httpPre(request: HttpRequest): HttpPreOutcome | undefined | Promise<HttpPreOutcome | undefined>;
  preRequest(request: LLMRequest): PreRequestOutcome | undefined | Promise<PreRequestOutcome | undefined>;
  preLLM(request: LLMRequest): PreLLMOutcome | undefined | Promise<PreLLMOutcome | undefined>;
  postLLM(outcome: LLMOutcome): PostLLMOutcome | undefined | Promise<PostLLMOutcome | undefined>;
  /**
   * Opens the hooks that look at a stream's events, for the answer of one attempt; null where none is due. Call it where the first
   * event is passed to them, not earlier: which hooks are due depends on how far `preLLM` came.
   */
  openStream(options: OpenStreamOptions): StreamHookRun | null;
  responseHeaders(
    head: HttpResponseHead,
  ): Readonly<Record<string, string | null>> | undefined | Promise<Readonly<Record<string, string | null>> | undefined>;
  /** The chunk to write, null to drop it, or an error that ends the stream. */
  streamChunk(
    chunk: StreamChunk,
  ): StreamChunk | null | { readonly error: ErrorInfo } | Promise<StreamChunk | null | { readonly error: ErrorInfo }>;
  httpPost(response: HttpResponse): HttpPostResult | undefined | Promise<HttpPostResult | undefined>;
  preMCP(request: MCPRequest): PreMCPOutcome | undefined | Promise<PreMCPOutcome | undefined>;
  postMCP(outcome: MCPOutcome): PostMCPOutcome | undefined | Promise<PostMCPOutcome | undefined>;
  preMCPConnection(
    request: MCPConnectRequest,
  ): PreMCPConnectionOutcome | undefined | Promise<PreMCPConnectionOutcome | undefined>;
  /** An error where a guard could not judge the server: the connection must not be used. */
  postMCPConnection(outcome: MCPConnectOutcome): ErrorInfo | undefined | Promise<ErrorInfo | undefined>;
  /** What the hooks have decided so far; null where the request did not ask for it. */
  readonly explanation?: RunExplanation | null;
  /** Milliseconds that hooks have taken so far. */
  readonly spentMs?: number;
  /** The first byte of a stream's content leaves: what hooks take from now on is not added to the time to first content. */
  noteContentOut?(): void;
  /** The trace with what the plugins have put on it so far. */
  complete?(trace: RequestTrace): RequestTrace;
  /** Runs `inject` hooks in the background and releases the request's plugin state. Call exactly once. */
  finish(trace: RequestTrace): void;
}
