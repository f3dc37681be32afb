/**
 * The types of @bifrost/sdk, which the gateway brings along for every plugin. Generated: `bifrost plugin types` writes those
 * of the installed version.
 */
declare module '@bifrost/sdk' {
  /** The plugin API's version, and whether a plugin's stated range contains it. */
  /** The plugin API this package describes, as plugins state it in code. */
  export const apiVersion = "v1";
  /** Major and minor of the plugin API: the minor rises with each addition that older hosts do not have. */
  export const apiRelease = "1.1";
  /**
   * Whether the API `release` (default: this one) lies in `range`: comparators as in npm (`>=1.0 <2`, `^1.1`), parts of one
   * alternative apart by spaces, alternatives by `||`. A bare `1.1` means "1.1 or a later 1.x". Undefined when `range` cannot be read.
   */
  export function isApiSupported(range: string, release?: string): boolean | undefined;

  /**
   * The canonical model: what every dialect is decoded to and encoded from, so that N client dialects and M provider
   * dialects need N + M codecs. Plain data, deeply read-only; `structuredClone` and JSON keep it whole.
   *
   * Every object that comes from a wire carries a `residue`: what its dialect said and the model has no name for. A codec of
   * the same dialect writes it back unchanged; a codec of another dialect reports it as dropped. It never reaches another wire.
   */
  /** The wire formats of conversations. */
  export type DialectName = 'openai-chat' | 'openai-responses' | 'openai-completions' | 'anthropic-messages' | 'gemini-generate-content';
  /** What a dialect said beyond the canonical fields: its own field names and values. */
  export interface Residue {
      readonly dialect: DialectName;
      readonly fields: JsonObject;
      /**
       * How the dialect spelled what the canonical fields already say (null or absent, a string or a list of one, which of two
       * names), for a codec of the same dialect. Nothing is lost when another dialect leaves it away, so it is never reported.
       */
      readonly form?: JsonObject;
  }
  interface Residual {
      readonly residue?: Residue;
  }
  /** Where a media part's bytes are. */
  export type MediaSource = {
      readonly type: 'base64';
      readonly data: string;
  } | {
      readonly type: 'url';
      readonly url: string;
  } | {
      readonly type: 'file-id';
      readonly fileId: string;
  } | {
      readonly type: 'text';
      readonly text: string;
  };
  /** A prompt-cache marker: "everything up to here may be cached". */
  export interface CacheControl {
      readonly ttl?: '5m' | '1h';
  }
  /** A quotation or source that the model attached to its text. */
  export interface Citation extends Residual {
      readonly url?: string;
      readonly title?: string;
      readonly citedText?: string;
      /** Where in the part's text the citation applies, in UTF-16 units. */
      readonly startIndex?: number;
      readonly endIndex?: number;
      /** The file or document cited, when it is not a URL. */
      readonly fileId?: string;
      readonly documentIndex?: number;
  }
  /** How likely the model took a token to be; `top` has what it would have said instead. */
  export interface TokenLogprob {
      readonly token: string;
      readonly logprob: number;
      readonly bytes?: readonly number[] | null;
      readonly top?: readonly {
          readonly token: string;
          readonly logprob: number;
          readonly bytes?: readonly number[] | null;
      }[];
  }
  /** Text for whoever reads the message. */
  export interface TextPart extends Residual {
      readonly type: 'text';
      readonly text: string;
      readonly citations?: readonly Citation[];
      readonly cacheControl?: CacheControl;
      /** A signature that a provider attached to this text and wants back (Gemini `thoughtSignature`). */
      readonly signature?: string;
      readonly logprobs?: readonly TokenLogprob[];
  }
  /** An image, a file (PDF and the like), audio or video, in either direction. */
  export interface MediaPart extends Residual {
      readonly type: 'media';
      readonly kind: 'image' | 'file' | 'audio' | 'video';
      readonly source: MediaSource;
      /** MIME type, e.g. `image/png`, when known. */
      readonly mediaType?: string;
      readonly filename?: string;
      /** OpenAI's `detail` for images: `low`, `high`, `auto`, `original`. */
      readonly detail?: string;
      readonly title?: string;
      readonly cacheControl?: CacheControl;
      readonly signature?: string;
  }
  /** The model's thinking. `signature` and `encrypted` must be replayed byte for byte to the provider that made them. */
  export interface ReasoningPart extends Residual {
      readonly type: 'reasoning';
      readonly text: string;
      /** True where `text` is a summary and not the reasoning itself (OpenAI Responses). */
      readonly isSummary?: boolean;
      /** Proof of origin (Anthropic `signature`, Gemini `thoughtSignature`). */
      readonly signature?: string;
      /** Who made `signature` and `encrypted`: only that dialect's providers get them back. Absent: unknown, treat as foreign. */
      readonly origin?: DialectName;
      /** Opaque reasoning: Anthropic `redacted_thinking.data`, OpenAI `encrypted_content`. */
      readonly encrypted?: string;
      /** The provider's id of the reasoning item (OpenAI Responses `rs_...`). */
      readonly id?: string;
  }
  /** A call of one of the caller's functions. */
  export interface ToolCallPart extends Residual {
      readonly type: 'tool-call';
      readonly id: string;
      readonly name: string;
      /** The arguments as JSON text, exactly as the model wrote them where the dialect carries text. */
      readonly arguments: string;
      /** Set for calls whose input is free text (OpenAI `custom` tools): `arguments` is then that text, not JSON. */
      readonly isFreeform?: boolean;
      /** Gemini's `thoughtSignature` of this call; other dialects carry it inside the id (`packToolCallId`). */
      readonly signature?: string;
      readonly cacheControl?: CacheControl;
  }
  /** What the caller's function returned. */
  export interface ToolResultPart extends Residual {
      readonly type: 'tool-result';
      readonly toolCallId: string;
      readonly toolName?: string;
      readonly content: readonly (TextPart | MediaPart | OpaquePart)[];
      readonly isError?: boolean;
      readonly cacheControl?: CacheControl;
  }
  /** The model declined to answer, in its own words (OpenAI `refusal`). */
  export interface RefusalPart extends Residual {
      readonly type: 'refusal';
      readonly text: string;
  }
  /**
   * A tool that the provider runs itself: web search, code execution, MCP, file search. `value` is the dialect's own block or
   * item, whole. Another dialect cannot express it: it is left out there and reported.
   */
  export interface ServerToolPart {
      readonly type: 'server-tool';
      readonly dialect: DialectName;
      /** The block's or item's own type, e.g. `web_search_call`, `server_tool_use`. */
      readonly name: string;
      readonly value: Json;
  }
  /** Anything else that a dialect has and the model has no name for; kept whole for its own dialect. */
  export interface OpaquePart {
      readonly type: 'opaque';
      readonly dialect: DialectName;
      readonly value: Json;
  }
  /** A piece of a message or an answer. A part of a kind that has no name here is `opaque`, and its own dialect gets it back as it came. */
  export type Part = TextPart | MediaPart | ReasoningPart | ToolCallPart | ToolResultPart | RefusalPart | ServerToolPart | OpaquePart;
  /** Who says a message; `developer` is an instruction that a `system` message stands above (OpenAI). */
  export type Role = 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  /** One turn of a conversation: its parts in the order in which they were said. */
  export interface Message extends Residual {
      readonly role: Role;
      readonly parts: readonly Part[];
      /** The participant's name (OpenAI `name`). */
      readonly name?: string;
  }
  /** A function the model may call. */
  export interface FunctionTool extends Residual {
      readonly type: 'function';
      readonly name: string;
      readonly description?: string;
      /** JSON Schema of the arguments; key order is kept. */
      readonly parameters?: JsonObject;
      readonly strict?: boolean;
      /** Set for OpenAI `custom` tools: the input is free text, not JSON; text of `grammar` where one is given. */
      readonly isFreeform?: boolean;
      /** `syntax` is `lark` or `regex`. */
      readonly grammar?: {
          readonly syntax: string;
          readonly definition: string;
      };
      readonly cacheControl?: CacheControl;
  }
  /** A tool that the provider runs, in its dialect's own words. */
  export interface ServerTool {
      readonly type: 'server';
      readonly dialect: DialectName;
      readonly name: string;
      readonly value: JsonObject;
  }
  /** What the model may call: a function of the caller, or a tool that the provider runs. */
  export type Tool = FunctionTool | ServerTool;
  /** Whether the model has to call a tool, and which. */
  export type ToolChoice = {
      readonly type: 'auto' | 'none' | 'required';
  } | {
      readonly type: 'tool';
      readonly name: string;
  }
  /** Required, but only among these (Gemini `allowedFunctionNames`, OpenAI `allowed_tools`). */
   | {
      readonly type: 'allowed';
      readonly names: readonly string[];
      readonly mode: 'auto' | 'required';
  };
  /** The form that the answer's text has to have; where it is absent the model decides. */
  export type ResponseFormat = Residual & ({
      readonly type: 'text';
  } | {
      readonly type: 'json';
  } | {
      readonly type: 'json-schema';
      readonly name?: string;
      readonly description?: string;
      readonly schema: JsonObject;
      readonly strict?: boolean;
  });
  /** How much the model may think before it answers. */
  export interface ReasoningOptions extends Residual {
      readonly effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';
      readonly budgetTokens?: number;
      /** The model decides how much (Anthropic `adaptive`, Gemini budget -1). */
      readonly isAdaptive?: boolean;
      readonly isDisabled?: boolean;
      /** The caller wants to see the thoughts (Gemini `includeThoughts`) or a summary of them (OpenAI `summary`). */
      readonly summary?: 'auto' | 'concise' | 'detailed' | 'none';
  }
  /** One request for a completion. Sampling fields are absent when the caller did not set them. */
  export interface ConversationRequest extends Residual {
      readonly model: string;
      readonly messages: readonly Message[];
      readonly tools?: readonly Tool[];
      readonly toolChoice?: ToolChoice;
      readonly isParallelToolCallsAllowed?: boolean;
      readonly responseFormat?: ResponseFormat;
      readonly reasoning?: ReasoningOptions;
      readonly stream: boolean;
      /** A chat client asked for the usage chunk (`stream_options.include_usage`). Other dialects always report usage. */
      readonly isStreamUsageRequested?: boolean;
      readonly maxOutputTokens?: number;
      readonly temperature?: number;
      readonly topP?: number;
      readonly topK?: number;
      readonly stopSequences?: readonly string[];
      readonly seed?: number;
      readonly frequencyPenalty?: number;
      readonly presencePenalty?: number;
      readonly logprobs?: boolean;
      readonly topLogprobs?: number;
      readonly candidateCount?: number;
      /** The end user's id, for the provider's abuse detection (`user`, `metadata.user_id`). */
      readonly userId?: string;
      readonly serviceTier?: string;
      readonly metadata?: JsonObject;
      /** Wanted output kinds, e.g. `text`, `audio`, `image`, lower case. */
      readonly modalities?: readonly string[];
  }
  /** Why an answer ended, in the words that all dialects share; `other` where none fits, which `raw` then tells. */
  export type FinishReasonKind = 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'refusal'
  /** The provider paused a long server-tool turn; send the answer back to go on (Anthropic `pause_turn`). */
   | 'pause' | 'error' | 'other';
  /** Why a candidate ended. */
  export interface FinishReason {
      readonly kind: FinishReasonKind;
      /** The provider's own word. */
      readonly raw?: string;
      /** Which stop sequence was hit, where the provider says so. */
      readonly stopSequence?: string;
  }
  /** One answer among `candidateCount`. */
  export interface Candidate extends Residual {
      readonly index: number;
      readonly parts: readonly Part[];
      readonly finishReason?: FinishReason;
  }
  /** One whole answer. */
  export interface ConversationResponse extends Residual {
      readonly id?: string;
      /** The model that answered, as the provider names it. */
      readonly model?: string;
      /** Seconds since 1970. */
      readonly createdAt?: number;
      readonly candidates: readonly Candidate[];
      readonly usage?: Usage;
  }
  /** Texts or token arrays to embed. */
  export interface EmbeddingRequest extends Residual {
      readonly model: string;
      readonly inputs: readonly (string | readonly number[])[];
      readonly dimensions?: number;
      /** `float` or `base64`. */
      readonly encodingFormat?: string;
      readonly userId?: string;
      /** Further top-level fields for the provider, beside those of `residue`. */
      readonly extra?: JsonObject;
  }
  /** The vectors of a text or of several. */
  export interface EmbeddingResponse extends Residual {
      readonly model?: string;
      /** One vector per input, in order; a string is the base64 form. */
      readonly embeddings: readonly (readonly number[] | string)[];
      readonly usage?: Usage;
      readonly extra?: JsonObject;
  }

  /** What a package says about the error codes that it makes; `docs/reference/errors.md` is generated from these entries. */
  export interface ErrorEntry {
      /**
       * HTTP status towards the client. `none`: no client sees it; it stands in the log, a plugin's status or the program's last
       * message. `various`: whoever caused it states the status.
       */
      readonly status: number | 'none' | 'various';
      /** One sentence: what happened. */
      readonly cause: string;
      /** One sentence: what to do about it. */
      readonly remedy: string;
  }
  /** Code -> entry. Every code that a package makes is in its catalogue, once; a test compares them with the source. */
  export type ErrorCatalogue = Readonly<Record<string, ErrorEntry>>;

  /** The codes that the error classes of this package carry themselves. */
  export const sdkErrorCodes: {
      readonly BF_CONFIG_INVALID: {
          readonly status: 'none';
          readonly cause: 'The configuration is wrong; each line of the message names the JSON path, what was expected and what was given.';
          readonly remedy: 'Correct the paths that are named; the program ends with exit code 2 and starts nothing until all are right.';
      };
  };
  /** A code of this package's own catalogue. */
  export type SdkErrorCode = keyof typeof sdkErrorCodes;

  /** Errors that cross a package border. One root; a marker instead of `instanceof`, as two copies of this package may be loaded. */
  const marker: unique symbol;
  /** Who caused it, which decides the status and whether another attempt may help. */
  export type ErrorOrigin = 'caller' | 'gateway' | 'provider' | 'plugin';
  /** An error as plain data: what a plugin sees, what a dialect renders. */
  export interface ErrorInfo {
      /** HTTP status towards the client. */
      readonly statusCode: number;
      /** What was given, what was expected, how to fix it. Never a key, a prompt or a stack. */
      readonly message: string;
      /** `BF_AREA_REASON` for errors made here, the provider's own code otherwise. */
      readonly code?: string;
      /** The provider's or dialect's error type, e.g. `rate_limit_error`. */
      readonly type?: string;
      /** The request field at fault. */
      readonly param?: string;
      readonly origin: ErrorOrigin;
      /** The provider that answered, when one did. */
      readonly provider?: string;
      readonly model?: string;
      /** Whether a fallback may be tried: false forbids it, true or absent allows it. */
      readonly allowFallbacks?: boolean;
      /** Seconds to wait before another try, as the provider stated it. */
      readonly retryAfterSeconds?: number;
      /** The provider's own error body, for a caller of the same dialect. */
      readonly upstreamBody?: JsonObject;
  }
  /** What an error says beside its message. */
  export interface GatewayErrorOptions {
      readonly code: string;
      readonly statusCode: number;
      readonly origin?: ErrorOrigin;
      readonly type?: string;
      readonly param?: string;
      /** Whether the same request may be right at another time. @default false */
      readonly isRetryable?: boolean;
      readonly cause?: unknown;
      readonly data?: JsonObject;
      readonly info?: Partial<ErrorInfo>;
  }
  /** The root of all errors thrown on purpose. */
  export class GatewayError extends Error {
      #private;
      readonly [marker] = true;
      readonly code: string;
      readonly statusCode: number;
      readonly origin: ErrorOrigin;
      readonly isRetryable: boolean;
      readonly data: JsonObject | undefined;
      constructor(message: string, options: GatewayErrorOptions);
      /** The error as plain data. */
      toInfo(): ErrorInfo;
      /** True for any copy's GatewayError. */
      static isInstance(value: unknown): value is GatewayError;
  }
  /** The caller's request cannot be served as it stands: 4xx. */
  export class InvalidRequestError extends GatewayError {
      constructor(message: string, options: Omit<GatewayErrorOptions, 'statusCode' | 'origin'> & {
          readonly statusCode?: number;
      });
  }
  /** The configuration is wrong; `path` is where (JSON path such as `providers.openai.keys[0].weight`). */
  export class ConfigError extends GatewayError {
      readonly path: string;
      constructor(path: string, message: string, options?: {
          readonly cause?: unknown;
      });
  }
  /** A plugin could not be loaded or broke its contract. */
  export class PluginError extends GatewayError {
      readonly plugin: string;
      constructor(plugin: string, message: string, options: {
          readonly code: string;
          readonly cause?: unknown;
      });
  }

  /** What a request's plugins decided: made for requests with the header `x-bf-explain: true`. Plain data. */
  /** One step of a change, as in RFC 6902. Long texts are cut; bytes are told by their length and digest; credentials are left out. */
  export interface ValueChange {
      readonly op: 'add' | 'remove' | 'replace';
      /** JSON pointer (RFC 6901) into what the hook was shown. */
      readonly path: string;
      readonly value?: Json;
  }
  /**
   * What became of a hook: `unchanged` and `changed` go on; `response`, `stream` and `error` ended the pass with an answer; `failed`
   * broke its contract and was passed over; `denied` broke it and the request was refused for it; `skipped` was not called.
   */
  export type HookDecision = 'unchanged' | 'changed' | 'response' | 'stream' | 'error' | 'failed' | 'denied' | 'skipped';
  /** One call of one hook, or several in a row of a stream that changed nothing. */
  export interface ExplainedCall {
      readonly plugin: string;
      readonly hook: string;
      /** From 0, counting every try of a provider with a key; absent before the first. */
      readonly attempt?: number;
      readonly decision: HookDecision;
      /** Why it was skipped (`filter`, `disabled`, `breaker`, `policy`) or how it failed. For operators. */
      readonly reason?: string;
      /** What it changed; at most 32 steps. */
      readonly changes?: readonly ValueChange[];
      readonly calls: number;
      /** Microseconds, all calls together. */
      readonly timeUs: number;
  }
  /** The first 200 calls of a request, in order. */
  export interface Explanation {
      readonly calls: readonly ExplainedCall[];
      /** Calls beyond the first 200. */
      readonly leftOut: number;
  }

  /**
   * Freezes plain data to its depth and returns it: what the host does to hook inputs in development, and a plugin's own tests
   * should do. Byte arrays cannot be frozen and stay as they are; class instances are left alone.
   */
  export function deepFreeze<Value>(value: Value): Value;

  /** What a plugin is given beside the value that a hook works on: facts, its configuration, a log, per-request values. */
  /** Facts about the request that no plugin can change. Later hooks may see more of them than earlier ones. */
  export interface RequestFacts {
      /** Of the whole request, fallbacks included; on the answer as `x-request-id`. */
      readonly requestId: string;
      /** `chat_completion`, `responses`, `embedding`, ... as in Bifrost's `request_type`. */
      readonly requestType: string;
      readonly method: string;
      /** Without the query. */
      readonly path: string;
      /** True where the client asked for a stream. */
      readonly isStream: boolean;
      /** Present once routing has chosen. */
      readonly provider?: string;
      /** Present once routing has chosen. */
      readonly model?: string;
      /** 0 for the primary, 1 for the first fallback, ... */
      readonly fallbackIndex?: number;
  }
  /** A log whose lines carry the plugin's name, and in a hook the request id. It never throws. */
  export interface PluginLog {
      debug(message: string, fields?: JsonObject): void;
      info(message: string, fields?: JsonObject): void;
      warn(message: string, fields?: JsonObject): void;
      error(message: string, fields?: JsonObject): void;
  }
  /**
   * State that all instances of a plugin share: across serving threads, and across reloads of the plugin. In `process` and `grpc`
   * isolation a plugin has one instance, whose state begins anew with it. Bounded: 1,024 counters, 256 values, 64 KiB in all.
   */
  export interface SharedState {
      /** Adds `by` (default 1, an integer) to a counter that begins at 0, and returns its new value. Atomic. */
      add(counter: string, by?: number): number;
      /** Undefined when nobody has set it. A copy. */
      get(key: string): Json | undefined;
      /** The last writer wins. Undefined removes. Throws `BF_PLUGIN_SHARED_FULL` where it does not fit any more. */
      set(key: string, value: Json | undefined): void;
  }
  /**
   * What every hook gets first. One per request and plugin. Use it only until the hook has returned (or its promise settled):
   * after the hook's deadline its `signal` is aborted and what the late code writes is seen by nobody.
   */
  export interface HookContext<Config = JsonObject> {
      /** What is known of the request, as far as it has come. */
      readonly facts: RequestFacts;
      /** What `configSchema` made of the entry's `config`; the plain `config` where the plugin has no schema. */
      readonly config: Config;
      /** Aborted when the client has gone or the hook's deadline has passed. In `inject`: at the deadline only. */
      readonly signal: AbortSignal;
      /** Lines of it carry the plugin's name and the request id. */
      readonly log: PluginLog;
      /** This plugin's own values for this request, from its first hook to `inject`; other plugins do not see them. */
      readonly state: Map<string, Json>;
      /**
       * A value that a plugin of this request has set. `key` alone is this plugin's own, `plugin/key` another's.
       * Undefined when nobody has set it.
       */
      getValue(key: string): Json | undefined;
      /**
       * Sets a value that all plugins of this request can read as `plugin/key`, where `plugin` is this plugin's name.
       * Throws `BF_PLUGIN_VALUE_KEY` for a key that contains `/` and does not begin with this plugin's own name, `BF_PLUGIN_VALUE_WRONG` for
       * what is no JSON.
       */
      setValue(key: string, value: Json): void;
      /** What all instances of the plugin share, across threads and reloads. */
      readonly shared: SharedState;
      /** What the gateway's catalogue knows of a model; undefined where it knows nothing. Default: the model of this request. */
      getModelInfo(provider?: string, model?: string): ModelInfo | undefined;
      /** Cost of `usage` at the price of this request's model, in nano-dollars (1e-9 USD); undefined where the price is unknown. */
      calculateCost(usage: Usage): number | undefined;
      /** Puts a fact on the request's trace, as `plugin/key`. */
      setTraceAttribute(key: string, value: Json): void;
      /** Says on the request's trace why it goes where it goes. */
      addRoutingNote(message: string): void;
  }
  /** What `init` and `cleanup` get. */
  export interface PluginContext<Config = JsonObject> {
      /** The entry's name in `config.json`. */
      readonly name: string;
      /** What the schema made of the entry's `config`; as it was written where there is none. */
      readonly config: Config;
      /** Lines of it carry the plugin's name. */
      readonly log: PluginLog;
      /** Aborted when `init` or `cleanup` has passed its deadline. */
      readonly signal: AbortSignal;
      /** What all instances of the plugin share, across threads and reloads. */
      readonly shared: SharedState;
  }

  /** What each hook is given and what it may return. Inputs are deeply read-only plain data. */
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
  export type StreamChunkResult = {
      readonly data: string;
      readonly event?: string;
  } | {
      readonly error: ErrorInfo;
  } | null;
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

  /** The hooks: their handlers, their options, their names. Names are Bifrost's in camelCase. */
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
  export type OnError = 'continue' | 'deny' | 'skip' | {
      readonly disableAfter: number;
  };
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
  export type ChunkMode = 'each' | 'sentence' | 'tool-call' | 'end' | {
      readonly afterMs?: number;
      readonly afterBytes?: number;
  };
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
      httpTransportPreAuthHook(context: HookContext<Config>, request: HttpRequest): MaybePromise<HttpPreResult | undefined | void>;
      /** @kind sequential, first; once per request, forward. */
      httpTransportPreHook(context: HookContext<Config>, request: HttpRequest): MaybePromise<HttpPreResult | undefined | void>;
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
      streamEventHook(context: HookContext<Config>, event: StreamEvent): MaybePromise<readonly StreamEvent[] | undefined | void>;
      /** @kind sequential; before the head of the answer is committed, reverse; on streams too. */
      httpTransportResponseHeadersHook(context: HookContext<Config>, head: HttpResponseHead): MaybePromise<ResponseHeadersResult | undefined | void>;
      /** @kind sequential; each event of a stream just before it is written, reverse. */
      httpTransportStreamChunkHook(context: HookContext<Config>, chunk: StreamChunk): MaybePromise<StreamChunkResult | undefined | void>;
      /** @kind sequential; once per request with its whole answer, reverse; not on streams. */
      httpTransportPostHook(context: HookContext<Config>, response: HttpResponse): MaybePromise<HttpPostResult | undefined | void>;
      /** @kind sequential, first; every call to an MCP server, forward. */
      preMCPHook(context: HookContext<Config>, request: MCPRequest): MaybePromise<PreMCPResult | undefined | void>;
      /** @kind sequential; every answer of an MCP server, reverse. */
      postMCPHook(context: HookContext<Config>, outcome: MCPOutcome): MaybePromise<PostMCPResult | undefined | void>;
      /** @kind sequential, first; once for each connection of an MCP client, forward. */
      preMCPConnectionHook(context: HookContext<Config>, request: MCPConnectRequest): MaybePromise<PreMCPConnectionResult | undefined | void>;
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
  export const hookNames: readonly ["httpTransportPreAuthHook", "httpTransportPreHook", "preRequestHook", "preLLMHook", "postLLMHook", "streamEventHook", "httpTransportResponseHeadersHook", "httpTransportStreamChunkHook", "httpTransportPostHook", "preMCPHook", "postMCPHook", "preMCPConnectionHook", "postMCPConnectionHook", "inject"];
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
  export type Hook<Handler, Name extends HookName = HookName, Config = never> = Handler | HookObject<Handler, Name, Config>;
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

  /** HTTP values as hooks see them: plain data, header names in lower case, every value kept. */
  export type HeaderMap = Readonly<Record<string, string | readonly string[]>>;
  /** A caller's request, before it is known what it asks of a model. */
  export interface HttpRequest {
      readonly method: string;
      /** Decoded and normalised once, without the query. */
      readonly path: string;
      readonly query: Readonly<Record<string, string | readonly string[]>>;
      /** By lower-case name; `headerValue(headers, name)` reads one. */
      readonly headers: HeaderMap;
      /** The body's bytes; present only for hooks that declare `reads: 'body'`. */
      readonly body?: Uint8Array;
  }
  /** A whole answer: one that a hook gives in the place of the gateway's, or the gateway's as `httpTransportPostHook` sees it. */
  export interface HttpResponse {
      readonly statusCode: number;
      readonly headers: HeaderMap;
      readonly body?: Uint8Array | string;
  }
  /** Status and headers of an answer whose body is not shown. */
  export interface HttpResponseHead {
      readonly statusCode: number;
      readonly headers: HeaderMap;
  }
  /** The first value of a header, whatever the case of `name`; undefined when absent. */
  export function headerValue(headers: HeaderMap, name: string): string | undefined;

  /** A JSON value as `JSON.parse` returns it. */
  export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
  /** A JSON object. Keys that were absent are absent, never `undefined`, once encoded. */
  export interface JsonObject {
      readonly [key: string]: Json | undefined;
  }
  /** True for a plain JSON object: not null, not an array. */
  export function isJsonObject(value: unknown): value is JsonObject;

  /**
   * What a plugin says of itself without being run: `bifrost-plugin.json` beside the artefact, or the `bifrost` member of an npm
   * package's `package.json`. The host reads it before any code of the plugin, so a plugin that must not run never does.
   */
  /** The file that a plugin's folder is known by. */
  export const manifestFileName = "bifrost-plugin.json";
  /**
   * What an artefact is. `module`: TypeScript or JavaScript; `wasm`: WebAssembly; `native`: a shared library with the C ABI of
   * `bifrost_plugin.h`; `node-addon`: a Node-API `.node`; `grpc`: a program, or a remote address, that speaks `bifrost_plugin.proto`.
   */
  export type ArtefactKind = 'module' | 'wasm' | 'native' | 'node-addon' | 'grpc';
  /**
   * What a plugin needs of the machine: stated in the manifest, granted by the operator in the entry's `capabilities`. Enforced in
   * `process` isolation (and for wasm in every isolation); elsewhere a plugin is trusted code, and the statement is documentation.
   */
  export interface PluginCapabilities {
      /** Files and folders, absolute or relative to the plugin's folder. A folder ends in `/` and includes all below it. */
      readonly fs?: {
          readonly read?: readonly string[];
          readonly write?: readonly string[];
      };
      /** `host` or `host:port`, `*.example.com` for all below a domain. */
      readonly net?: readonly string[];
      /** Names of environment variables that the plugin may see. */
      readonly env?: readonly string[];
      readonly childProcess?: boolean;
      readonly workerThreads?: boolean;
      /** Native add-ons and `node:ffi`. */
      readonly native?: boolean;
      readonly sqlite?: boolean;
  }
  /** A plugin's manifest. */
  export interface PluginManifest {
      /** Letters, digits, `.`, `_` and `-`. */
      readonly name: string;
      /** Semantic version of the plugin. */
      readonly version: string;
      /** The plugin API that it was written for: `1`, `1.1`, or a range `>=1.0 <2`. See `isApiSupported`. */
      readonly api: string;
      /** The artefact, relative to the manifest; for `grpc` the program. */
      readonly main: string;
      /** @default by the file's extension */
      readonly kind?: ArtefactKind;
      readonly description?: string;
      readonly license?: string;
      readonly homepage?: string;
      /** `os-arch` or `os-arch-libc`, each part a name as Node has it or `*`: `linux-x64-glibc`, `linux-*-musl`. Absent: any. */
      readonly platforms?: readonly string[];
      /** JSON Schema (2020-12) of the entry's `config`. Fields with `"secret": true` are masked wherever the config is shown. */
      readonly configSchema?: JsonObject;
      readonly capabilities?: PluginCapabilities;
      /** `sha256-` and the base64 digest of `main`, as in Subresource Integrity. */
      readonly integrity?: string;
      /**
       * The same of every other file of the folder, by its path with `/`: then no other file may be there. Written by `bifrost plugin
       * sign`, as a signature has to bind all that the plugin may load.
       */
      readonly files?: Readonly<Record<string, string>>;
      /** Ed25519 over the manifest without this member (RFC 8785 form), base64, with the key's name. */
      readonly signature?: {
          readonly keyId: string;
          readonly ed25519: string;
      };
      /** A guard may deny and fails closed. For artefacts that cannot say so themselves. */
      readonly guard?: boolean;
      /** Options of hooks, for artefacts that cannot state them in code (wasm, native, grpc). */
      readonly hooks?: {
          readonly [Name in HookName]?: HookOptionsData;
      };
      /** Stamped by `bifrost plugin build`: ISO 8601 time and what built it. */
      readonly build?: {
          readonly time?: string;
          readonly commit?: string;
          readonly tool?: string;
      };
  }

  /** What MCP hooks are given and may return: one envelope of the Model Context Protocol, or the bringing up of a connection. */
  /** One call to an MCP server. */
  export interface MCPRequest {
      /** The client's name in `mcp.client_configs`. */
      readonly client: string;
      readonly method: 'ping' | 'tools/list' | 'tools/call';
      /** Of `tools/call`: the tool's name as the server has it. */
      readonly tool?: string;
      readonly arguments?: JsonObject;
  }
  /** The answer to an MCPRequest: `result` as the server sent it, or an error. */
  export interface MCPOutcome {
      readonly request: MCPRequest;
      readonly result?: Json;
      readonly error?: ErrorInfo;
      readonly latencyMs: number;
  }
  /** A change or a short-circuit by `preMCPHook`: at most one of the members. */
  export interface PreMCPResult {
      readonly arguments?: JsonObject;
      /** Answer now; the server is not called. */
      readonly result?: Json;
      readonly error?: ErrorInfo;
  }
  /** A change by `postMCPHook`: a result on an error recovers it, an error on a result invalidates it; error wins. */
  export interface PostMCPResult {
      readonly result?: Json;
      readonly error?: ErrorInfo;
  }
  /** The transport of an MCP client that is about to be brought up. */
  export interface MCPConnectRequest {
      readonly client: string;
      readonly connectionType: 'http' | 'sse' | 'stdio' | 'inprocess';
      readonly connectionString?: string;
      readonly headers?: HeaderMap;
      readonly stdioCommand?: string;
      readonly stdioArgs?: readonly string[];
  }
  /** A change by `preMCPConnectionHook`; `error` keeps the connection from being made. Header changes do not reach stdio. */
  export interface PreMCPConnectionResult {
      readonly connectionString?: string;
      readonly headers?: Readonly<Record<string, string | null>>;
      readonly stdioCommand?: string;
      readonly stdioArgs?: readonly string[];
      readonly error?: ErrorInfo;
  }
  /** What the server said of itself in the handshake, or why there was none. */
  export interface MCPConnectOutcome {
      readonly client: string;
      readonly serverInfo?: JsonObject;
      readonly capabilities?: JsonObject;
      readonly error?: ErrorInfo;
  }

  /** What the gateway's catalogue knows of a model: limits and prices. */
  /** Prices in nano-dollars (1e-9 USD) per token: 3 USD per million tokens is 3000. Absent: unknown, not free. */
  export interface ModelPrices {
      readonly inputUsdNano?: number;
      readonly cacheReadUsdNano?: number;
      readonly cacheWriteUsdNano?: number;
      readonly cacheWrite1hUsdNano?: number;
      readonly outputUsdNano?: number;
      /** @default outputUsdNano */
      readonly reasoningUsdNano?: number;
      readonly inputAudioUsdNano?: number;
      readonly outputAudioUsdNano?: number;
      readonly inputImageUsdNano?: number;
      readonly outputImageUsdNano?: number;
  }
  /** One model of one provider; what the catalogue does not know is absent. */
  export interface ModelInfo {
      readonly provider: string;
      readonly model: string;
      /** Tokens. */
      readonly contextWindow?: number;
      readonly maxOutputTokens?: number;
      readonly prices?: ModelPrices;
  }
  /**
   * The cost of `usage` at `prices`, in nano-dollars. Undefined where a bucket was used whose price is unknown, and where no
   * bucket is known at all: an unknown cost is not 0.
   */
  export function costOf(usage: Usage, prices: ModelPrices): number | undefined;

  /**
   * The plugin contract. Inputs are deeply read-only plain data; a change is a returned value, `undefined` means "unchanged",
   * so a plugin that throws leaves the value before it in place.
   */
  /** A validator in the shape of Standard Schema (https://standardschema.dev): zod, valibot, arktype and others have it. */
  export interface ConfigSchema<Config> {
      readonly '~standard': {
          readonly version: 1;
          readonly vendor: string;
          validate(value: unknown): MaybePromise<{
              readonly value: Config;
              readonly issues?: undefined;
          } | {
              readonly issues: readonly {
                  readonly message: string;
                  readonly path?: readonly unknown[] | undefined;
              }[];
          }>;
          readonly types?: {
              readonly input: unknown;
              readonly output: Config;
          } | undefined;
      };
  }
  /** What a plugin says of itself, and its life cycle. */
  export interface PluginBase<Config = JsonObject> {
      /** Letters, digits, `.`, `_` and `-`; the entry in `config.json` may give an instance another name. */
      readonly name: string;
      readonly version?: string;
      /** The plugin API this was written for, `v1` or a range such as `>=1.1 <2`. @default 'v1' */
      readonly apiVersion?: string;
      /** A guard may deny, and fails closed: a failing hook refuses the request instead of letting it pass. @default false */
      readonly guard?: boolean;
      /** Checks the entry's `config` before `init`; its output is `ctx.config`. Absent: `config` is passed as it stands. */
      readonly configSchema?: ConfigSchema<Config>;
      /** Once per instance (one for each serving thread), before the first hook. To throw or reject refuses the plugin. */
      init?(context: PluginContext<Config>): MaybePromise<void>;
      /** Once per instance whose `init` succeeded, after the last request that began with it; last loaded first. */
      cleanup?(context: PluginContext<Config>): MaybePromise<void>;
      /** What is stored in the place of the entry's `config` (a secret replaced by a reference, say). Not a hook: no request runs it. */
      marshalConfigForStorage?(config: JsonObject): MaybePromise<JsonObject>;
      /** What the admin API shows in the place of the entry's `config`. To throw shows nothing of it. */
      redactConfig?(config: JsonObject): MaybePromise<JsonObject>;
  }
  /** A plugin: the default export of its module. */
  export type Plugin<Config = JsonObject> = PluginBase<Config> & {
      readonly [Name in HookName]?: Hook<HookHandlers<Config>[Name], Name, Config>;
  };
  /** Gives a plugin's author completion and type errors, `config` typed by `configSchema`; returns its argument. */
  export function definePlugin<Config = JsonObject>(plugin: Plugin<Config>): Plugin<Config>;

  /** The canonical stream: typed events, grouped in frames (one frame = what one wire event said). */
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
  export type StreamEvent = {
      readonly type: 'response-start';
      readonly id?: string;
      readonly model?: string;
      readonly createdAt?: number;
  } | (PartEvent & {
      readonly type: 'text-start';
  }) | (PartEvent & {
      readonly type: 'text-delta';
      readonly text: string;
      readonly logprobs?: readonly TokenLogprob[];
  })
  /** `signature`: a provider's proof that came with the text (Gemini). */
   | (PartEvent & {
      readonly type: 'text-end';
      readonly signature?: string;
  }) | (PartEvent & {
      readonly type: 'refusal-start';
  }) | (PartEvent & {
      readonly type: 'refusal-delta';
      readonly text: string;
  }) | (PartEvent & {
      readonly type: 'refusal-end';
  }) | (PartEvent & {
      readonly type: 'reasoning-start';
      readonly id?: string;
      readonly isSummary?: boolean;
  }) | (PartEvent & {
      readonly type: 'reasoning-delta';
      readonly text: string;
  }) | (PartEvent & {
      readonly type: 'reasoning-end';
      readonly signature?: string;
      readonly encrypted?: string;
      readonly origin?: DialectName;
  }) | (PartEvent & {
      readonly type: 'tool-call-start';
      readonly id: string;
      readonly name: string;
      readonly isFreeform?: boolean;
      /** A provider's proof of the call, where it is known before the call's end; that repeats it. */
      readonly signature?: string;
  }) | (PartEvent & {
      readonly type: 'tool-call-delta';
      readonly argumentsDelta: string;
  }) | (PartEvent & {
      readonly type: 'tool-call-end';
      readonly signature?: string;
  })
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
  }) | (PartEvent & {
      readonly type: 'citation';
      readonly citation: Citation;
  })
  /** A tool that the provider runs, or anything else without a name here: only its own dialect can write it. */
   | {
      readonly type: 'server-tool';
      readonly dialect: DialectName;
      readonly name: string;
      readonly value: Json;
      readonly candidate?: number;
  } | {
      readonly type: 'opaque';
      readonly dialect: DialectName;
      readonly value: Json;
      readonly candidate?: number;
  }
  /** Totals so far: a later event replaces an earlier one bucket by bucket, nothing is summed. */
   | {
      readonly type: 'usage';
      readonly usage: Usage;
  } | {
      readonly type: 'finish';
      readonly candidate?: number;
      readonly reason: FinishReason;
  } | {
      readonly type: 'error';
      readonly error: ErrorInfo;
  };
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

  /**
   * Tokens of one response in disjoint buckets: no token is counted twice, so a price is a plain sum of products.
   * A bucket that the provider did not report is absent ("unknown"), which is not the same as 0.
   * Providers differ in what they include: OpenAI's `prompt_tokens` contains cached tokens, Anthropic's `input_tokens` does not.
   */
  export interface Usage {
      /** Fresh text input: neither read from nor written to a cache, neither audio nor image where those are reported. */
      readonly inputTokens?: number;
      /** Input read from the provider's prompt cache. */
      readonly cacheReadTokens?: number;
      /** Input written to the cache with the short life time (Anthropic: 5 minutes), or with an unstated one. */
      readonly cacheWriteTokens?: number;
      /** Input written to the cache for one hour (Anthropic). */
      readonly cacheWrite1hTokens?: number;
      /** Visible output: text and tool calls. Holds the reasoning too where the provider does not separate it. */
      readonly outputTokens?: number;
      /** Hidden or shown reasoning, where the provider counts it apart. */
      readonly reasoningTokens?: number;
      readonly inputAudioTokens?: number;
      readonly outputAudioTokens?: number;
      readonly inputImageTokens?: number;
      readonly outputImageTokens?: number;
      /** Input tokens spent on server-side tool use, where counted apart (Gemini `toolUsePromptTokenCount`). */
      readonly toolUseInputTokens?: number;
      /** The provider's own total, when it states one. */
      readonly totalTokens?: number;
  }
  /** All input tokens, or undefined when no input bucket is known. OpenAI's `prompt_tokens`. */
  export function totalInputTokens(usage: Usage): number | undefined;
  /** All output tokens, or undefined when no output bucket is known. OpenAI's `completion_tokens`. */
  export function totalOutputTokens(usage: Usage): number | undefined;

  export {};
}
