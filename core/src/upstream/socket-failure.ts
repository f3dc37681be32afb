/** Bytes that a failed socket had received before: above 0 it had served earlier requests. Set on errors of direct connections. */
export const bytesReadBefore: unique symbol = Symbol('bytesReadBefore');

/** An error of a socket, with what the connector noted on it. */
export interface SocketFailure extends Error {
  readonly code?: string;
  [bytesReadBefore]?: number;
  /** undici's SocketError carries the socket's counters. */
  readonly socket?: { readonly bytesRead?: number } | null;
}
