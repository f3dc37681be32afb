import type { ClientConfig, ProviderConfig } from '@bifrost/core';
import type { JsonObject, ModelInfo } from '@bifrost/sdk';
import type { PluginEntry } from '../plugins/plugin-entry.ts';
import type { PluginSupply } from './plugin-trust-schema.ts';

/** Something worth a log line that does not keep the gateway from starting. */
export interface ConfigNote {
  readonly level: 'info' | 'warn';
  readonly message: string;
}

/** Whether a caller of inference has to present the inference key. */
export interface InferenceAccess {
  /** `beyond-loopback`: where the gateway can be reached from other machines. */
  readonly keyRequired: 'always' | 'beyond-loopback' | 'never';
  /** The key, where the configuration gives it; else it comes from the environment or is made. */
  readonly key?: string;
}

/** Configuration as the gateway runs on it. All of it can be posted to a thread (structured clone). */
export interface LoadedConfig {
  /** The file, or `the environment` where there is none. */
  readonly source: string;
  /** Relative plugin paths start here: the folder of the file, or the working directory. */
  readonly directory: string;
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  readonly client: ClientConfig;
  /** Request headers that a browser's script may send beside the usual ones (`client.allowed_headers`). */
  readonly allowedHeaders: readonly string[];
  readonly inferenceAccess: InferenceAccess;
  /** Entries of `plugins` whose code is not built in, in order; disabled ones too. */
  readonly plugins: readonly PluginEntry[];
  /** The same entries as they stand in the file, with their references; those that are not built in too. */
  readonly pluginFiles: readonly JsonObject[];
  /** Whose plugins are taken, and from where. */
  readonly pluginTrust: PluginSupply;
  /** What is known of the models of the configured providers. */
  readonly models: readonly ModelInfo[];
  readonly notes: readonly ConfigNote[];
}
