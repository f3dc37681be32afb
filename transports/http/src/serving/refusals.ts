import type { IncomingMessage } from 'node:http';
import { inFlightMessage, retryAfterSeconds } from './bodies/body-ledger.ts';
import type { TransportError } from './error-shape.ts';
import type { GuardVerdict } from './origin-guard.ts';
import type { BodyFailure } from './read-body.ts';

/** Names and values in turn: 2000 headers. Node bounds their bytes, and would drop what is above a count in silence. */
const maxRawHeaders = 4000;

/** What is said of a defect of our own. */
export const failedError: TransportError = {
  statusCode: 500,
  code: 'BF_HTTP_FAILED',
  message: 'the gateway failed to handle the request',
};

/** What is wrong with a request's head, or undefined. */
export function checkHead(request: IncomingMessage): TransportError | undefined {
  if (request.rawHeaders.length > maxRawHeaders) {
    return { statusCode: 431, code: 'BF_HTTP_HEADERS_TOO_MANY', message: 'the request has more than 2000 headers' };
  }
  if (request.headers.host === undefined && request.httpVersionMinor > 0) {
    return {
      statusCode: 400,
      code: 'BF_HTTP_HOST_MISSING',
      message: 'the Host header is missing; HTTP/1.1 requires it',
    };
  }
  if (countHosts(request.rawHeaders) > 1) {
    return { statusCode: 400, code: 'BF_HTTP_HOST_REPEATED', message: 'the request has more than one Host header' };
  }
  return undefined;
}

/** Node keeps the first of several in silence; who stands in front of the gateway may have believed another one. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}

/** What the guard's refusal is called for the caller. */
export function explainVerdict(verdict: Exclude<GuardVerdict, 'ok'>): TransportError {
  if (verdict === 'host') {
    return {
      statusCode: 403,
      code: 'BF_HTTP_HOST_REFUSED',
      message:
        'this gateway listens on loopback and answers to localhost, 127.0.0.1 and [::1] only; the Host is another',
    };
  }
  return {
    statusCode: 403,
    code: 'BF_HTTP_ORIGIN_REFUSED',
    message: 'a web page of this Origin may not call the gateway; add it to client.allowed_origins to let it',
  };
}

/** What went wrong with a body, as the caller is told. */
export function explainBody(
  failure: Exclude<BodyFailure, 'aborted'>,
  { limit, roomBytes }: { readonly limit: number; readonly roomBytes: number },
): TransportError {
  switch (failure) {
    case 'stalled':
      return { statusCode: 408, code: 'BF_HTTP_BODY_STALLED', message: 'the rest of the request body did not arrive' };
    case 'no-room': {
      const message = inFlightMessage(roomBytes);
      return { statusCode: 429, code: 'BF_HTTP_BODIES_IN_FLIGHT', message, retryAfterSeconds };
    }
    case 'not-stored': {
      const message =
        'the request body is large, could not be put into a temporary file, and there is no room for it in memory; send it again in a moment';
      return { statusCode: 503, code: 'BF_HTTP_BODY_NOT_STORED', message, retryAfterSeconds };
    }
    case 'undecodable': {
      const message = 'the request body is not what its content-encoding says; it could not be decompressed';
      return { statusCode: 400, code: 'BF_HTTP_BODY_UNDECODABLE', message };
    }
    case 'too-large':
  }
  const megabytes = Math.round(limit / 1024 / 1024);
  return {
    statusCode: 413,
    code: 'BF_HTTP_BODY_TOO_LARGE',
    message: `the request body is larger than ${megabytes} MB; the limit is client.max_request_body_size_mb`,
  };
}

/** What the router's own failure is called: the caller's fault where it says so, else ours. */
export function explainRouterFailure(error: Error & { readonly statusCode?: number }): TransportError {
  const statusCode = error.statusCode ?? 500;
  if (statusCode < 400 || statusCode >= 500) return failedError;
  return { statusCode, code: 'BF_HTTP_MALFORMED', message: error.message };
}
