import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { answerClientError } from '../client-error.ts';
import type { Destination } from '../destination.ts';
import type { ReceivedBody } from '../bodies/received-body.ts';
import type { BodyTaker } from '../gateway-request.ts';
import type { BodyFailure, BodyListener, BodySource } from '../read-body.ts';
import type { RouteEntry } from '../route-table.ts';
import { PlainConnection } from './plain-connection.ts';
import type { PlainExchange } from './plain-exchange.ts';
import type { PlainHead } from './plain-head.ts';

/** Where a plain request goes. */
export interface PlainRoute {
  readonly entry: RouteEntry;
  readonly destination: Destination;
}

/** What serves the requests of plain connections. */
export interface PlainListener {
  /** The route of a request, or undefined where Node's way has to decide: it is unknown, refused, or needs more than a body. */
  admit(head: PlainHead): PlainRoute | undefined;
  plainEntered(exchange: PlainExchange): void;
  /** What takes in a body that is large by its stated length. */
  takeLargeBody(exchange: PlainExchange, source: BodySource, listener: BodyListener): BodyTaker;
  startPlain(exchange: PlainExchange, body: ReceivedBody): void;
  /** The body did not come. */
  refusePlain(exchange: PlainExchange, failure: Exclude<BodyFailure, 'aborted'>): void;
  /** The answer has left, or its client has. */
  plainEnded(exchange: PlainExchange): void;
}

/** How long a client may let a connection wait. */
export interface PlainLimits {
  readonly firstHeadMs: number;
  readonly keepAliveMs: number;
  readonly bodyStallMs: number;
}

type ConnectionListener = (this: Server, socket: Socket) => void;

const checkIntervalMs = 5000;

/**
 * Stands in front of a Node HTTP server and serves requests that are plain, over their sockets; every other connection goes on to
 * that server as if it had come there. Node's request and response objects cost more than the gateway's own work on a request
 * (docs/decisions/0012): most requests are a POST with a length, and need none of what these can do.
 */
export class PlainFront {
  readonly limits: PlainLimits;
  readonly listener: PlainListener;
  readonly #connections = new Set<PlainConnection>();
  readonly #giveToNode: (socket: Socket) => void;
  /** What the head of an answer says of a connection that stays. */
  readonly keptAliveLines: string;
  #isKeptAlive = true;

  /** Takes the place of the server's own listener for connections. */
  constructor(server: Server, listener: PlainListener, limits: PlainLimits) {
    this.listener = listener;
    this.limits = limits;
    this.keptAliveLines = `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(limits.keepAliveMs / 1000)}\r\n`;
    const listeners = server.listeners('connection') as ConnectionListener[];
    server.removeAllListeners('connection');
    this.#giveToNode = (socket) => {
      for (const listen of listeners) listen.call(server, socket);
    };
    server.on('connection', (socket: Socket) => {
      this.#connections.add(new PlainConnection(socket, this, false));
    });
    server.on('listening', () => this.#watch(server));
  }

  /** False once every answer is the last of its connection. */
  get isKeptAlive(): boolean {
    return this.#isKeptAlive;
  }

  /** From now on every answer closes its connection. */
  stopKeepingAlive(): void {
    this.#isKeptAlive = false;
  }

  closeIdleConnections(): void {
    for (const connection of this.#connections) if (connection.isIdle) connection.close();
  }

  /** Serves a connection that is between two requests. */
  adopt(socket: Socket): void {
    this.#connections.add(new PlainConnection(socket, this, true));
  }

  /** The sockets of connections of which nothing is read that was not answered. They are the caller's from now on. */
  takeIdle(): readonly Socket[] {
    const untouched = [...this.#connections].filter((connection) => connection.isUntouched);
    return untouched.map((connection) => connection.release());
  }

  forget(connection: PlainConnection): void {
    this.#connections.delete(connection);
  }

  giveToNode(socket: Socket): void {
    this.#giveToNode(socket);
  }

  /** Answers a connection on which no request came, as Node's server does. */
  refuseSilent(socket: Socket): void {
    answerClientError(Object.assign(new Error('no request came'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  }

  #watch(server: Server): void {
    const timer = setInterval(() => {
      const now = Date.now();
      for (const connection of this.#connections) connection.check(now);
      // Connections that came on other handles than the server's own outlive its end.
      if (!server.listening && this.#connections.size === 0) clearInterval(timer);
    }, checkIntervalMs);
    timer.unref();
  }
}
