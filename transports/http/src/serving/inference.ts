import type { IncomingHttpHeaders } from 'node:http';
import type { Engine, InboundRequest } from '@bifrost/core';
import type { Logger } from '../logging/logger.ts';
import type { ThreadConfig } from '../supervisor/messages.ts';
import { decodeBody } from './decode-body.ts';
import { destinationOf, genaiActionPart } from './destination.ts';
import type { Destination } from './destination.ts';
import { formatError } from './error-shape.ts';
import type { TransportError } from './error-shape.ts';
import { largeBodyBytes } from './bodies/body-store.ts';
import type { BodyStore } from './bodies/body-store.ts';
import type { ReceivedBody } from './bodies/received-body.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayRequest } from './gateway-request.ts';
import { explainUnknownGenaiAction } from './not-found.ts';
import type { PlainExchange } from './plain/plain-exchange.ts';
import { readBody, statedLength, takeInBody } from './read-body.ts';
import type { BodyFailure, BodyListener } from './read-body.ts';
import { explainBody, failedError } from './refusals.ts';
import { requestIdOf } from './request-id.ts';
import { parseRequestTarget } from './request-path.ts';
import { HttpResponseSink } from './response-sink.ts';
import type { RouteEntry } from './route-table.ts';
import { sendError } from './send-error.ts';

/** The way of an inference request into the engine: its body is read, then the engine answers. */
export class Inference {
  readonly #engine: Engine;
  readonly #logger: Logger;
  readonly #bodies: BodyStore;

  constructor({ engine, logger, bodies }: InferenceParts) {
    this.#engine = engine;
    this.#logger = logger;
    this.#bodies = bodies;
  }

  /** Starts an `inference` or `genai-action` route. */
  start(entry: RouteEntry, exchange: Exchange, { client, authenticate }: InferenceTerms): void {
    if (!this.hasRequiredHeaders(entry, exchange, client)) return;
    const { request, response } = exchange;
    const url = request.url ?? '';
    const destination = destinationOf(entry, url, client.maxRequestBodyBytes);
    if (destination !== undefined) {
      this.#read(entry, { ...destination, authenticate }, exchange);
      return;
    }
    const target = parseRequestTarget(url);
    const action = 'error' in target ? '' : genaiActionPart(entry, target.path);
    sendError(request, response, explainUnknownGenaiAction(action), { surface: entry.surface });
  }

  /** Hands a plain request to the engine. */
  startPlain(exchange: PlainExchange, body: ReceivedBody): void {
    const { plainHead, startedAt } = exchange;
    const { route, path, query } = exchange.route.destination;
    const { headers } = plainHead;
    const inbound = { requestId: requestIdOf(plainHead), route, method: 'POST', path, query, headers, body, startedAt };
    const handled = this.#engine.handle(inbound, exchange).catch((error: unknown) => {
      this.#logger.error('the engine failed', { error: String(error), request_id: inbound.requestId });
      if (exchange.statusCode !== 0) exchange.destroy();
      else this.refusePlain(exchange, failedError);
    });
    if (!Buffer.isBuffer(body)) void handled.then(() => body.release());
  }

  /** Says on a plain connection why a body was not taken. */
  refusePlainBody(exchange: PlainExchange, failure: Exclude<BodyFailure, 'aborted'>): void {
    this.refusePlain(exchange, this.#explain(failure, exchange.route.destination.limit));
  }

  refusePlain(exchange: PlainExchange, error: TransportError): void {
    exchange.head(error.statusCode, {
      'content-type': 'application/json; charset=utf-8',
      'x-request-id': requestIdOf(exchange.plainHead),
      ...(error.retryAfterSeconds === undefined ? {} : { 'retry-after': String(error.retryAfterSeconds) }),
    });
    exchange.end(formatError(exchange.route.entry.surface, error));
  }

  /** False where a header that the operator requires is missing; the caller has then been told. */
  hasRequiredHeaders(entry: RouteEntry, { request, response }: Exchange, client: ThreadConfig['client']): boolean {
    const missing = missingHeader(request, client);
    if (missing === undefined) return true;
    const message = `the header ${missing} is missing; this gateway requires it (client.required_headers)`;
    const error = { statusCode: 400, code: 'BF_HTTP_HEADER_MISSING', message } as const;
    sendError(request, response, error, { surface: entry.surface });
    return false;
  }

  #read(entry: RouteEntry, destination: AuthenticatedDestination, exchange: Exchange): void {
    const { request, response } = exchange;
    const { limit } = destination;
    const stated = statedLength(request);
    // One whose length nobody knows may take as much as a small body can.
    this.#hold(exchange, stated > largeBodyBytes ? 0 : stated === -1 ? largeBodyBytes : stated);
    const listener: BodyListener = (failure, body) => {
      this.#hold(exchange, failure === null && Buffer.isBuffer(body) ? body.length : 0);
      if (failure === null) this.#hand(destination, exchange, body);
      else if (failure !== 'aborted') {
        sendError(request, response, this.#explain(failure, limit), { surface: entry.surface });
      }
    };
    const encoding = request.headers['content-encoding'];
    if (encoding === undefined) takeInBody(request, destination, { store: this.#bodies, listener });
    else this.#readEncoded(request, { encoding, stated, limit }, listener);
  }

  /** A compressed body is held in memory, before and after. */
  #readEncoded(request: GatewayRequest, { encoding, stated, limit }: EncodedTerms, listener: BodyListener): void {
    if (stated > largeBodyBytes && !this.#bodies.ledger.hasRoomFor(stated)) {
      listener('no-room', noBytes);
      return;
    }
    readBody(request, limit, (failure, body) => {
      if (failure === null) decodeBody(body, encoding, limit, listener);
      else listener(failure, body);
    });
  }

  /** So much of its body is in memory from now on, until the exchange is over. */
  #hold(exchange: Exchange, bytes: number): void {
    if (exchange.isOver) return;
    this.#bodies.ledger.take(bytes - exchange.heldBytes);
    exchange.heldBytes = bytes;
  }

  #explain(failure: Exclude<BodyFailure, 'aborted'>, limit: number): TransportError {
    if (failure === 'no-room' || failure === 'not-stored') this.#bodies.noteRefused();
    return explainBody(failure, { limit, roomBytes: this.#bodies.ledger.limit });
  }

  #hand({ route, path, query, authenticate }: AuthenticatedDestination, exchange: Exchange, body: ReceivedBody): void {
    const { request, response, startedAt } = exchange;
    const { method = 'POST' } = request;
    const headers = bodyHeaders(request.headers, body);
    const inbound = {
      requestId: requestIdOf(request),
      route,
      method,
      path,
      query,
      headers,
      body,
      startedAt,
      ...(authenticate === undefined ? {} : { authenticate }),
    };
    // The engine never rejects; a failure here is a defect of its own that must end the request, not the thread.
    const handled = this.#engine.handle(inbound, new HttpResponseSink(exchange)).catch((error: unknown) => {
      this.#logger.error('the engine failed', { error: String(error), request_id: inbound.requestId });
      if (response.headersSent) response.destroy();
      else sendError(request, response, failedError, { surface: 'unified' });
    });
    if (!Buffer.isBuffer(body)) void handled.then(() => body.release());
  }
}

/** The headers as they are true of the body that the engine and its plugins see. */
function bodyHeaders(headers: IncomingHttpHeaders, body: ReceivedBody): IncomingHttpHeaders {
  if (headers['content-encoding'] === undefined) return headers;
  const { 'content-encoding': _, ...others } = headers;
  return { ...others, 'content-length': String(body.length) };
}

const noBytes = Buffer.alloc(0);

interface EncodedTerms {
  readonly encoding: string;
  readonly stated: number;
  readonly limit: number;
}

interface InferenceParts {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly bodies: BodyStore;
}

/** On what terms a request is taken in. */
export interface InferenceTerms {
  readonly client: ThreadConfig['client'];
  /** The caller has still to be let in, once the plugins have seen the credentials. */
  readonly authenticate?: InboundRequest['authenticate'];
}

type AuthenticatedDestination = Destination & Pick<InferenceTerms, 'authenticate'>;

/** The first header that the operator requires and the request does not have. */
export function missingHeader(
  { headers }: { readonly headers: Readonly<Record<string, unknown>> },
  { requiredHeaders }: ThreadConfig['client'],
): string | undefined {
  return requiredHeaders.find((name) => headers[name] === undefined);
}
