/** One load of one entry, as the main thread knows it. The same load is the same instances, in all threads and plans. */
import type { PluginError } from '@bifrost/sdk';
import type { PluginEntry } from '../plugin-entry.ts';
import type { PlannedPlugin, PluginSource, ResolvedArtefact } from '../plugin-plan.ts';
import type { PluginDescription } from '../remote/remote-plugin.ts';
import { claimedByManifest, isClaimedGuard, standInFor } from '../failed-description.ts';
import type { RememberedPlugin } from '../store/plugin-memory.ts';
import type { RemoteLoad } from './remote-load.ts';

/** Why a plugin is not called. */
export interface LoadFailure {
  readonly message: string;
  readonly code?: string;
}

/** Of a plugin that could not be loaded. */
const unknownKind =
  'whether it is a guard is not known: requests pass without it, and /health/ready fails until it is loaded or its entry says "guard": true or false';

let lastLoad = 0;

export class PluginLoad {
  readonly load: number;
  readonly name: string;
  readonly #shared: SharedArrayBuffer;
  readonly #entry: PluginEntry;
  readonly #remembered: RememberedPlugin | undefined;
  artefact: ResolvedArtefact | undefined;
  remote: RemoteLoad | undefined;
  /** Since its first instance was loaded. */
  description: PluginDescription | undefined;
  /** It could not be loaded, or is quarantined: threads that start from now on do without. */
  failure: LoadFailure | undefined;
  /** It ended by itself and is to be started again: its hooks fail at once, by their policy. */
  isAway = false;
  /** Some plan with it was committed: what it said of itself holds. */
  hasServed = false;
  /** Milliseconds since 1970. */
  loadedAt: number | undefined;

  /** `remembered`: what the plugin of this name was at an earlier start. */
  constructor(entry: PluginEntry, shared: SharedArrayBuffer, remembered?: RememberedPlugin) {
    this.#remembered = entry.guard === false ? undefined : remembered;
    lastLoad += 1;
    this.load = lastLoad;
    this.name = entry.name;
    this.#shared = shared;
    this.#entry = entry;
  }

  /** True where it is meant to be called. */
  get isServing(): boolean {
    return this.#entry.enabled && this.failure === undefined;
  }

  /**
   * What refuses requests in its place while it is not called: what the guard is known to see, and everything where nothing is
   * known of it. Undefined where requests pass without it.
   */
  get known(): PluginDescription | undefined {
    if (this.failure !== undefined && !this.hasServed) return standInFor(this.#entry, this.#said);
    const said = this.#ownWord;
    return said === undefined ? undefined : { ...said, isGuard: isClaimedGuard(this.#entry, said) };
  }

  get #said(): PluginDescription | undefined {
    return this.#ownWord ?? this.#remembered;
  }

  /** What it says of itself, in this load. */
  get #ownWord(): PluginDescription | undefined {
    return this.description ?? this.remote?.description ?? claimedByManifest(this.artefact?.manifest);
  }

  /** It could not be loaded, and neither it, nor its entry, nor an earlier start says whether it is a guard. */
  get isKindUnknown(): boolean {
    const { enabled, guard, onLoadFailure } = this.#entry;
    const isStated = [guard, onLoadFailure, this.#said, this.artefact?.manifest?.guard].some(
      (one) => one !== undefined,
    );
    return enabled && this.failure !== undefined && !this.hasServed && !isStated;
  }

  /** Why it is not called, with what that means for requests. */
  get failureSentence(): string | undefined {
    const { failure, known } = this;
    if (failure === undefined) return undefined;
    if (known === undefined && isClaimedGuard(this.#entry, this.#said))
      return `${failure.message}; it is a guard, and requests pass without it (on_load_failure: continue)`;
    if (this.isKindUnknown) return `${failure.message}; ${unknownKind}`;
    if (known?.isGuard !== true) return failure.message;
    const isRemembered =
      this.#entry.guard !== true && this.#ownWord === undefined && this.#remembered?.isGuard === true;
    const why = isRemembered ? 'as it was a guard when it was last loaded' : 'as it is a guard';
    return `${failure.message}; ${why}, every request that it would have seen is refused`;
  }

  fail(error: PluginError | LoadFailure): void {
    this.failure = { message: error.message, ...(error.code === undefined ? {} : { code: error.code }) };
  }

  /** What `thread` is told; `entry` is as it stands in the plan, whose place may have changed since the load. */
  async planFor(thread: number, entry: PluginEntry): Promise<PlannedPlugin> {
    const { load, known, artefact } = this;
    const source = await this.#sourceFor(thread);
    const config = artefact?.config;
    const checked = config === undefined ? entry : { ...entry, config };
    return { entry: checked, load, source, shared: this.#shared, ...(known === undefined ? {} : { known }) };
  }

  async #sourceFor(thread: number): Promise<PluginSource> {
    if (!this.#entry.enabled) return { kind: 'off' };
    if (this.failure !== undefined)
      return { kind: 'failed', ...this.failure, ...(this.isKindUnknown ? { isKindUnknown: true } : {}) };
    if (this.remote !== undefined) return this.remote.sourceFor(thread);
    return { kind: 'inline', ...(this.artefact === undefined ? {} : { artefact: this.artefact }) };
  }
}
