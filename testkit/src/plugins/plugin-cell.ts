/** What the conformance kit needs of a host: a way to load the plugin, once for each isolation that it may run in. */
import type { PluginInstance } from '@bifrost/core';
import type { HookName } from '@bifrost/sdk';

/** One instance of the plugin; its `init` has succeeded. */
export interface PluginUnderTest {
  readonly instance: PluginInstance;
  readonly hooks: readonly HookName[];
  /** Failures of work that the plugin left running, so far. */
  escapes(): readonly string[];
  /** Runs `cleanup`. Resolves with what went wrong in it, if anything did. */
  close(): Promise<string | undefined>;
}

/** One isolation of the plugin. */
export interface PluginCell {
  /** `inline`, `worker`, `process`, ... */
  readonly isolation: string;
  /** Loads a new instance beside those that live. Rejects with what the host says. */
  load(): Promise<PluginUnderTest>;
}
