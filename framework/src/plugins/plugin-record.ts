/** The state of one load of one entry, as it changes. It outlives the generations that hold the load. */
import { GatewayError } from '@bifrost/sdk';
import type { HookName } from '@bifrost/sdk';
import { messageOf } from '@bifrost/core';
import type { PluginEntry, PluginState, PluginStatus } from './plugin-entry.ts';
import type { PluginDescription } from './remote/remote-plugin.ts';

/** Failures in a row of one hook from which the plugin counts as degraded. */
const degradedFrom = 5;

export interface LoadedFacts {
  readonly actualName?: string;
  readonly version?: string;
  readonly file?: string;
  readonly files?: readonly string[];
  readonly hooks: readonly HookName[];
}

/** Of which generation a status is, as what entry, and how its hooks do. */
export interface StatusContext {
  readonly entry: PluginEntry;
  readonly generation: number;
  readonly failuresInARow: number;
  /** Why the chains call it degraded. */
  readonly degraded?: string;
}

export class PluginRecord {
  readonly name: string;
  readonly load: number;
  /** What is known of the plugin though it could not be loaded. */
  description: PluginDescription | undefined;
  #state: PluginState;
  #message: string | undefined;
  #code: string | undefined;
  #facts: LoadedFacts = { hooks: [] };
  #isGuard = false;
  #isKindUnknown = false;
  #loadedAt: number | undefined;
  #loadMs: number | undefined;
  /** What it left running and failed, and how often. */
  #escape: string | undefined;
  #escapes = 0;
  /** What it did to code that is not its own. */
  #offence: string | undefined;

  constructor(entry: PluginEntry, load: number) {
    this.name = entry.name;
    this.load = load;
    this.#state = entry.enabled ? 'loading' : 'disabled';
  }

  get state(): PluginState {
    return this.#state;
  }

  get message(): string | undefined {
    return this.#message;
  }

  /** True while a plugin does not serve that is required, or that may be a guard for all that is known. */
  isMissing({ required, enabled }: PluginEntry): boolean {
    const isNeeded = required === true || this.#isKindUnknown;
    return isNeeded && enabled && this.#state !== 'active' && this.#state !== 'draining';
  }

  activate(facts: LoadedFacts, isGuard: boolean, loadMs: number): void {
    this.#state = 'active';
    this.#facts = facts;
    this.#isGuard = isGuard;
    this.#loadMs = loadMs;
    this.#loadedAt = Date.now();
  }

  fail(error: unknown): void {
    const code = GatewayError.isInstance(error) ? error.code : undefined;
    this.refuse(error instanceof Error ? error.message : messageOf(error), code);
  }

  /** It is not loaded, for a reason that was found elsewhere. */
  refuse(message: string, code: string | undefined, isKindUnknown = false): void {
    this.#state = 'error';
    this.#isKindUnknown = isKindUnknown;
    this.#message = message;
    this.#code = code;
  }

  disable(reason: string): void {
    this.#state = 'disabled';
    this.#message = reason;
  }

  /** Work that the plugin left running has failed. Returns how often that has happened. */
  escape(thrown: unknown): number {
    this.#escapes += 1;
    this.#escape = messageOf(thrown);
    return this.#escapes;
  }

  /** It changed what all code of the thread shares. */
  offend(what: string): void {
    this.#offence = what;
  }

  /** Only requests under way hold it. */
  drain(): void {
    if (this.#state === 'active') this.#state = 'draining';
  }

  /** A generation that serves holds it again. */
  resume(): void {
    if (this.#state === 'draining') this.#state = 'active';
  }

  retire(): void {
    if (this.#state === 'draining') this.disable('cleaned up');
  }

  status({ entry, generation, failuresInARow, degraded }: StatusContext): PluginStatus {
    const { path, placement, order, required, isolation } = entry;
    const trouble = degraded ?? this.#trouble(failuresInARow);
    const isDegraded = this.#state === 'active' && trouble !== undefined;
    const message = isDegraded ? trouble : this.#message;
    return {
      name: this.name,
      state: isDegraded ? 'degraded' : this.#state,
      ...this.#facts,
      isGuard: this.#isGuard,
      isRequired: required === true,
      placement: placement ?? 'post_builtin',
      order: order ?? 0,
      isolation: isolation ?? 'inline',
      generation,
      load: this.load,
      ...(this.#isKindUnknown ? { isKindUnknown: true } : {}),
      ...(path === undefined ? {} : { path }),
      ...(message === undefined ? {} : { message }),
      ...(this.#code === undefined ? {} : { code: this.#code }),
      ...(this.#loadedAt === undefined ? {} : { loadedAt: this.#loadedAt }),
      ...(this.#loadMs === undefined ? {} : { loadMs: this.#loadMs }),
    };
  }

  #trouble(failuresInARow: number): string | undefined {
    if (failuresInARow >= degradedFrom) return `the last ${failuresInARow} calls of one of its hooks failed`;
    if (this.#offence !== undefined) return this.#offence;
    if (this.#escapes === 0) return undefined;
    return `work that it left running failed ${this.#escapes} times, last: ${this.#escape}`;
  }
}
