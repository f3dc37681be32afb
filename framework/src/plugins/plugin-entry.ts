/** What the configuration says of a plugin, and what the host says of it. Plain, structured-cloneable data. */
import type { BreakerOptions, PluginPlacement } from '@bifrost/core';
import type { HookName, JsonObject, OnError, PluginCapabilities } from '@bifrost/sdk';

/**
 * Where a plugin runs: in the serving threads, in a thread of its own, in a process of its own, or as a program that speaks gRPC.
 */
export type PluginIsolation = 'inline' | 'worker' | 'process' | 'grpc';

/** When a new version of a plugin gives its place back to the one before it. */
export interface RollbackSettings {
  /** Share of failed calls, 0 to 1, above which it is rolled back. @default 0.5 */
  readonly failureRate?: number;
  /** Calls before the share counts. @default 20 */
  readonly minCalls?: number;
}

/** Files in PEM form, from the config file's folder on, of a connection to another machine. */
export interface GrpcTlsSettings {
  /** Authorities that the plugin's certificate may be of. @default the system's */
  readonly ca?: string;
  /** The gateway's own certificate and its key, for a plugin that asks for one. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that the plugin's certificate has. @default the address's host */
  readonly serverName?: string;
}

/** How a gRPC plugin is reached: at an address, or as a child process that is started. */
export interface GrpcSettings {
  /** `unix:/path` or `host:port`. */
  readonly address?: string;
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly tls?: GrpcTlsSettings;
}

/** One entry of `plugins[]` in `config.json`. */
export interface PluginEntry {
  /** Unique among the entries; letters, digits, `.`, `_`, `-`. */
  readonly name: string;
  /**
   * A file, a folder, an npm package, or an https URL with a digest. Relative paths start at the config file's folder, then at
   * the working directory. Absent: a built-in plugin of that name.
   */
  readonly path?: string;
  readonly enabled: boolean;
  readonly config?: JsonObject;
  /** `builtin` is kept for built-in plugins. @default 'post_builtin' */
  readonly placement?: PluginPlacement;
  /** Lower first within the placement group. @default 0 */
  readonly order?: number;
  /** The gateway does not start, or keeps its old plugins, while this one cannot be loaded. @default false */
  readonly required?: boolean;
  /**
   * `true`: the operator says that it is a guard, whatever it says of itself: it fails closed. `false`: that it is none, where it
   * cannot be loaded and says nothing of itself.
   */
  readonly guard?: boolean;
  /**
   * What becomes of requests where it cannot be loaded at the start. @default 'deny' for what is known to be a guard, else
   * 'continue'; where that is not known the gateway is not ready besides
   */
  readonly onLoadFailure?: 'deny' | 'continue';
  /** @default 'inline' */
  readonly isolation?: PluginIsolation;
  /** `thread`: one instance for each serving thread also in `worker`, `process` and `grpc`. @default 'plugin' */
  readonly instances?: 'plugin' | 'thread';
  /** Reload when the file, or one that it imports, changes. @default false */
  readonly watch?: boolean;
  /** Expected SHA-256 of the artefact: 64 hexadecimal digits. */
  readonly sha256?: string;
  /** Expected digest as in Subresource Integrity: `sha256-` and base64. */
  readonly integrity?: string;
  /** What the operator grants of what the manifest asks for. @default nothing */
  readonly capabilities?: PluginCapabilities;
  /** Bytes that a plugin outside the serving threads may use before it is ended; for wasm in every isolation. */
  readonly memoryLimitBytes?: number;
  /** Processors that a plugin outside the serving threads may use on average over 10 s before it is ended. @default any */
  readonly cpuLimit?: number;
  /** Deadline of every hook of the plugin, in the place of what its hooks declare. */
  readonly timeoutMs?: number;
  /** Failure policy of every hook of the plugin, in the place of what its hooks declare. */
  readonly onError?: OnError;
  /** False: none. @default the gateway's own settings */
  readonly breaker?: BreakerOptions | false;
  /** Milliseconds that the p99 of every hook, or of those named, may take before its failure policy applies. @default no limit */
  readonly budgetMs?: number | { readonly [Name in HookName]?: number };
  /** False: a new version stays, however it fails. */
  readonly rollback?: RollbackSettings | false;
  /** How long the version before is kept in reserve after a swap, in milliseconds; 0: not at all. @default 30000 */
  readonly probationMs?: number;
  /** `inject` calls that may be under way at once. @default 10000 */
  readonly injectConcurrency?: number;
  /** Deadline of `inject`. @default 5000 */
  readonly injectTimeoutMs?: number;
  readonly grpc?: GrpcSettings;
}

/**
 * - `loading`: its module or its `init` is running;
 * - `active`: its hooks are called;
 * - `degraded`: active, but a hook's last calls all failed, something it left running did, or a thread could not load it;
 * - `error`: not loaded, `message` says why;
 * - `disabled`: switched off by its entry, by `disableAfter`, or cleaned up;
 * - `draining`: replaced; requests that began with it are ending.
 */
export type PluginState = 'loading' | 'active' | 'degraded' | 'error' | 'disabled' | 'draining';

/** What the host knows of one entry. */
export interface PluginStatus {
  readonly name: string;
  /** The name that the plugin gives itself. */
  readonly actualName?: string;
  readonly version?: string;
  readonly state: PluginState;
  /** Why the state is what it is: the sentence for the log, the API and the UI. */
  readonly message?: string;
  /** `BF_PLUGIN_...`, where the state is `error`. */
  readonly code?: string;
  /** As the entry states it, and what it was resolved to. */
  readonly path?: string;
  readonly file?: string;
  /** Its own modules, the entry first, where it is made of modules and runs inline. */
  readonly files?: readonly string[];
  readonly hooks: readonly HookName[];
  readonly isGuard: boolean;
  readonly isRequired: boolean;
  /** Nobody knows whether the plugin that could not be loaded is a guard: the gateway is not ready. */
  readonly isKindUnknown?: true;
  readonly placement: PluginPlacement;
  readonly order: number;
  readonly isolation: PluginIsolation;
  /** Milliseconds since 1970, and how long loading took. */
  readonly loadedAt?: number;
  readonly loadMs?: number;
  /** The generation that this status is of. */
  readonly generation: number;
  /** Number of the load that the plugin's instances come from: another number is another instance. */
  readonly load: number;
}

/** A plugin's name: what may stand in a log line, a URL and before the `/` of a value's key. */
export const pluginNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
