/** What the manager of the plugins is given, and what its changes are told. */
import type { PluginPlacement } from '@bifrost/core';
import type { PluginLog } from '@bifrost/sdk';
import type { PluginEntry, PluginIsolation } from '../plugin-entry.ts';
import type { ResolvedArtefact } from '../plugin-plan.ts';
import type { PluginMemory } from '../store/plugin-memory.ts';
import type { ProbationLimits } from './probation.ts';
import type { StartRemote } from './remote-load.ts';
import type { RestartLimits } from './remote-restarts.ts';
import type { ThreadGroup } from './thread-group.ts';

export interface PluginManagerOptions {
  readonly group: ThreadGroup;
  /** Gets the lines that people look for: `Plugin loaded successfully: NAME`, `plugin status: NAME - STATUS`. */
  readonly log: PluginLog;
  /** Where relative paths start. @default the working directory */
  readonly directory?: string;
  /** Finds and checks an entry's artefact before any of its code runs. @default serving threads resolve paths of modules */
  readonly resolveArtefact?: (entry: PluginEntry, directory: string) => Promise<ResolvedArtefact | undefined>;
  /** How plugins outside the serving threads are started; an isolation without one is refused. */
  readonly startRemote?: { readonly [Isolation in Exclude<PluginIsolation, 'inline'>]?: StartRemote };
  /** What plugins were at earlier starts, for those that cannot be loaded. @default nothing is known of them */
  readonly memory?: PluginMemory;
  readonly probation?: ProbationLimits;
  readonly restarts?: RestartLimits;
  /** Modules of replaced plugins from which on a serving thread is recycled; its code goes back with it. @default 10 */
  readonly maxStaleModules?: number;
  /** How long threads may take to prepare a change, beside the plugins' own deadlines. @default 45000 */
  readonly prepareWithinMs?: number;
  /** How often threads are asked how their plugins do. @default 2000 */
  readonly refreshEveryMs?: number;
}

export interface LoadSettings {
  /** Where relative paths start from now on. @default as before */
  readonly directory?: string;
  /** What the group changes together with the plugins. */
  readonly settings?: object;
}

/** What belongs to a change that somebody asked for. */
export interface ChangeOptions {
  /**
   * Stores the change. Called when all threads have prepared it and none serves with it yet; where it rejects, nothing is changed. A
   * process that is killed after it finds the change at its next start, one that is killed before it does not.
   */
  readonly keep?: () => Promise<void>;
}

/** A plugin's place among the others. */
export interface PluginPlace {
  readonly name: string;
  readonly placement?: PluginPlacement;
  readonly order?: number;
}

/** How a candidate is tried. */
export interface CandidateTrial {
  readonly kind: 'canary' | 'shadow';
  /** Of the requests, 0 to 1. */
  readonly share: number;
}

/** The name under which the candidate for a plugin's place is listed. */
export function candidateName(name: string): string {
  return `${name}@candidate`;
}
