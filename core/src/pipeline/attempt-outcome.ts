import type { AttemptResult } from './attempt.ts';

/** How an attempt ended, or what was thrown while it was formed or its hooks ran. */
export type AttemptOutcome = AttemptResult | { readonly kind: 'thrown'; readonly error: unknown };

/** Told once how an attempt ended; must not throw. */
export type AttemptDone = (outcome: AttemptOutcome) => void;

/** Delivers what `make` returns or promises, and what it throws or rejects with as `thrown`. */
export function deliver(make: () => AttemptResult | Promise<AttemptResult>, tell: AttemptDone): void {
  let result: AttemptOutcome | Promise<AttemptResult>;
  try {
    result = make();
  } catch (error) {
    result = { kind: 'thrown', error };
  }
  if (result instanceof Promise) result.then(tell, (error: unknown) => tell({ kind: 'thrown', error }));
  else tell(result);
}
