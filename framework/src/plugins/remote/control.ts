/** What the supervisor and a runner say to each other, beside the channels of the serving threads. Plain data, JSON alike. */
import type { JsonObject, ModelInfo } from '@bifrost/sdk';
import type { LogLevel } from '@bifrost/core';
import type { ConfigViewName } from '../config-view.ts';
import type { PluginEntry } from '../plugin-entry.ts';
import type { ResolvedArtefact } from '../plugin-plan.ts';
import type { PluginDescription } from './remote-plugin.ts';

/** Everything that a runner needs to load its plugin. */
export interface RunnerStart {
  readonly entry: PluginEntry;
  readonly artefact: ResolvedArtefact;
  /** Unique among the loads of the gateway. */
  readonly generation: string;
  readonly initTimeoutMs: number;
  readonly cleanupTimeoutMs: number;
  readonly areInputsFrozen: boolean;
  /** The gateway's catalogue as it is now; what is missing in it is learnt from the requests' own models. */
  readonly models?: readonly ModelInfo[];
  /** Longest message to a serving thread, in bytes. */
  readonly maxMessageBytes: number;
}

/** What a plugin is doing that may block its realm: decides how long it may. */
export type RunnerStage = 'module' | 'init' | 'hooks' | 'cleanup';

/** Bytes of a channel that goes through the control connection, in `body`; none: its end. */
export interface TunnelledBytes {
  readonly kind: 'tunnel';
  readonly channel: number;
  readonly input: { readonly body?: Uint8Array };
}

export type ToRunner =
  | { readonly kind: 'start'; readonly start: RunnerStart }
  /** A channel for a serving thread: its port, or its descriptor, comes with it. */
  | { readonly kind: 'open'; readonly channel: number; readonly isTunnelled?: boolean }
  | TunnelledBytes
  | { readonly kind: 'ping'; readonly ping: number }
  | { readonly kind: 'models'; readonly models: readonly ModelInfo[] }
  /** The answer to `connect`; without an error the connection's descriptor comes with it. */
  | { readonly kind: 'connected'; readonly connection: number; readonly error?: { code: string; message: string } }
  /** What is stored, or shown, of a config? Answered with `viewed`. */
  | { readonly kind: 'view'; readonly id: number; readonly view: ConfigViewName; readonly config: JsonObject }
  | { readonly kind: 'close' };

export type FromRunner =
  | { readonly kind: 'stage'; readonly stage: RunnerStage }
  | { readonly kind: 'ready'; readonly description: PluginDescription }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      /** What is known of it all the same. */
      readonly description?: PluginDescription;
    }
  | { readonly kind: 'viewed'; readonly id: number; readonly value?: JsonObject; readonly failure?: string }
  | { readonly kind: 'pong'; readonly ping: number }
  | { readonly kind: 'log'; readonly level: LogLevel; readonly message: string; readonly fields: JsonObject }
  /** Work that the plugin left running has failed. */
  | { readonly kind: 'escape'; readonly message: string }
  | TunnelledBytes
  /** The plugin wants a connection to this host. */
  | { readonly kind: 'connect'; readonly connection: number; readonly host: string; readonly port: number }
  | { readonly kind: 'closed' };
