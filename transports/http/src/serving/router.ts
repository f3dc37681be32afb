import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { answerClientError } from './client-error.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayRequest } from './gateway-request.ts';
import { createHttpServer } from './http-server.ts';
import { routeTable } from './route-table.ts';
import type { RouteEntry } from './route-table.ts';

/** What becomes of a request. */
export interface RouterListener {
  /** Every request comes here first; `router.route` takes it from there. */
  entered(request: GatewayRequest, response: ServerResponse): void;
  routed(entry: RouteEntry, exchange: Exchange): void;
  unrouted(exchange: Exchange): void;
  failed(error: Error & { readonly statusCode?: number }, exchange: Exchange): void;
}

/** The routes with an exact path, by method and path: nearly every request is for one of them. */
const exactRoutes: ReadonlyMap<string, ReadonlyMap<string, RouteEntry>> = new Map(
  ['GET', 'POST'].map((method) => {
    const entries = routeTable.filter((entry) => entry.method === method && !/[*:]/.test(entry.path));
    return [method, new Map(entries.map((entry) => [entry.path, entry]))];
  }),
);

/** The route whose path is written exactly like the request's target: no query, no escape, no trailing slash. */
export function findExactRoute(method: string | undefined, target: string | undefined): RouteEntry | undefined {
  return exactRoutes.get(method ?? '')?.get(target ?? '');
}

const genaiRoutes = routeTable.filter(({ kind }) => kind === 'genai-action');
/** A target that is decoded to itself, whatever decodes it; the query is passed on as it is. */
const plainTarget = /^[\w\-~:@.,/]+(?:\?[\w\-~:@.,/&=]*)?$/;

/** The inference route of a POST whose target leaves nothing to decode or to decide; undefined where Fastify has to. */
export function findPlainRoute(target: string): RouteEntry | undefined {
  const exact = findExactRoute('POST', target);
  if (exact !== undefined) return exact.kind === 'inference' ? exact : undefined;
  if (!target.startsWith('/genai/') || !plainTarget.test(target) || target.includes('/.')) return undefined;
  return genaiRoutes.find(({ path }) => target.startsWith(path.slice(0, -1)));
}

type RequestListener = (request: GatewayRequest, response: ServerResponse) => void;

/**
 * The server and its routes. Fastify has the whole table and decides everything that is not plain: wildcards, HEAD, other methods,
 * what is not found. A target that is a route's path to the letter needs none of that and spares the 3 µs; so few are something
 * else that Fastify is loaded with the first of them, and a thread starts in a tenth less time.
 */
export class Router {
  readonly server: Server;
  readonly #listener: RouterListener;
  #loading: Promise<RequestListener> | undefined;

  constructor(listener: RouterListener) {
    this.#listener = listener;
    this.server = createHttpServer((request, response) => listener.entered(request, response));
    this.server.on('clientError', (error, socket) =>
      answerClientError(error, socket as Parameters<typeof answerClientError>[1]),
    );
  }

  /** Finds the route of a request whose target has been checked. */
  route(exchange: Exchange): void {
    const { request, response } = exchange;
    const entry = findExactRoute(request.method, request.url);
    if (entry !== undefined) this.#listener.routed(entry, exchange);
    else {
      this.#loading ??= this.#loadFastify();
      this.#loading.then(
        (handle) => handle(request, response),
        (error: unknown) => this.#listener.failed(error instanceof Error ? error : new Error(String(error)), exchange),
      );
    }
  }

  async #loadFastify(): Promise<RequestListener> {
    const { default: fastify } = await import('fastify');
    let handle: RequestListener | undefined;
    const app = fastify({
      logger: false,
      routerOptions: { maxParamLength: 4096 },
      // A name in the path that is longer than that.
      frameworkErrors: (error, request, reply) => {
        reply.hijack();
        this.#listener.failed(error, exchangeOf(request.raw));
      },
      // It has to have a server; requests come to it from ours.
      serverFactory: (listener) => {
        handle = listener;
        return createServer();
      },
    });
    this.#register(app);
    await app.ready();
    if (handle === undefined) throw new TypeError('fastify did not create its server');
    return handle;
  }

  #register(app: FastifyInstance): void {
    // Every request is taken over before Fastify looks at its content type and body: bodies are read by us, once, into one
    // buffer, and only where the route wants one. The handlers themselves are never reached.
    const handler = (): void => undefined;
    for (const entry of routeTable) {
      app.route({
        method: entry.method,
        url: entry.path,
        onRequest: (request, reply) => {
          reply.hijack();
          this.#listener.routed(entry, exchangeOf(request.raw));
        },
        handler,
      });
    }
    app.addHook('onRequest', (request, reply, done) => {
      if (!request.is404) return done();
      reply.hijack();
      this.#listener.unrouted(exchangeOf(request.raw));
      return undefined;
    });
    app.setErrorHandler((error, request, reply) => {
      reply.hijack();
      this.#listener.failed(error as Error, exchangeOf(request.raw));
    });
  }
}

/** The exchange that Fastify's view of a request belongs to. */
function exchangeOf(request: unknown): Exchange {
  const { exchange } = request as GatewayRequest;
  if (exchange === undefined) throw new TypeError('a request was routed before it was entered');
  return exchange;
}
