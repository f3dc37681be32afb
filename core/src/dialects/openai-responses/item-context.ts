import type { Part } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';

/** Where the items go, which decides what may be said in them. */
export interface ItemContext {
  readonly report: LossReport;
  /** `request`: to a provider, which gets only its own opaque values. `response`: to a client, which carries everybody's. */
  readonly mode: 'request' | 'response';
  /** Makes the id of an item that has none, e.g. `msg_...`. */
  readonly newId: (prefix: string) => string;
  /** Reasoning text is written as a summary, which is what the client asked to see. */
  readonly isSummaryWanted?: boolean;
  /** The provider takes reasoning texts back that it cannot prove to be its own. */
  readonly isPlainReasoningAccepted?: boolean;
  /** Reports with the place of a part in their paths. */
  readonly reportOfPart?: (part: Part) => LossReport;
  /** The status of unfinished items at the end of a response. */
  readonly status?: string;
}

/** The report for losses of one part. */
export function reportOf(context: ItemContext, part: Part): LossReport {
  return context.reportOfPart?.(part) ?? context.report;
}
