/** A call of the admin API on its way from a serving thread, which has checked the credential, to the supervisor. Plain data. */

export interface AdminRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly contentType?: string;
  readonly body?: Uint8Array;
}

export interface AdminAnswer {
  readonly statusCode: number;
  /** JSON; bytes with a content type of their own in `headers`. */
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What answers the calls. */
export interface AdminHandler {
  /** Never rejects. */
  handle(request: AdminRequest): Promise<AdminAnswer>;
}
