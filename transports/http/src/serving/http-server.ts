import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import { GatewayRequest } from './gateway-request.ts';

/** Most bytes of a request's head. Source: Bifrost's `server.read_buffer_size`. */
const maxHeadBytes = 64 * 1024;
/** Slow heads (and connections that send nothing) are ended after this; bodies and answers have no clock here. */
export const headTimeoutMs = 60_000;
/** Above the idle timeouts of the usual load balancers (60 s), so that they close first. */
export const keepAliveTimeoutMs = 75_000;

/** Node's HTTP server with every limit stated: none may cut a long upload or stream, all heads are bounded. */
export function createHttpServer(listener: (request: GatewayRequest, response: ServerResponse) => void): Server {
  const server = createServer(
    {
      IncomingMessage: GatewayRequest,
      maxHeaderSize: maxHeadBytes,
      headersTimeout: headTimeoutMs,
      requestTimeout: 0,
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: 5000,
      insecureHTTPParser: false,
      // Checked by ServingApp, which answers in the shape of the route.
      requireHostHeader: false,
      noDelay: true,
    },
    listener,
  );
  server.timeout = 0;
  server.maxRequestsPerSocket = 0;
  // The bytes are bounded, and ServingApp counts; Node would drop headers above its own count in silence.
  server.maxHeadersCount = 0;
  return server;
}
