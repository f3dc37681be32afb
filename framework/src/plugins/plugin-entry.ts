/** What the configuration says of a plugin, and what the host says of it. Plain, structured-cloneable data. */
import type { PluginPlacement } from '@bifrost/core';
import type { HookName, JsonObject } from '@bifrost/sdk';

/** One entry of `plugins[]` in `config.json`. */
export interface PluginEntry {
  /** Unique among the entries; letters, digits, `.`, `_`, `-`. */
  readonly name: string;
  /**
   * A file (`.ts`, `.mts`, `.js`, `.mjs`), a folder, or an npm package. Relative paths start at the config file's folder, then
   * at the working directory. Absent: a built-in plugin of that name.
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
}

/**
 * - `loading`: its module or its `init` is running;
 * - `active`: its hooks are called;
 * - `degraded`: active, but a hook's last calls all failed, or something it left running did;
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
  readonly hooks: readonly HookName[];
  readonly isGuard: boolean;
  readonly isRequired: boolean;
  readonly placement: PluginPlacement;
  readonly order: number;
  /** Milliseconds since 1970, and how long loading took. */
  readonly loadedAt?: number;
  readonly loadMs?: number;
  /** The generation that this instance belongs to. */
  readonly generation: number;
}

/** A plugin's name: what may stand in a log line, a URL and before the `/` of a value's key. */
export const pluginNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
