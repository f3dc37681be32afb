import type { ClientConfig, ProviderConfig } from '@bifrost/core';
import type { ExplainedRequest } from '../admin/explain/explained-request.ts';
import type { JsonObject, ModelInfo } from '@bifrost/sdk';
import type {
  ConfigQuestion,
  PluginPlan,
  PluginReport,
  RecordedBatch,
  RecordingOrder,
} from '@bifrost/framework/plugins';
import type { AdminAnswer, AdminRequest } from '../admin/admin-message.ts';
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
  /** Int32 cells: see `beatCells`. */
  readonly heartbeat: SharedArrayBuffer;
  /** Int32: one of `processStates`. */
  readonly processState: SharedArrayBuffer;
  /** Which key made what clients continue, for the engines of all threads. */
  readonly stateMakers: SharedArrayBuffer;
  /** What all threads hold of request bodies: see `createLedgerCells`. */
  readonly bodyCells: SharedArrayBuffer;
  /** Where the temporary files of large bodies may be, the first that takes them. */
  readonly spoolDirectories: readonly string[];
  /** Module that exports `createEngine`. */
  readonly engineModule: string;
  readonly version: string;
  /** SHA-256 of the admin token, in hexadecimal digits; absent: there is no admin API. */
  readonly adminTokenHash?: string;
}

/**
 * The cells of a thread's heartbeat: a counter that the thread raises while its event loop turns, the mark of the plugin's hook
 * that runs (`readRunningMark`), the load of the plugin that is being imported or initialised, and the thread as the kernel counts.
 */
export const beatCells = { beat: 0, running: 1, loading: 2, kernelThread: 3, count: 4 } as const;

/** The configuration without its plugins, as it is posted to a thread. */
export interface ThreadConfig {
  readonly version: number;
  readonly providers: ReadonlyMap<string, ProviderConfig>;
  readonly client: ClientConfig;
  readonly allowedHeaders: readonly string[];
  /** For plugins: what is known of models. */
  readonly knownModels: readonly ModelInfo[];
  /** SHA-256 of the inference key, in hexadecimal digits; absent: inference needs none. */
  readonly inferenceKeyHash?: string;
}

export const processStates = { starting: 0, ready: 1, draining: 2 } as const;

export type ToThread =
  /** Load what every thread loads, and wait. */
  | { readonly type: 'warm' }
  /** Load what the plan needs beside what serves, then answer `prepared` or `refused`; without `config` it stays as it is. */
  | { readonly type: 'prepare'; readonly plan: PluginPlan; readonly config?: ThreadConfig }
  /** Serve on what was prepared, then answer `committed`. */
  | { readonly type: 'commit'; readonly generation: number; readonly isReserveKept: boolean }
  | { readonly type: 'abort'; readonly generation: number }
  /** Let the generation in reserve go. */
  | { readonly type: 'settle' }
  /**
   * Accept no more, end what is under way, then answer `drained`. A patient drain also lets connections end that are idle: each
   * gets one more request, or times out.
   */
  | { readonly type: 'drain'; readonly isPatient: boolean }
  | { readonly type: 'report'; readonly id: number; readonly hasTotals: boolean }
  | { readonly type: 'view-config'; readonly id: number; readonly load: number; readonly question: ConfigQuestion }
  | { readonly type: 'collect'; readonly id: number }
  /** The figures of the others, and how many threads there are with this one. */
  | { readonly type: 'collected'; readonly id: number; readonly parts: readonly MetricPart[]; readonly threads: number }
  /** Record the calls of plugins like this from now on, and nothing else. */
  | { readonly type: 'record'; readonly orders: readonly RecordingOrder[] }
  /** Serve these connections, which another thread had and has given away: descriptors of duplicates. */
  | { readonly type: 'adopt'; readonly descriptors: readonly number[] }
  | { readonly type: 'admin-answer'; readonly id: number; readonly answer: AdminAnswer };

export type FromThread =
  | { readonly type: 'log'; readonly record: LogRecord }
  | { readonly type: 'prepared'; readonly report: PluginReport }
  | { readonly type: 'refused'; readonly generation: number; readonly code: string; readonly message: string }
  /** It serves; `descriptors` are its own duplicates of the listening socket. */
  | { readonly type: 'ready'; readonly descriptors: readonly number[] }
  | { readonly type: 'committed'; readonly generation: number }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'drained'; readonly report: PluginReport }
  | { readonly type: 'reported'; readonly id: number; readonly report: PluginReport }
  | {
      readonly type: 'config-viewed';
      readonly id: number;
      readonly value?: JsonObject;
      readonly failure?: string;
    }
  /** The instance of a plugin's load is gone, or was never begun. */
  | { readonly type: 'plugin-released'; readonly load: number }
  | { readonly type: 'plugin-changed'; readonly load: number }
  /** A request that asked for its explanation has ended. */
  | { readonly type: 'explained'; readonly request: ExplainedRequest }
  | { readonly type: 'recorded'; readonly batch: RecordedBatch }
  | { readonly type: 'part'; readonly id: number; readonly part: MetricPart }
  /** One thread was scraped: ask all the others. */
  | { readonly type: 'gather'; readonly id: number }
  | { readonly type: 'admin-call'; readonly id: number; readonly request: AdminRequest };
