/** Who looks over the shoulder of a request's hooks: its explanation, a recorder, shadows. Nearly every request has none. */
import type { PluginFailure } from '@bifrost/sdk';
import type { HookEntry } from './hook-entry.ts';
import type { HookPass } from './hook-pass.ts';
import type { RequestContext } from './request-context.ts';

/** Why a hook was left out. */
export type SkipReason = 'filter' | 'disabled' | 'breaker' | 'policy';

/** One hook call that has ended. */
export interface HookCall {
  readonly entry: HookEntry;
  /** The walk; null for `inject`, which changes nothing. */
  readonly pass: HookPass | null;
  readonly context: RequestContext;
  readonly input: unknown;
  /** What the hook returned; undefined also where it failed. */
  readonly returned: unknown;
  /** The call ended the walk: a short-circuit, a replaced stream event, or a denial. */
  readonly isStopped: boolean;
  readonly failure?: PluginFailure;
  readonly durationMs: number;
}

/** Must not throw. */
export interface HookObserver {
  /** A hook is about to be called with `input`. */
  before?(entry: HookEntry, pass: HookPass | null, input: unknown): void;
  after(call: HookCall): void;
  skipped(entry: HookEntry, reason: SkipReason): void;
}
