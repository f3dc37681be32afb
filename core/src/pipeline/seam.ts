/** The seam between the engine and whatever serves it (an HTTP server, a test, another program). */
import type { DialectName, GatewayError, RequestTrace } from '@bifrost/sdk';
import type { StoredBody } from '../body/stored-body.ts';
import type { ClientConfig, ProviderConfig } from '../config.ts';
import type { PluginChains } from '../plugins/chain.ts';

/** What the caller asked for, decided by the route table. */
export type RouteOperation = 'conversation' | 'embeddings' | 'count-tokens';

export interface InboundRoute {
  readonly operation: RouteOperation;
  /** The dialect that the client speaks; answers and errors wear it. */
  readonly dialect: DialectName;
  /** Bifrost's request type without the stream suffix: `chat_completion`, `text_completion`, `responses`, `embedding`, `count_tokens`. */
  readonly requestType: string;
  /** True below `/openai`, `/anthropic`, `/genai`: errors wear the SDK's own shape and no `extra_fields`. */
  readonly isDropIn: boolean;
  /** Provider of a bare model name on a drop-in route. */
  readonly defaultProvider?: string;
  /** Model and stream where the path carries them (Gemini). */
  readonly pathModel?: string;
  readonly pathStream?: boolean;
  /** Gemini: SSE only with `alt=sse`, else one JSON array. */
  readonly streamFraming?: 'sse' | 'json-array';
}

export interface InboundRequest {
  readonly requestId: string;
  readonly route: InboundRoute;
  readonly method: string;
  /** Normalised path without the query. */
  readonly path: string;
  /** The raw query, without `?`; empty when none. */
  readonly query: string;
  /** Names in lower case; repeated headers as arrays. Node's `req.headers` fits. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The whole body: held once, or stored where it can be read again. */
  readonly body: Buffer | StoredBody;
  /** `performance.now()` at arrival. */
  readonly startedAt: number;
  /**
   * Asked with the headers once the hooks before authentication have run: the error that the caller is refused with, if any.
   * Absent: the transport has let the caller in.
   */
  readonly authenticate?: (headers: InboundRequest['headers']) => GatewayError | undefined;
}

/** Where the engine writes the answer. Calls come in the order `head`, `write`*, `end`. */
export interface ResponseSink {
  /** True once the client has gone. */
  readonly isClosed: boolean;
  /** Called once when the client goes away before `end`. */
  onClose(listener: () => void): void;
  /** Commits status and headers. */
  head(statusCode: number, headers: Readonly<Record<string, string | readonly string[]>>): void;
  /** False when the client reads too slowly: wait for `onDrain` before the next write. */
  write(chunk: Uint8Array | string): boolean;
  onDrain(listener: () => void): void;
  end(chunk?: Uint8Array | string): void;
  /** Breaks the connection: the only honest end of a body whose rest is missing. */
  destroy(): void;
}

/** Told of every finished request; must not throw. */
export type TraceListener = (trace: RequestTrace) => void;

/** The engine: handles one request to its end. Resolves when the answer is out; never rejects. */
export interface Engine {
  handle(request: InboundRequest, sink: ResponseSink): Promise<void>;
  /** Swaps the configuration snapshot for new requests; those in flight end on the one they began with. */
  configure(snapshot: EngineSnapshot): void;
  /** Resolves when nothing is in flight: also no answer that is read on without its client. New requests are taken. */
  settled(): Promise<void>;
  /** As `settled`; new requests are refused with 503. */
  drain(): Promise<void>;
  /** Closes upstream connections. */
  close(): Promise<void>;
}

/** Everything a request needs to know of the configuration: immutable, structured-cloneable but for `plugins`. */
export interface EngineSnapshot {
  readonly version: number;
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  readonly client: ClientConfig;
  readonly plugins: PluginChains | null;
}
