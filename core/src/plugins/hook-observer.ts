/** Who looks over the shoulder of a request's hooks: its explanation, a recorder, shadows. Nearly every request has none. */
import type { PluginFailure } from '@bifrost/sdk';
import type { HookEntry } from './hook-entry.ts';
import type { HookPass } from './hook-pass.ts';
import type { RequestContext } from './request-context.ts';

/** Why a hook was left out. */
export type SkipReason = 'filter' | 'disabled' | 'breaker' | 'policy';

/** A hook that is about to be called. */
export interface HookCall {
  readonly entry: HookEntry;
  readonly pass: HookPass;
  readonly context: RequestContext;
  readonly input: unknown;
}

/** A hook call that has ended. */
export interface EndedHookCall extends HookCall {
  /** What the hook returned; undefined also where it failed. */
  readonly returned: unknown;
  /** The call ended the walk: a short-circuit, a replaced stream event, or a denial. */
  readonly isStopped: boolean;
  readonly failure?: PluginFailure;
  readonly durationMs: number;
}

/** Must not throw. Calls of one request may overlap only where the request's phases do. */
export interface HookObserver {
  before?(call: HookCall): void;
  after(call: EndedHookCall): void;
  skipped?(entry: HookEntry, reason: SkipReason): void;
  /** Another attempt begins. */
  attemptBegins?(): void;
  /** No further hook but `inject` is called. */
  requestEnds?(): void;
}

/** Several observers as one. */
export class HookObservers implements HookObserver {
  readonly #observers: readonly HookObserver[];

  constructor(observers: readonly HookObserver[]) {
    this.#observers = observers;
  }

  before(call: HookCall): void {
    for (const observer of this.#observers) observer.before?.(call);
  }

  after(call: EndedHookCall): void {
    for (const observer of this.#observers) observer.after(call);
  }

  skipped(entry: HookEntry, reason: SkipReason): void {
    for (const observer of this.#observers) observer.skipped?.(entry, reason);
  }

  attemptBegins(): void {
    for (const observer of this.#observers) observer.attemptBegins?.();
  }

  requestEnds(): void {
    for (const observer of this.#observers) observer.requestEnds?.();
  }
}
