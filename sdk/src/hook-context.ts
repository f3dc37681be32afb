/** What a plugin is given beside the value that a hook works on: facts, its configuration, a log, per-request values. */
import type { Json, JsonObject } from './json.ts';
import type { ModelInfo } from './model-info.ts';
import type { Usage } from './usage.ts';

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
