/** What a package says about the error codes that it makes; `docs/reference/errors.md` is generated from these entries. */

export interface ErrorEntry {
  /**
   * HTTP status towards the client. `none`: no client sees it; it stands in the log, a plugin's status or the program's last
   * message. `various`: whoever caused it states the status.
   */
  readonly status: number | 'none' | 'various';
  /** One sentence: what happened. */
  readonly cause: string;
  /** One sentence: what to do about it. */
  readonly remedy: string;
}

/** Code -> entry. Every code that a package makes is in its catalogue, once; a test compares them with the source. */
export type ErrorCatalogue = Readonly<Record<string, ErrorEntry>>;
