import type { UpstreamAddress } from '../upstream/address.ts';

/** Origin and path (with query) of a call below `address`. `path` may be a whole URL: a path override is. */
export function callAddress(address: UpstreamAddress, path: string, query: string): UpstreamAddress {
  if (/^https?:\/\//.test(path)) {
    const url = new URL(path);
    return { origin: url.origin, path: `${url.pathname}${url.search}${query}` };
  }
  return { origin: address.origin, path: `${address.path}${path.startsWith('/') ? '' : '/'}${path}${query}` };
}
