/** What the host of a thread's plugins is given, and what it does: `createPluginHost` makes one. */
import type { CallRecorder } from '@bifrost/core';
import type { JsonObject, ModelInfo, PluginLog, SharedState } from '@bifrost/sdk';
import type { ArtefactLoaders } from './load-plugin.ts';
import type { ConnectRemote } from './member-loader.ts';
import type { PluginEntry, PluginStatus } from './plugin-entry.ts';
import type { PluginGeneration } from './plugin-generation.ts';
import type { InstanceCounts, PluginPlan, PluginReport } from './plugin-plan.ts';
import type { IntrinsicsGuard } from './realm-guard/intrinsics-guard.ts';
import type { ConfigQuestion } from './supervisor/thread-group.ts';

export interface PluginHostOptions {
  /** Gets the host's lines and the plugins'. Must not throw. */
  readonly logger: PluginLog;
  /** The config file's folder: where relative paths start. @default the working directory */
  readonly baseDirectory?: string;
  /** @default process.cwd() */
  readonly workingDirectory?: string;
  /** Freeze hook inputs: for development and tests. @default false */
  readonly areInputsFrozen?: boolean;
  /** For a module's import, its schema and `init`, each. @default 10000 */
  readonly initTimeoutMs?: number;
  /** @default 5000 */
  readonly cleanupTimeoutMs?: number;
  /** `inject` calls of one plugin that may be under way at once. @default 10000 */
  readonly injectConcurrency?: number;
  /** Plugins that come with the gateway: name -> module namespace, or a function that imports it when it is first needed. */
  readonly builtins?: ReadonlyMap<string, object>;
  /** Imports a module by URL or specifier; for programs whose own `import()` cannot load files. @default import() */
  readonly importModule?: (specifier: string) => Promise<unknown>;
  /** Brings artefacts that are no modules into this realm. @default modules only */
  readonly loaders?: ArtefactLoaders;
  /** Connects to a plugin that runs elsewhere. @default they cannot be used */
  readonly connectRemote?: ConnectRemote;
  /** State of a plugin that has no memory in the plan. @default of its own for each instance */
  readonly sharedState?: (plugin: string) => SharedState;
  readonly getModelInfo?: (provider: string, model: string) => ModelInfo | undefined;
  /** Replaced generations that may wait for their last requests at once; the next plan waits for a place. @default 4 */
  readonly maxDraining?: number;
  /** How long a plan waits for a place before it is refused. @default 30000 */
  readonly drainWaitMs?: number;
  /** Asked of each request whether the calls of its hooks are recorded. @default none is */
  readonly recorder?: CallRecorder;
  /** Cell 0 says which hook runs: see `PluginChainsOptions`. */
  readonly running?: Int32Array;
  /** Cell 0 says which load is being imported and initialised; 0: none. */
  readonly loading?: Int32Array;
  /** Looked at after each load of a plugin, and by `checkIntrinsics`. @default they are not guarded */
  readonly intrinsics?: IntrinsicsGuard;
  /** Told of each load whose instance is gone, or was never begun. */
  readonly onReleased?: (load: number) => void;
  /** Told when a plugin of the thread changes by itself: disabled by its failures, work that it left running failed. */
  readonly onChanged?: (load: number) => void;
}

export interface PluginHost {
  /**
   * Loads what `plan` has and this thread has not, beside the generation that serves; nothing is swapped. A plugin that fails is a
   * status with its error, and a guard that is known by now refuses its requests. Rejects with `BF_PLUGIN_DRAINING` where too
   * many replaced generations still have requests and the plan has a new instance: nothing was begun then.
   */
  prepare(plan: PluginPlan): Promise<PluginGeneration>;
  /**
   * Undoes what plugins have changed in the objects that all code shares, and charges those that were called since the last look:
   * one alone, or all of them where it cannot be told which it was.
   */
  checkIntrinsics(): void;
  /** Asks the plugin of a load what it makes of a config. Rejects with PluginError. */
  viewConfig(load: number, question: ConfigQuestion): Promise<JsonObject>;
  /** What the thread says of a generation; with totals, also of all that it ever had. */
  report(generation: PluginGeneration, options?: { readonly hasTotals?: boolean }): PluginReport;
  /**
   * For one thread that steers itself: loads a generation of new instances beside the ones that serve; nothing is swapped: give
   * its `chains` to the engine, then `retire()` the old one. Plugins are loaded one after the other in the order of `entries`.
   * One that fails is a status with its error, and the others are loaded. Rejects with PluginError
   * `BF_PLUGIN_REQUIRED_FAILED` when one that is `required` fails: what was loaded is then cleaned up.
   */
  load(entries: readonly PluginEntry[]): Promise<PluginGeneration>;
  /** The generation that `load` gave last; null before the first. */
  readonly current: PluginGeneration | null;
  /** Its states. */
  status(): readonly PluginStatus[];
  readonly counts: InstanceCounts;
}
