/**
 * The canonical model: what every dialect is decoded to and encoded from, so that N client dialects and M provider
 * dialects need N + M codecs. Plain data, deeply read-only; `structuredClone` and JSON keep it whole.
 *
 * Every object that comes from a wire carries a `residue`: what its dialect said and the model has no name for. A codec of
 * the same dialect writes it back unchanged; a codec of another dialect reports it as dropped. It never reaches another wire.
 */
import type { Json, JsonObject } from './json.ts';
import type { Usage } from './usage.ts';

/** The wire formats of conversations. */
export type DialectName =
  | 'openai-chat'
  | 'openai-responses'
  | 'openai-completions'
  | 'anthropic-messages'
  | 'gemini-generate-content';

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
export type MediaSource =
  | { readonly type: 'base64'; readonly data: string }
  | { readonly type: 'url'; readonly url: string }
  | { readonly type: 'file-id'; readonly fileId: string }
  | { readonly type: 'text'; readonly text: string };

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
export type Part =
  | TextPart
  | MediaPart
  | ReasoningPart
  | ToolCallPart
  | ToolResultPart
  | RefusalPart
  | ServerToolPart
  | OpaquePart;

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
  readonly grammar?: { readonly syntax: string; readonly definition: string };
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
export type ToolChoice =
  | { readonly type: 'auto' | 'none' | 'required' }
  | { readonly type: 'tool'; readonly name: string }
  /** Required, but only among these (Gemini `allowedFunctionNames`, OpenAI `allowed_tools`). */
  | { readonly type: 'allowed'; readonly names: readonly string[]; readonly mode: 'auto' | 'required' };

/** The form that the answer's text has to have; where it is absent the model decides. */
export type ResponseFormat = Residual &
  (
    | { readonly type: 'text' }
    | { readonly type: 'json' }
    | {
        readonly type: 'json-schema';
        readonly name?: string;
        readonly description?: string;
        readonly schema: JsonObject;
        readonly strict?: boolean;
      }
  );

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
export type FinishReasonKind =
  | 'stop'
  | 'length'
  | 'tool-calls'
  | 'content-filter'
  | 'refusal'
  /** The provider paused a long server-tool turn; send the answer back to go on (Anthropic `pause_turn`). */
  | 'pause'
  | 'error'
  | 'other';

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
