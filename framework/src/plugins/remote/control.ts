/** What the supervisor and a runner say to each other, beside the channels of the serving threads. Plain data, JSON alike. */
import type { JsonObject, ModelInfo, PluginCapabilities, PluginManifest } from '@bifrost/sdk';
import type { ArtefactKind } from '@bifrost/sdk';
import type { LogLevel } from '@bifrost/core';
import type { PluginEntry } from '../plugin-entry.ts';
import type { PluginDescription } from './remote-plugin.ts';

/** Everything that a runner needs to load its plugin. */
export interface RunnerStart {
  readonly entry: PluginEntry;
  readonly artefact: RemoteArtefact;
  readonly generation: string;
  readonly grants: PluginCapabilities;
  readonly initTimeoutMs: number;
  readonly cleanupTimeoutMs: number;
  readonly areInputsFrozen: boolean;
  readonly maxMemoryBytes?: number;
  /** The gateway's catalogue as it is now; what is missing in it is learnt from the requests' own models. */
  readonly models?: readonly ModelInfo[];
  /** Longest message to a serving thread, in bytes. */
  readonly maxMessageBytes: number;
}

/** The artefact to run, as it was found and checked before. */
export interface RemoteArtefact {
  /** Absolute path. */
  readonly file: string;
  readonly kind: Exclude<ArtefactKind, 'grpc'>;
  readonly manifest?: PluginManifest;
}

/** What a plugin is doing that may block its realm: decides how long it may. */
export type RunnerStage = 'module' | 'init' | 'hooks' | 'cleanup';

export type ToRunner =
  | { readonly kind: 'start'; readonly start: RunnerStart }
  /** A channel for a serving thread: its port, or its descriptor, comes with it. */
  | { readonly kind: 'open'; readonly channel: number }
  /** A batch of a channel that has no descriptor, passed on by the supervisor. */
  | { readonly kind: 'relay'; readonly channel: number; readonly messages: readonly unknown[] }
  | { readonly kind: 'shut'; readonly channel: number }
  | { readonly kind: 'ping'; readonly ping: number }
  | { readonly kind: 'models'; readonly models: readonly ModelInfo[] }
  /** The answer to `connect`; without an error the connection's descriptor comes with it. */
  | { readonly kind: 'connected'; readonly connection: number; readonly error?: { code: string; message: string } }
  | { readonly kind: 'close' };

export type FromRunner =
  | { readonly kind: 'stage'; readonly stage: RunnerStage }
  | { readonly kind: 'ready'; readonly description: PluginDescription }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  | { readonly kind: 'pong'; readonly ping: number }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string; readonly fields: JsonObject }
  /** Work that the plugin left running has failed. */
  | { readonly kind: 'escape'; readonly message: string }
  | { readonly kind: 'relay'; readonly channel: number; readonly messages: readonly unknown[] }
  /** The plugin wants a connection to this host. */
  | { readonly kind: 'connect'; readonly connection: number; readonly host: string; readonly port: number }
  | { readonly kind: 'closed' };
