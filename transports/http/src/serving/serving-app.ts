import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Engine } from '@bifrost/core';
import type { Logger } from '../logging/logger.ts';
import type { ThreadConfig } from '../supervisor/messages.ts';
import { authenticatorOf, callerChallenge, refuseCaller } from './caller-gate.ts';
import type { TransportError } from './error-shape.ts';
import { Exchange } from './exchange.ts';
import type { ExchangeListener } from './exchange.ts';
import type { GatewayRequest } from './gateway-request.ts';
import { acceptedEncodings, refuseEncoding } from './decode-body.ts';
import { destinationOf } from './destination.ts';
import { headTimeoutMs, keepAliveTimeoutMs } from './http-server.ts';
import { Inference, missingHeader } from './inference.ts';
import type { ThreadMetrics } from './metrics/thread-metrics.ts';
import { explainUnrouted } from './not-found.ts';
import { OriginGuard } from './origin-guard.ts';
import type { PlainExchange } from './plain/plain-exchange.ts';
import { PlainFront } from './plain/plain-front.ts';
import type { PlainListener, PlainRoute } from './plain/plain-front.ts';
import type { PlainHead } from './plain/plain-head.ts';
import { largeBodyBytes } from './bodies/body-store.ts';
import type { BodyStore } from './bodies/body-store.ts';
import type { ReceivedBody } from './bodies/received-body.ts';
import type { BodyTaker } from './gateway-request.ts';
import { bodyStallMs } from './read-body.ts';
import type { BodyFailure, BodyListener, BodySource } from './read-body.ts';
import { checkHead, explainRouterFailure, explainVerdict, failedError } from './refusals.ts';
import { formatRequestTarget, parseRequestTarget } from './request-path.ts';
import { requestIdOf } from './request-id.ts';
import { findExactRoute, findPlainRoute, Router } from './router.ts';
import type { RouterListener } from './router.ts';
import { surfaceOf } from './route-table.ts';
import type { RouteEntry } from './route-table.ts';
import { sendError } from './send-error.ts';

/** Answers a route that is not inference: lists, health, metrics. Errors it throws become a 500. */
export type PlainHandler = (
  request: GatewayRequest,
  response: ServerResponse,
  route: RouteEntry,
) => void | Promise<void>;

export interface ServingAppOptions {
  readonly bodies: BodyStore;
  readonly engine: Engine;
  readonly config: ThreadConfig;
  /** Some plugin has a hook before authentication. */
  readonly doPluginsTranslateCredentials: boolean;
  readonly isLoopback: boolean;
  readonly logger: Logger;
  readonly metrics: ThreadMetrics;
  readonly plainHandlers: Readonly<Record<Exclude<RouteEntry['kind'], 'inference' | 'genai-action'>, PlainHandler>>;
}

/**
 * The HTTP side of one serving thread: checks what concerns the connection, finds the route, and hands over to the engine or to a
 * plain handler. The answers go straight to Node's response.
 */
export class ServingApp implements RouterListener, ExchangeListener, PlainListener {
  readonly #options: ServingAppOptions;
  readonly #router: Router;
  readonly #inference: Inference;
  readonly #plain: PlainFront;
  #config: ThreadConfig;
  #guard: OriginGuard;
  #doPluginsTranslateCredentials: boolean;
  #isDraining = false;
  #entries = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: ServingAppOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#doPluginsTranslateCredentials = options.doPluginsTranslateCredentials;
    this.#guard = this.#createGuard(options.config);
    options.bodies.setLimit(options.config.client.maxRequestBytesInFlight);
    this.#inference = new Inference(options);
    this.#router = new Router(this);
    this.#plain = new PlainFront(this.#router.server, this, {
      firstHeadMs: headTimeoutMs,
      keepAliveMs: keepAliveTimeoutMs,
      bodyStallMs,
    });
  }

  /** Requests that have come in so far. */
  get entries(): number {
    return this.#entries;
  }

  get server(): Server {
    return this.#router.server;
  }

  /** Swaps the configuration for new requests. With plugins that translate credentials, callers are judged after these. */
  configure(config: ThreadConfig, doPluginsTranslateCredentials: boolean): void {
    this.#config = config;
    this.#options.bodies.setLimit(config.client.maxRequestBytesInFlight);
    this.#doPluginsTranslateCredentials = doPluginsTranslateCredentials;
    this.#guard = this.#createGuard(config);
  }

  /** From now on every answer closes its connection. Resolves when no request is under way. */
  drain(): Promise<void> {
    this.#isDraining = true;
    this.#plain.stopKeepingAlive();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#options.metrics.inFlight === 0) resolve();
    });
  }

  /** Serves a connection that another thread has begun, and is between two requests. */
  adoptConnection(socket: Socket): void {
    this.#plain.adopt(socket);
  }

  /** Sockets between two requests; they are the caller's from now on. */
  takeIdleConnections(): readonly Socket[] {
    return this.#plain.takeIdle();
  }

  closeIdleConnections(): void {
    this.#plain.closeIdleConnections();
    this.server.closeIdleConnections();
  }

  /** Only what would be served: every refusal is Node's way to explain. */
  admit(head: PlainHead): PlainRoute | undefined {
    const { client } = this.#config;
    const entry = findPlainRoute(head.target);
    if (entry === undefined || head.contentLength > client.maxRequestBodyBytes) return undefined;
    if (head.contentLength > largeBodyBytes && !this.#options.bodies.hasRoom) return undefined;
    if (this.#guard.check(head) !== 'ok' || missingHeader(head, client) !== undefined) return undefined;
    if (refuseCaller(entry.auth, head.headers, this.#config.inferenceKeyHash) !== undefined) return undefined;
    const destination = destinationOf(entry, head.target, client.maxRequestBodyBytes);
    return destination && { entry, destination };
  }

  plainEntered({ heldBytes }: PlainExchange): void {
    this.#entries += 1;
    this.#options.metrics.inFlight += 1;
    this.#options.bodies.ledger.take(heldBytes);
  }

  takeLargeBody({ plainHead, route }: PlainExchange, source: BodySource, listener: BodyListener): BodyTaker {
    const { destination } = route;
    const terms = { limit: destination.limit, expected: plainHead.contentLength, route: destination.route };
    return this.#options.bodies.createReader(source, terms, listener);
  }

  startPlain(exchange: PlainExchange, body: ReceivedBody): void {
    this.#inference.startPlain(exchange, body);
  }

  refusePlain(exchange: PlainExchange, failure: Exclude<BodyFailure, 'aborted'>): void {
    this.#inference.refusePlainBody(exchange, failure);
  }

  plainEnded({ route, statusCode, startedAt, heldBytes }: PlainExchange): void {
    this.#options.bodies.ledger.give(heldBytes);
    this.#countAnswer('POST', route.entry.path, statusCode === 0 ? clientGone : statusCode, startedAt);
  }

  /** Counted, its path decoded once, its origin checked. */
  entered(request: GatewayRequest, response: ServerResponse): void {
    const exchange = new Exchange(request, response, this);
    this.#entries += 1;
    this.#options.metrics.inFlight += 1;
    if (this.#isDraining) response.shouldKeepAlive = false;
    const error = checkHead(request) ?? this.#normalizeTarget(request) ?? this.#checkOrigin(request);
    if (error !== undefined) this.#refuse(exchange, error);
    else if (request.headers.origin === undefined || !this.#answerBrowser(request, response)) {
      this.#router.route(exchange);
    }
  }

  routed(entry: RouteEntry, exchange: Exchange): void {
    exchange.routePath = entry.path;
    const { request, response } = exchange;
    const refusal = refuseCaller(entry.auth, request.headers, this.#config.inferenceKeyHash);
    const isInference = entry.kind === 'inference' || entry.kind === 'genai-action';
    if (refusal !== undefined && !(isInference && this.#doPluginsTranslateCredentials)) {
      sendError(request, response, refusal, { surface: entry.surface, headers: callerChallenge });
      return;
    }
    const encodingRefusal = refuseEncoding(request.headers['content-encoding'], isInference);
    if (encodingRefusal !== undefined) {
      sendError(request, response, encodingRefusal, { surface: entry.surface, headers: acceptedEncodings });
    } else if (isInference) {
      const authenticate = refusal === undefined ? undefined : authenticatorOf(this.#config.inferenceKeyHash);
      this.#inference.start(entry, exchange, { client: this.#config.client, authenticate });
    } else this.#answerPlainly(entry, this.#options.plainHandlers[entry.kind], exchange);
  }

  unrouted({ request, response }: Exchange): void {
    const target = parseRequestTarget(request.url ?? '/');
    const path = 'error' in target ? '/' : target.path;
    const { error, headers } = explainUnrouted(request.method ?? 'GET', path, request.headers.upgrade);
    sendError(request, response, error, { surface: surfaceOf(path), ...(headers === undefined ? {} : { headers }) });
  }

  failed(error: Error & { readonly statusCode?: number }, exchange: Exchange): void {
    const explained = explainRouterFailure(error);
    if (explained === failedError) {
      this.#options.logger.error('a request failed in the router', { error: String(error) });
    }
    this.#refuse(exchange, explained);
  }

  exchangeClosed({ request, response, routePath, startedAt, heldBytes }: Exchange): void {
    this.#options.bodies.ledger.give(heldBytes);
    const status = response.headersSent ? response.statusCode : clientGone;
    this.#countAnswer(knownMethod(request.method), routePath, status, startedAt);
  }

  #countAnswer(method: string, path: string, status: number, startedAt: number): void {
    const { metrics, logger } = this.#options;
    metrics.inFlight -= 1;
    const seconds = (performance.now() - startedAt) / 1000;
    metrics.countAnswer(path, method, status, seconds);
    if (logger.isDebug) logger.debug('request', { method, path, status, seconds });
    if (this.#isDraining && metrics.inFlight === 0) this.#onIdle?.();
  }

  #createGuard({ client, allowedHeaders }: ThreadConfig): OriginGuard {
    const { isLoopback } = this.#options;
    return new OriginGuard({ isLoopback, allowedOrigins: client.allowedOrigins, allowedHeaders });
  }

  /** Decodes the target once, so that what is routed is what was checked. */
  #normalizeTarget(request: GatewayRequest): TransportError | undefined {
    const url = request.url ?? '/';
    if (findExactRoute(request.method, url) !== undefined) return undefined;
    const target = parseRequestTarget(url);
    if ('error' in target) {
      const message = `${target.error}; expected an absolute path in UTF-8`;
      return { statusCode: 400, code: 'BF_HTTP_PATH_INVALID', message };
    }
    // RFC 9112, section 3.2.2: what an absolute target names takes the place of the Host header.
    if (target.authority !== undefined) request.headers.host = target.authority;
    if (url.includes('%') || !url.startsWith('/')) request.url = formatRequestTarget(target);
    return undefined;
  }

  #checkOrigin(request: GatewayRequest): TransportError | undefined {
    const verdict = this.#guard.check(request);
    return verdict === 'ok' ? undefined : explainVerdict(verdict);
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

  #answerPlainly(entry: RouteEntry, handler: PlainHandler, exchange: Exchange): void {
    const { request, response } = exchange;
    if (entry.auth === 'inference' && !this.#inference.hasRequiredHeaders(entry, exchange, this.#config.client)) return;
    response.setHeader('x-request-id', requestIdOf(request));
    const run = async (): Promise<void> => handler(request, response, entry);
    run().catch((error: unknown) => {
      this.#options.logger.error('a route failed', { path: entry.path, error: String(error) });
      if (response.headersSent) response.destroy();
      else this.#refuse(exchange, failedError);
    });
  }

  #refuse({ request, response }: Exchange, error: TransportError): void {
    sendError(request, response, error, { surface: surfaceOf(request.url ?? '/') });
  }
}

/** The client left before any answer (nginx's number for it; nobody receives it). */
const clientGone = 499;
const countedMethods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function knownMethod(method: string | undefined): string {
  return method !== undefined && countedMethods.has(method) ? method : 'other';
}
