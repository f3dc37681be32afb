import type { Law, Subject } from './verdict.ts';

/** A recording that cannot pass a law, through a fault of the provider that answered. */
export interface KnownException {
  readonly law: Law;
  readonly id: string;
  /** Absent: all of the exchange. */
  readonly subject?: Subject;
  /** What the provider did wrong. */
  readonly fault: string;
}

/** At most 1 % of a law's verdicts; a test holds that, and that each entry still fails. */
export const knownExceptions: readonly KnownException[] = [];
