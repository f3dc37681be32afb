/** One walk of one value through the hooks of one kind: what each hook is shown, how its result is checked and applied. */
import type { ErrorInfo } from '@bifrost/sdk';
import type { HookEntry } from './hook-entry.ts';
import type { Target } from './hook-filter.ts';

export interface HookPass {
  /** Provider and model for filters; undefined where only the request's facts know them. */
  readonly target: Target | undefined;
  /** The value as this hook may see it. */
  input(entry: HookEntry): unknown;
  /**
   * Checks what the hook returned (never `undefined`) and applies it. True ends the pass: a short-circuit.
   * Throws HookResultError before anything is applied when the shape is wrong.
   */
  accept(entry: HookEntry, returned: unknown): boolean;
  /** A guard failed closed: the pass's outcome is this error. */
  deny(error: ErrorInfo): void;
}
