import type { DialectName } from '@bifrost/sdk';
import { isMarkedDialect } from './done-marker.ts';

/** How long a provider may leave a stream open behind the last event of its answer. */
const endedMs = 1000;
/** The same while its report of usage may still come: some count for a while. */
const usageMs = 10_000;

/** What a relay knows of an answer that says that it is finished. */
export interface Finished {
  readonly hasTerminal: boolean;
  readonly hasDone: boolean;
  readonly hasUsage: boolean;
}

/** How long the bytes of a finished answer may go on, counted from its last event; comments are none. */
export function endGraceMs(dialect: DialectName, { hasTerminal, hasDone, hasUsage }: Finished): number {
  // In OpenAI's older dialects the event with the reason to finish is not the last one.
  const isLast = hasDone || (hasTerminal && !isMarkedDialect(dialect));
  return isLast || hasUsage ? endedMs : usageMs;
}
