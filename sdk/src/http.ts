/** HTTP values as hooks see them: plain data, header names in lower case, every value kept. */
export type HeaderMap = Readonly<Record<string, string | readonly string[]>>;

/** A caller's request, before it is known what it asks of a model. */
export interface HttpRequest {
  readonly method: string;
  /** Decoded and normalised once, without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  /** By lower-case name; `headerValue(headers, name)` reads one. */
  readonly headers: HeaderMap;
  /** The body's bytes; present only for hooks that declare `reads: 'body'`. */
  readonly body?: Uint8Array;
}

/** A whole answer: one that a hook gives in the place of the gateway's, or the gateway's as `httpTransportPostHook` sees it. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: HeaderMap;
  readonly body?: Uint8Array | string;
}

/** Status and headers of an answer whose body is not shown. */
export interface HttpResponseHead {
  readonly statusCode: number;
  readonly headers: HeaderMap;
}

/** The first value of a header, whatever the case of `name`; undefined when absent. */
export function headerValue(headers: HeaderMap, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return typeof value === 'string' ? value : value?.[0];
}
