/** What the functions that a guest imports work on: the memory of its instance, and the call that is running. */
import type { HookContext, PluginLog, SharedState } from '@bifrost/sdk';
import type { GuestMemory } from './guest-memory.ts';
import { HostCallError } from './wasm-error.ts';

/** What is there outside of hooks too. */
export interface HostBase {
  readonly log: PluginLog;
  readonly shared: SharedState;
}

export class HostScope {
  /** The context of the hook that is running. */
  hook: HookContext | undefined;
  /** Set by `init`; before it, nothing is shared. */
  base: HostBase | undefined;
  readonly #loadLog: PluginLog;
  #memory: GuestMemory | undefined;

  constructor(loadLog: PluginLog) {
    this.#loadLog = loadLog;
  }

  get log(): PluginLog {
    return this.hook?.log ?? this.base?.log ?? this.#loadLog;
  }

  get shared(): SharedState | undefined {
    return this.hook?.shared ?? this.base?.shared;
  }

  get memory(): GuestMemory {
    if (this.#memory === undefined) {
      throw new HostCallError('it called the host from its start function, before its instance was ready');
    }
    return this.#memory;
  }

  attach(memory: GuestMemory): void {
    this.#memory = memory;
  }
}
