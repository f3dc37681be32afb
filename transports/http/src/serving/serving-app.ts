import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Engine, InboundRoute } from '@bifrost/core';
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../logging/logger.ts';
import type { ThreadConfig } from '../supervisor/messages.ts';
import { answerClientError } from './client-error.ts';
import type { TransportError } from './error-shape.ts';
import { parseGenaiAction } from './genai-action.ts';
import { createHttpServer } from './http-server.ts';
import type { ThreadMetrics } from './metrics/thread-metrics.ts';
import { explainUnknownGenaiAction, explainUnrouted } from './not-found.ts';
import { OriginGuard } from './origin-guard.ts';
import { readBody } from './read-body.ts';
import type { BodyFailure } from './read-body.ts';
import { formatRequestTarget, parseRequestTarget } from './request-path.ts';
import { requestIdOf } from './request-id.ts';
import { HttpResponseSink } from './response-sink.ts';
import { routeTable, surfaceOf } from './route-table.ts';
import type { RouteEntry } from './route-table.ts';
import { sendError } from './send-error.ts';

/** Answers a route that is not inference: lists, health, metrics. Errors it throws become a 500. */
export type PlainHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  route: RouteEntry,
) => void | Promise<void>;

export interface ServingAppOptions {
  readonly engine: Engine;
  readonly config: ThreadConfig;
  readonly isLoopback: boolean;
  readonly logger: Logger;
  readonly metrics: ThreadMetrics;
  readonly plainHandlers: Readonly<Record<Exclude<RouteEntry['kind'], 'inference' | 'genai-action'>, PlainHandler>>;
}

/** What went wrong with a body, as the caller is told. */
function explainBody(failure: Exclude<BodyFailure, 'aborted'>, limit: number): TransportError {
  if (failure === 'stalled') {
    return { statusCode: 408, code: 'BF_HTTP_BODY_STALLED', message: 'the rest of the request body did not arrive' };
  }
  const megabytes = Math.round(limit / 1024 / 1024);
  return {
    statusCode: 413,
    code: 'BF_HTTP_BODY_TOO_LARGE',
    message: `the request body is larger than ${megabytes} MB; the limit is client.max_request_body_size_mb`,
  };
}

/**
 * The HTTP side of one serving thread: checks what concerns the connection, finds the route, reads the body, hands over to the
 * engine. Fastify routes; the answers of the engine go straight to Node's response.
 */
export class ServingApp {
  readonly server: Server;
  readonly #options: ServingAppOptions;
  readonly #fastify: FastifyInstance;
  #config: ThreadConfig;
  #guard: OriginGuard;
  #isDraining = false;
  #onIdle: (() => void) | undefined;

  /** Call `ready` before the server listens. */
  constructor(options: ServingAppOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#guard = this.#createGuard(options.config);
    let server: Server | undefined;
    this.#fastify = fastify({
      logger: false,
      routerOptions: { maxParamLength: 4096 },
      clientErrorHandler: (error, socket) =>
        answerClientError(error, socket as Parameters<typeof answerClientError>[1]),
      serverFactory: (handler) => {
        server = createHttpServer((request, response) => this.#enter(request, response, handler));
        return server;
      },
    });
    if (server === undefined) throw new TypeError('fastify did not create its server');
    this.server = server;
    this.#registerRoutes();
  }

  async ready(): Promise<void> {
    await this.#fastify.ready();
  }

  /** Swaps the configuration for new requests. */
  configure(config: ThreadConfig): void {
    this.#config = config;
    this.#guard = this.#createGuard(config);
  }

  /** From now on every answer closes its connection. Resolves when no request is under way. */
  drain(): Promise<void> {
    this.#isDraining = true;
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#options.metrics.inFlight === 0) resolve();
    });
  }

  #createGuard({ client, allowedHeaders }: ThreadConfig): OriginGuard {
    const { isLoopback } = this.#options;
    return new OriginGuard({ isLoopback, allowedOrigins: client.allowedOrigins, allowedHeaders });
  }

  #registerRoutes(): void {
    const app = this.#fastify;
    // Every request is taken over before Fastify looks at its content type and body: bodies are read by us, once, into one
    // buffer, and only where the route wants one. The handlers themselves are never reached.
    const handler = (): void => undefined;
    for (const entry of routeTable) {
      app.route({
        method: entry.method,
        url: entry.path,
        onRequest: (request, reply) => {
          reply.hijack();
          this.#dispatch(entry, request.raw, reply.raw);
        },
        handler,
      });
    }
    app.addHook('onRequest', (request, reply, done) => {
      if (!request.is404) return done();
      reply.hijack();
      this.#refuseUnrouted(request.raw, reply.raw);
      return undefined;
    });
    app.setErrorHandler((error, request, reply) => {
      reply.hijack();
      const statusCode = (error as { statusCode?: number }).statusCode ?? 500;
      const isCallers = statusCode >= 400 && statusCode < 500;
      if (!isCallers) this.#options.logger.error('a request failed in the router', { error: String(error) });
      this.#refuse(request.raw, reply.raw, {
        statusCode: isCallers ? statusCode : 500,
        code: isCallers ? 'BF_HTTP_MALFORMED' : 'BF_HTTP_FAILED',
        message: isCallers ? (error as Error).message : 'the gateway failed to handle the request',
      });
    });
  }

  /** Every request passes here first: counted, its path decoded once, its origin checked. */
  #enter(
    request: IncomingMessage,
    response: ServerResponse,
    handler: (request: IncomingMessage, response: ServerResponse) => void,
  ): void {
    this.#watch(request, response);
    if (this.#isDraining) response.shouldKeepAlive = false;
    const headError = checkHead(request);
    if (headError !== undefined) {
      this.#refuse(request, response, headError);
      return;
    }
    const target = parseRequestTarget(request.url ?? '/');
    if ('error' in target) {
      const message = `${target.error}; expected an absolute path in UTF-8`;
      this.#refuse(request, response, { statusCode: 400, code: 'BF_HTTP_PATH_INVALID', message });
      return;
    }
    const verdict = this.#guard.check(request);
    if (verdict !== 'ok') {
      this.#refuse(request, response, explainVerdict(verdict));
      return;
    }
    if (request.headers.origin !== undefined && this.#answerBrowser(request, response)) return;
    if (request.url?.includes('%') === true || request.url?.startsWith('/') !== true) {
      request.url = formatRequestTarget(target);
    }
    handler(request, response);
  }

  /** CORS. True where the request was a preflight and is answered. */
  #answerBrowser(request: IncomingMessage, response: ServerResponse): boolean {
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      const headers = this.#guard.preflightHeaders(request);
      response.setHeader('x-request-id', requestIdOf(request));
      response.writeHead(headers === undefined ? 403 : 204, headers).end();
      return true;
    }
    for (const [name, value] of Object.entries(this.#guard.corsHeaders(request) ?? {})) response.setHeader(name, value);
    return false;
  }

  #watch(request: IncomingMessage, response: ServerResponse): void {
    const { metrics, logger } = this.#options;
    const startedAt = performance.now();
    metrics.inFlight += 1;
    response.once('close', () => {
      metrics.inFlight -= 1;
      const seconds = (performance.now() - startedAt) / 1000;
      const path = (request as RoutedMessage).bifrostRoute ?? 'unmatched';
      metrics.countAnswer(path, knownMethod(request.method), response.headersSent ? response.statusCode : 499, seconds);
      if (logger.isDebug)
        logger.debug('request', { method: request.method ?? '', path, status: response.statusCode, seconds });
      if (this.#isDraining && metrics.inFlight === 0) this.#onIdle?.();
    });
  }

  #dispatch(entry: RouteEntry, request: IncomingMessage, response: ServerResponse): void {
    (request as RoutedMessage).bifrostRoute = entry.path;
    if (entry.auth === 'inference' && !this.#hasRequiredHeaders(entry, request, response)) return;
    switch (entry.kind) {
      case 'inference':
        if (entry.inbound !== undefined) this.#infer(entry, entry.inbound, request, response);
        break;
      case 'genai-action':
        this.#inferGenai(entry, request, response);
        break;
      default:
        this.#answerPlainly(entry, this.#options.plainHandlers[entry.kind], request, response);
    }
  }

  #hasRequiredHeaders(entry: RouteEntry, request: IncomingMessage, response: ServerResponse): boolean {
    for (const name of this.#config.client.requiredHeaders) {
      if (request.headers[name] !== undefined) continue;
      const message = `the header ${name} is missing; this gateway requires it (client.required_headers)`;
      const error = { statusCode: 400, code: 'BF_HTTP_HEADER_MISSING', message } as const;
      sendError(request, response, error, { surface: entry.surface });
      return false;
    }
    return true;
  }

  #inferGenai(entry: RouteEntry, request: IncomingMessage, response: ServerResponse): void {
    const target = parseRequestTarget(request.url ?? '');
    if ('error' in target) return;
    const rest = target.path.slice(entry.path.length - 1);
    const inbound = parseGenaiAction(rest, target.query);
    if (inbound === undefined) {
      sendError(request, response, explainUnknownGenaiAction(rest), { surface: entry.surface });
    } else this.#infer({ ...entry, path: target.path }, inbound, request, response);
  }

  #infer(entry: RouteEntry, route: InboundRoute, request: IncomingMessage, response: ServerResponse): void {
    const startedAt = performance.now();
    const limit = this.#config.client.maxRequestBodyBytes;
    readBody(request, limit, (failure, body) => {
      if (failure === 'aborted') return;
      if (failure !== null) {
        sendError(request, response, explainBody(failure, limit), { surface: entry.surface });
        return;
      }
      const url = request.url ?? '';
      const mark = url.indexOf('?');
      const inbound = {
        requestId: requestIdOf(request),
        route,
        method: request.method ?? 'POST',
        path: entry.path,
        query: mark === -1 ? '' : url.slice(mark + 1),
        headers: request.headers,
        body,
        startedAt,
      };
      // The engine never rejects; a failure here is a defect of its own that must end the request, not the thread.
      this.#options.engine.handle(inbound, new HttpResponseSink(response)).catch((error: unknown) => {
        this.#options.logger.error('the engine failed', { error: String(error), request_id: inbound.requestId });
        if (response.headersSent) response.destroy();
        else this.#refuse(request, response, failedError);
      });
    });
  }

  #answerPlainly(entry: RouteEntry, handler: PlainHandler, request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('x-request-id', requestIdOf(request));
    const run = async (): Promise<void> => handler(request, response, entry);
    run().catch((error: unknown) => {
      this.#options.logger.error('a route failed', { path: entry.path, error: String(error) });
      if (response.headersSent) response.destroy();
      else this.#refuse(request, response, failedError);
    });
  }

  #refuseUnrouted(request: IncomingMessage, response: ServerResponse): void {
    const target = parseRequestTarget(request.url ?? '/');
    const path = 'error' in target ? '/' : target.path;
    const { error, headers } = explainUnrouted(request.method ?? 'GET', path);
    sendError(request, response, error, { surface: surfaceOf(path), ...(headers === undefined ? {} : { headers }) });
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: TransportError): void {
    sendError(request, response, error, { surface: surfaceOf(request.url ?? '/') });
  }
}

interface RoutedMessage extends IncomingMessage {
  /** The route's path in the table, for metrics. */
  bifrostRoute?: string;
}

const failedError: TransportError = {
  statusCode: 500,
  code: 'BF_HTTP_FAILED',
  message: 'the gateway failed to handle the request',
};

/** Names and values in turn: 2000 headers. Node bounds their bytes, and would drop what is above a count in silence. */
const maxRawHeaders = 4000;

function checkHead(request: IncomingMessage): TransportError | undefined {
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
  return undefined;
}

const countedMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function knownMethod(method: string | undefined): string {
  return method !== undefined && countedMethods.has(method) ? method : 'other';
}

function explainVerdict(verdict: 'host' | 'origin'): TransportError {
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
