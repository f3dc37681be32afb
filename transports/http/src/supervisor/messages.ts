import type { ClientConfig, ProviderConfig } from '@bifrost/core';
import type { PluginEntry } from '@bifrost/framework/plugins';
import type { LogLevel } from '../logging/log-level.ts';
import type { LogRecord } from '../logging/logger.ts';
import type { MetricPart } from '../serving/metrics/metric-part.ts';

/** What a serving thread is born with. */
export interface ThreadStart {
  /** Number of the thread within the process; a replacement gets a new one. */
  readonly threadNumber: number;
  /** The one listening socket; the thread serves on a duplicate of it. */
  readonly listenDescriptor: number;
  readonly isLoopback: boolean;
  readonly logLevel: LogLevel;
  /** Int32: a counter that the thread raises while its event loop turns. */
  readonly heartbeat: SharedArrayBuffer;
  /** Int32: one of `processStates`. */
  readonly processState: SharedArrayBuffer;
  /** Module that exports `createEngine`. */
  readonly engineModule: string;
  readonly version: string;
}

/** The configuration as it is posted to a thread. */
export interface ThreadConfig {
  readonly version: number;
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  readonly client: ClientConfig;
  readonly allowedHeaders: readonly string[];
  readonly plugins: readonly PluginEntry[];
  readonly directory: string;
}

export const processStates = { starting: 0, ready: 1, draining: 2 } as const;

export type ToThread =
  | { readonly type: 'configure'; readonly config: ThreadConfig }
  /** Accept no more, end what is under way, then answer `drained`. */
  | { readonly type: 'drain' }
  | { readonly type: 'collect'; readonly id: number }
  | { readonly type: 'collected'; readonly id: number; readonly parts: readonly MetricPart[] };

export type FromThread =
  | { readonly type: 'log'; readonly record: LogRecord }
  /** It serves; `descriptor` is its own duplicate of the listening socket. */
  | { readonly type: 'ready'; readonly descriptor: number }
  | { readonly type: 'configured'; readonly version: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'drained' }
  | { readonly type: 'part'; readonly id: number; readonly part: MetricPart }
  /** One thread was scraped: ask all the others. */
  | { readonly type: 'gather'; readonly id: number };
