import type { ModelInfo, PluginLog } from '@bifrost/sdk';
import type { PluginEntry } from '../../plugin-entry.ts';
import type { ResolvedArtefact } from '../../plugin-plan.ts';

/** What a plugin outside the serving threads is started with. */
export interface RemotePluginOptions {
  /** Its `capabilities` are what is granted, its `memoryLimitBytes` and `cpuLimit` what it may use. */
  readonly entry: PluginEntry;
  readonly artefact: ResolvedArtefact;
  /** Unique among the loads of the gateway. */
  readonly generation: string;
  /** Gets the plugin's lines, and what it writes to its standard output and error. */
  readonly logger: PluginLog;
  /** For the module, the schema and `init`, each. @default 10000 */
  readonly initTimeoutMs?: number;
  /** @default 5000 */
  readonly cleanupTimeoutMs?: number;
  /** How long after a hook's deadline a call may still block the realm before the realm is ended. @default 1000 */
  readonly graceMs?: number;
  /** Over how long processor time is averaged, in milliseconds. @default 10000 */
  readonly cpuWindowMs?: number;
  /** Freeze hook inputs: for development and tests. @default false */
  readonly areInputsFrozen?: boolean;
  /** The gateway's environment, of which the plugin sees the granted names. @default empty */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The gateway's catalogue of models. */
  readonly models?: readonly ModelInfo[];
  /** Memory of `ctx.shared`; a process has its own, as no memory is shared with it. */
  readonly shared?: SharedArrayBuffer;
  /** Told of work that the plugin left running and that failed. */
  readonly onEscape?: (message: string) => void;
  /** Longest message of the plugin to a serving thread, in bytes. @default 67108864 */
  readonly maxMessageBytes?: number;
}

export const defaultInitTimeoutMs = 10_000;
export const defaultCleanupTimeoutMs = 5000;
export const defaultGraceMs = 1000;
export const defaultMemoryBytes = 268_435_456;

/** The part of the environment that the entry grants. */
export function grantedEnvironment({ entry, environment = {} }: RemotePluginOptions): Record<string, string> {
  const granted: Record<string, string> = {};
  for (const name of entry.capabilities?.env ?? []) {
    const value = environment[name];
    if (value !== undefined) granted[name] = value;
  }
  return granted;
}
