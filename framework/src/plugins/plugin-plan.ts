/**
 * What the main thread tells the serving threads to serve with. A plan is plain data, the same for all threads but for the
 * channels to plugins that run elsewhere. Threads prepare a plan beside the one that serves, then commit or abort it.
 */
import type { Transferable } from 'node:worker_threads';
import type { PluginFigures, ShadowComparison } from '@bifrost/core';
import type { ArtefactKind, JsonObject, PluginManifest } from '@bifrost/sdk';
import type { PluginEntry, PluginStatus } from './plugin-entry.ts';
import type { PluginDescription, RemoteChannel } from './remote/remote-plugin.ts';

/** A plugin's artefact, found and checked in the main thread, before any of its code runs. */
export interface ResolvedArtefact {
  /** Absolute path. */
  readonly file: string;
  readonly kind: ArtefactKind;
  /** Of a plugin that is a part of the program: what is imported in the place of `file`. */
  readonly moduleUrl?: string;
  readonly manifest?: PluginManifest;
  /** SHA-256 of the file, 64 hexadecimal digits. */
  readonly digest?: string;
  /** The entry's `config` with the defaults of the manifest's schema; absent where the manifest has no schema. */
  readonly config?: JsonObject;
}

/** Where a thread gets a plugin from. */
export type PluginSource =
  /** Its entry is disabled: none of its code runs. */
  | { readonly kind: 'off' }
  /** Loaded into the thread itself; without an artefact the thread resolves the entry's path, or takes its built-in plugin. */
  | { readonly kind: 'inline'; readonly artefact?: ResolvedArtefact }
  /** Called over a channel; absent where the thread has this load already. */
  | { readonly kind: 'remote'; readonly description: PluginDescription; readonly channel?: RemoteChannel }
  /** Not to be loaded: it failed, or is quarantined. */
  | { readonly kind: 'failed'; readonly message: string; readonly code?: string; readonly isKindUnknown?: true };

/** A plugin that is tried for the place of another one. */
export interface PlannedTrial {
  readonly kind: 'canary' | 'shadow';
  /** Name of the plugin that it may replace. */
  readonly of: string;
  /** Of the requests, 0 to 1. */
  readonly share: number;
}

export interface PlannedPlugin {
  readonly entry: PluginEntry;
  /** The same number is the same instance, over all plans of a thread. Unique in the process. */
  readonly load: number;
  readonly source: PluginSource;
  /** What it said of itself when it was first loaded: a guard that cannot be loaded (any more) then refuses what it would have seen. */
  readonly known?: PluginDescription;
  readonly trial?: PlannedTrial;
  /** Memory of `ctx.shared`. */
  readonly shared?: SharedArrayBuffer;
}

export interface PluginPlan {
  readonly generation: number;
  /** Where relative paths start. @default the host's */
  readonly directory?: string;
  readonly plugins: readonly PlannedPlugin[];
}

/** A plan for one thread, with what has to be transferred to it. */
export interface ThreadPlan {
  readonly plan: PluginPlan;
  readonly transfer: readonly Transferable[];
}

/** Instances that a thread has begun and ended since its start, and those that live. */
export interface InstanceCounts {
  readonly inits: number;
  readonly cleanups: number;
  readonly live: number;
}

/** What a thread says of its plugins. */
export interface PluginReport {
  readonly generation: number;
  /** One for each plugin of the plan, in its order. */
  readonly statuses: readonly PluginStatus[];
  /** What the plugins of the plan said of themselves, by load. */
  readonly descriptions: Readonly<Record<number, PluginDescription>>;
  /** Since the generation began to serve. */
  readonly figures: readonly PluginFigures[];
  /** Since the thread began, over all generations; only where they were asked for. */
  readonly totals?: readonly PluginFigures[];
  /** How shadows compare since the thread began, over all generations. */
  readonly comparisons: readonly ShadowComparison[];
  /** Loads by the slot numbers that stand in the mark of what runs (see `readRunningMark`). */
  readonly slots: Readonly<Record<number, number>>;
  readonly counts: InstanceCounts;
  /** Instances that only requests under way hold, by name. */
  readonly draining: Readonly<Record<string, number>>;
  /** Modules of replaced plugins, whose code only the end of the thread gives back. */
  readonly staleModules: number;
}
