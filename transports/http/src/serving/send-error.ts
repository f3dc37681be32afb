import type { IncomingMessage, ServerResponse } from 'node:http';
import { formatError } from './error-shape.ts';
import type { TransportError } from './error-shape.ts';
import { requestIdOf } from './request-id.ts';
import type { Surface } from './route-table.ts';

/** How long the rest of a refused body is read and thrown away, so that the client gets to read the answer. */
const lingerMs = 2000;

export interface SendErrorOptions {
  readonly surface: Surface;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers with an error in the shape of its surface. An unfinished request body is discarded, then the connection closed. */
export function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  error: TransportError,
  options: SendErrorOptions,
): void {
  if (response.headersSent || response.destroyed) return;
  const body = formatError(options.surface, error);
  const headers: Record<string, string> = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'x-request-id': requestIdOf(request),
    ...(error.retryAfterSeconds === undefined ? {} : { 'retry-after': String(error.retryAfterSeconds) }),
    ...options.headers,
  };
  if (request.complete) {
    response.writeHead(error.statusCode, headers).end(body);
    return;
  }
  // Node closes the socket once a last answer has ended: with bytes of the request unread that is a reset, and the answer
  // is lost on its way. So the answer is written whole, and ended when the client is done or has had its time.
  response.shouldKeepAlive = false;
  response.writeHead(error.statusCode, headers);
  response.write(body);
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, lingerMs);
  timer.unref();
  request.once('end', end);
  request.once('close', end);
  request.resume();
}
