/** What the main thread tells the serving threads to record, and what they send back. Plain data. */

/** Which requests are recorded; every member that is stated has to match. Texts are globs. */
export interface RecordingFilter {
  readonly path?: string;
  readonly provider?: string;
  /** Of the model alone, or of `provider/model`. */
  readonly model?: string;
  readonly isStream?: boolean;
  /** Share of the requests, 0 to 1. */
  readonly sampling?: number;
}

export interface RecordingOrder {
  readonly id: number;
  /** Calls of this plugin are sent, no others. */
  readonly plugin: string;
  readonly filter: RecordingFilter;
  /** Bound of the requests that one thread takes. */
  readonly maxRequests: number;
  /** False: no more requests are taken; the calls of those that were go on. */
  readonly isTaking: boolean;
  /** Int32: characters that threads have sent and the main thread has not written. */
  readonly waiting: SharedArrayBuffer;
}

/** One call as a line of a capture. */
export interface RecordedLine {
  readonly requestId: string;
  readonly line: string;
}

/** What a thread has of one recording. */
export interface RecordedBatch {
  readonly id: number;
  readonly lines: readonly RecordedLine[];
  /** Calls that were no JSON, or found too much waiting. */
  readonly leftOut: number;
  /** The thread has been told that the recording is over, and sends no more. */
  readonly isLast: boolean;
}
