/** The state of one entry within one generation, as it changes. */
import { GatewayError } from '@bifrost/sdk';
import type { HookName } from '@bifrost/sdk';
import { messageOf } from '@bifrost/core';
import type { PluginEntry, PluginState, PluginStatus } from './plugin-entry.ts';

/** Failures in a row of one hook from which the plugin counts as degraded. */
const degradedFrom = 5;

export interface LoadedFacts {
  readonly actualName?: string;
  readonly version?: string;
  readonly file?: string;
  readonly hooks: readonly HookName[];
}

export class PluginRecord {
  readonly name: string;
  readonly #entry: PluginEntry;
  readonly #generation: number;
  #state: PluginState;
  #message: string | undefined;
  #code: string | undefined;
  #facts: LoadedFacts = { hooks: [] };
  #isGuard = false;
  #loadedAt: number | undefined;
  #loadMs: number | undefined;
  /** What it left running and failed, and how often. */
  #escape: string | undefined;
  #escapes = 0;

  constructor(entry: PluginEntry, generation: number) {
    this.name = entry.name;
    this.#entry = entry;
    this.#generation = generation;
    this.#state = entry.enabled ? 'loading' : 'disabled';
  }

  get state(): PluginState {
    return this.#state;
  }

  /** True while a required plugin does not serve. */
  get isMissing(): boolean {
    return (
      this.#entry.required === true && this.#entry.enabled && this.#state !== 'active' && this.#state !== 'draining'
    );
  }

  activate(facts: LoadedFacts, isGuard: boolean, loadMs: number): void {
    this.#state = 'active';
    this.#facts = facts;
    this.#isGuard = isGuard;
    this.#loadMs = loadMs;
    this.#loadedAt = Date.now();
  }

  fail(error: unknown): void {
    this.#state = 'error';
    this.#message = error instanceof Error ? error.message : messageOf(error);
    this.#code = GatewayError.isInstance(error) ? error.code : undefined;
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

  drain(): void {
    if (this.#state === 'active') this.#state = 'draining';
  }

  retire(): void {
    if (this.#state === 'draining') this.disable('cleaned up');
  }

  status(failuresInARow: number): PluginStatus {
    const { path, placement, order, required } = this.#entry;
    const trouble = this.#trouble(failuresInARow);
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
      generation: this.#generation,
      ...(path === undefined ? {} : { path }),
      ...(message === undefined ? {} : { message }),
      ...(this.#code === undefined ? {} : { code: this.#code }),
      ...(this.#loadedAt === undefined ? {} : { loadedAt: this.#loadedAt }),
      ...(this.#loadMs === undefined ? {} : { loadMs: this.#loadMs }),
    };
  }

  #trouble(failuresInARow: number): string | undefined {
    if (failuresInARow >= degradedFrom) return `the last ${failuresInARow} calls of one of its hooks failed`;
    if (this.#escapes === 0) return undefined;
    return `work that it left running failed ${this.#escapes} times, last: ${this.#escape}`;
  }
}
