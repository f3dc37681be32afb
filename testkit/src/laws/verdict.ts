import type { Recording } from '../recordings.ts';

/** The laws of docs/architecture.md section 2 that recordings can prove without a network. */
export type Law = 'round-trip' | 'across-dialects' | 'framing';

/** Which half of an exchange was put to the test. */
export type Subject = 'request' | 'response' | 'stream';

/** One recording before one law. */
export interface Verdict {
  readonly law: Law;
  readonly recording: Recording;
  readonly subject: Subject;
  /** The other dialect, for `across-dialects`. */
  readonly target?: string;
  /** What was lost, added or changed without a word; empty: the law holds. */
  readonly failures: readonly string[];
}

/** Builds a verdict. */
export function verdict(
  head: Pick<Verdict, 'law' | 'recording' | 'subject' | 'target'>,
  failures: readonly string[],
): Verdict {
  return { ...head, failures };
}
