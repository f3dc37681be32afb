/** Resolved configuration, as the engine uses it: references resolved, defaults filled in, provider definitions merged. */
import type { ProviderDefinition } from './providers/provider.ts';

export interface KeyConfig {
  readonly id: string;
  readonly name: string;
  /** The secret; empty for a keyless provider. */
  readonly value: string;
  /** Models this key may serve; `['*']` = all, empty = none (config version 2). Alias names count as model names. */
  readonly models: readonly string[];
  readonly blacklistedModels: readonly string[];
  /** >= 0; shares are proportional. */
  readonly weight: number;
  /** What the caller says -> what the provider is asked for; looked up case-insensitively, after key selection. */
  readonly aliases: Readonly<Record<string, string>>;
  readonly isEnabled: boolean;
  /** Per-key server address (vllm, ollama, sgl `*_key_config.url`). */
  readonly baseUrl?: string;
}

/** How fast a stream has to be. */
export interface ThroughputGuard {
  readonly minCharactersPerSecond: number;
  /** The beginning is held back for no longer than this to show its rate. */
  readonly probeWindowMs: number;
  /** After it: no span of this length may have been slower; 0: only the beginning counts. */
  readonly watchWindowMs: number;
}

/** What becomes of a provider's call whose client has gone. */
export type ClientDisconnectPolicy = 'cancel' | 'drain';

export interface NetworkConfig {
  readonly connectTimeoutMs: number;
  /** Until headers and first content (`default_request_timeout_in_seconds` overrides). @default 600000 */
  readonly firstContentTimeoutMs: number;
  /** @default 120000 */
  readonly streamIdleTimeoutMs: number;
  /** The request's own deadline over all attempts; 0 = none. Expiry answers 504. */
  readonly totalTimeoutMs: number;
  readonly maxRetries: number;
  readonly retryBackoffInitialMs: number;
  readonly retryBackoffMaxMs: number;
  /** Idle pooled connections are dropped after this. @default 30000 */
  readonly keepAliveTimeoutMs: number;
  readonly maxConnectionsPerHost: number;
  readonly extraHeaders: Readonly<Record<string, string>>;
  readonly isTlsVerificationOff: boolean;
  readonly caCertificatePem?: string;
  /** Private addresses (10/8, 192.168/16, ...) may be called. @default false; loopback always may, link-local never */
  readonly isPrivateNetworkAllowed?: boolean;
  /** Absent: a stream may be as slow as it likes. */
  readonly throughputGuard?: ThroughputGuard;
  /** When the client leaves: end the provider's call, or read its answer on for the usage. @default the definition's, else `cancel` */
  readonly onClientDisconnect?: ClientDisconnectPolicy;
  /** Limits of `drain`. @default 120000 */
  readonly drainTimeoutMs?: number;
  /** @default 16 MiB */
  readonly drainMaxBytes?: number;
}

export interface ProxyConfig {
  readonly type: 'none' | 'http' | 'socks5' | 'environment';
  readonly url?: string;
  readonly username?: string;
  readonly password?: string;
  readonly caCertificatePem?: string;
}

export interface ProviderConfig {
  readonly definition: ProviderDefinition;
  readonly keys: readonly KeyConfig[];
  readonly network: NetworkConfig;
  readonly proxy: ProxyConfig;
  /** Requests under way at once; further ones queue. */
  readonly concurrency: number;
  /** Requests that may wait; beyond it `dropExcessRequests` decides. */
  readonly queueSize: number;
  readonly isRawRequestSentBack: boolean;
  readonly isRawResponseSentBack: boolean;
  /** Custom providers: absent = all operations allowed. Bifrost's names: `chat_completion`, `chat_completion_stream`, ... */
  readonly allowedRequests?: readonly string[];
  /** Custom providers: request type -> path or absolute URL. */
  readonly requestPathOverrides?: Readonly<Record<string, string>>;
}

export interface ClientConfig {
  readonly dropExcessRequests: boolean;
  readonly maxRequestBodyBytes: number;
  /** Most bytes of request bodies that a process holds in memory; 0 = no bound. Absent: a quarter of the memory. */
  readonly maxRequestBytesInFlight?: number;
  readonly requiredHeaders: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly headerAllowlist: readonly string[];
  readonly headerDenylist: readonly string[];
  readonly isPerRequestRawOverrideAllowed: boolean;
  /** Seconds without content after which a stream is committed and kept alive with SSE comments; 0 = never. @default 15 */
  readonly keepAliveCommentSeconds: number;
}
