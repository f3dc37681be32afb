import type { Engine, InboundRequest, InboundRoute } from '@bifrost/core';
import type { Logger } from '../logging/logger.ts';
import type { ThreadConfig } from '../supervisor/messages.ts';
import type { Exchange } from './exchange.ts';
import { parseGenaiAction } from './genai-action.ts';
import { explainUnknownGenaiAction } from './not-found.ts';
import { readBody } from './read-body.ts';
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

  constructor(engine: Engine, logger: Logger) {
    this.#engine = engine;
    this.#logger = logger;
  }

  /** Starts an `inference` or `genai-action` route. */
  start(entry: RouteEntry, exchange: Exchange, { client, authenticate }: InferenceTerms): void {
    if (!this.hasRequiredHeaders(entry, exchange, client)) return;
    const terms = { limit: client.maxRequestBodyBytes, authenticate };
    if (entry.inbound !== undefined) this.#read(entry, { route: entry.inbound, path: entry.path, ...terms }, exchange);
    else this.#startGenai(entry, terms, exchange);
  }

  /** False where a header that the operator requires is missing; the caller has then been told. */
  hasRequiredHeaders(entry: RouteEntry, { request, response }: Exchange, client: ThreadConfig['client']): boolean {
    for (const name of client.requiredHeaders) {
      if (request.headers[name] !== undefined) continue;
      const message = `the header ${name} is missing; this gateway requires it (client.required_headers)`;
      const error = { statusCode: 400, code: 'BF_HTTP_HEADER_MISSING', message } as const;
      sendError(request, response, error, { surface: entry.surface });
      return false;
    }
    return true;
  }

  #startGenai(entry: RouteEntry, terms: Pick<Destination, 'limit' | 'authenticate'>, exchange: Exchange): void {
    const { request, response } = exchange;
    const target = parseRequestTarget(request.url ?? '');
    if ('error' in target) return;
    const rest = target.path.slice(entry.path.length - 1);
    const route = parseGenaiAction(rest, target.query);
    if (route === undefined) {
      sendError(request, response, explainUnknownGenaiAction(rest), { surface: entry.surface });
    } else this.#read(entry, { route, path: target.path, ...terms }, exchange);
  }

  #read(entry: RouteEntry, destination: Destination, exchange: Exchange): void {
    const { request, response } = exchange;
    readBody(request, destination.limit, (failure, body) => {
      if (failure === null) this.#hand(destination, exchange, body);
      else if (failure !== 'aborted') {
        sendError(request, response, explainBody(failure, destination.limit), { surface: entry.surface });
      }
    });
  }

  #hand({ route, path, authenticate }: Destination, exchange: Exchange, body: Buffer): void {
    const { request, response, startedAt } = exchange;
    const url = request.url ?? '';
    const mark = url.indexOf('?');
    const inbound = {
      requestId: requestIdOf(request),
      route,
      method: request.method ?? 'POST',
      path,
      query: mark === -1 ? '' : url.slice(mark + 1),
      headers: request.headers,
      body,
      startedAt,
      ...(authenticate === undefined ? {} : { authenticate }),
    };
    // The engine never rejects; a failure here is a defect of its own that must end the request, not the thread.
    this.#engine.handle(inbound, new HttpResponseSink(exchange)).catch((error: unknown) => {
      this.#logger.error('the engine failed', { error: String(error), request_id: inbound.requestId });
      if (response.headersSent) response.destroy();
      else sendError(request, response, failedError, { surface: 'unified' });
    });
  }
}

/** On what terms a request is taken in. */
export interface InferenceTerms {
  readonly client: ThreadConfig['client'];
  /** The caller has still to be let in, once the plugins have seen the credentials. */
  readonly authenticate?: InboundRequest['authenticate'];
}

interface Destination extends Pick<InferenceTerms, 'authenticate'> {
  readonly route: InboundRoute;
  /** The path as the engine and its plugins see it. */
  readonly path: string;
  /** Most bytes of the body. */
  readonly limit: number;
}
