/** One load of one entry, as the main thread knows it. The same load is the same instances, in all threads and plans. */
import type { PluginError } from '@bifrost/sdk';
import type { PluginEntry } from '../plugin-entry.ts';
import type { PlannedPlugin, PluginSource, ResolvedArtefact } from '../plugin-plan.ts';
import type { PluginDescription } from '../remote/remote-plugin.ts';
import type { RemoteLoad } from './remote-load.ts';

/** Why a plugin is not called. */
export interface LoadFailure {
  readonly message: string;
  readonly code?: string;
}

let lastLoad = 0;

export class PluginLoad {
  readonly load: number;
  readonly name: string;
  readonly #shared: SharedArrayBuffer;
  readonly #isEnabled: boolean;
  artefact: ResolvedArtefact | undefined;
  remote: RemoteLoad | undefined;
  /** Since its first instance was loaded. */
  description: PluginDescription | undefined;
  /** It could not be loaded, or is quarantined: threads that start from now on do without. */
  failure: LoadFailure | undefined;
  /** It ended by itself and is to be started again: its hooks fail at once, by their policy. */
  isAway = false;
  /** Milliseconds since 1970. */
  loadedAt: number | undefined;

  constructor(entry: PluginEntry, shared: SharedArrayBuffer) {
    lastLoad += 1;
    this.load = lastLoad;
    this.name = entry.name;
    this.#shared = shared;
    this.#isEnabled = entry.enabled;
  }

  /** True where it is meant to be called. */
  get isServing(): boolean {
    return this.#isEnabled && this.failure === undefined;
  }

  fail(error: PluginError | LoadFailure): void {
    this.failure = { message: error.message, ...(error.code === undefined ? {} : { code: error.code }) };
  }

  /** What `thread` is told; `entry` is as it stands in the plan, whose place may have changed since the load. */
  async planFor(thread: number, entry: PluginEntry): Promise<PlannedPlugin> {
    const { load, description, artefact } = this;
    const source = await this.#sourceFor(thread);
    const config = artefact?.config;
    const checked = config === undefined ? entry : { ...entry, config };
    const known = description ?? this.remote?.description;
    return { entry: checked, load, source, shared: this.#shared, ...(known === undefined ? {} : { known }) };
  }

  async #sourceFor(thread: number): Promise<PluginSource> {
    if (!this.#isEnabled) return { kind: 'off' };
    if (this.failure !== undefined) return { kind: 'failed', ...this.failure };
    if (this.remote !== undefined) return this.remote.sourceFor(thread);
    return { kind: 'inline', ...(this.artefact === undefined ? {} : { artefact: this.artefact }) };
  }
}
