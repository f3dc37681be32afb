/** Where a call goes: `origin` for the connection pool, `path` in front of every request path. */
export interface UpstreamAddress {
  readonly origin: string;
  /** Without a trailing slash; empty for a bare host. */
  readonly path: string;
}

/** Splits a base URL. Throws TypeError for what is no URL: configuration is validated before it comes here. */
export function parseAddress(baseUrl: string): UpstreamAddress {
  const url = new URL(baseUrl);
  return { origin: url.origin, path: url.pathname.replace(/\/+$/, '') };
}
