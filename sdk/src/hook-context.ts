/** What a plugin is given beside the value that a hook works on: facts, its configuration, a log, per-request values. */
import type { Json, JsonObject } from './json.ts';

/** Facts about the request that no plugin can change. Later hooks may see more of them than earlier ones. */
export interface RequestFacts {
  readonly requestId: string;
  /** `chat_completion`, `responses`, `embedding`, ... as in Bifrost's `request_type`. */
  readonly requestType: string;
  readonly method: string;
  readonly path: string;
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
 * What every hook gets first. One per request and plugin. Use it only until the hook has returned (or its promise settled):
 * after the hook's deadline its `signal` is aborted and what the late code writes is seen by nobody.
 */
export interface HookContext<Config = JsonObject> {
  readonly facts: RequestFacts;
  /** What `configSchema` made of the entry's `config`; the plain `config` where the plugin has no schema. */
  readonly config: Config;
  /** Aborted when the client has gone or the hook's deadline has passed. In `inject`: at the deadline only. */
  readonly signal: AbortSignal;
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
   * Throws `BF_PLUGIN_VALUE_KEY` for a key that contains `/` and does not begin with this plugin's own name.
   */
  setValue(key: string, value: Json): void;
}

/** What `init` and `cleanup` get. */
export interface PluginContext<Config = JsonObject> {
  /** The entry's name in `config.json`. */
  readonly name: string;
  readonly config: Config;
  readonly log: PluginLog;
  /** Aborted when `init` or `cleanup` has passed its deadline. */
  readonly signal: AbortSignal;
}
