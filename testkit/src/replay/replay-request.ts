import type { IncomingHttpHeaders } from 'node:http';
import type { Json, JsonObject } from '@bifrost/sdk';

/** What arrived at the replay upstream, as it came over the wire. */
export class ReplayRequest {
  readonly method: string;
  /** The request target as sent, its query included. */
  readonly path: string;
  /** Name and value in turn, in the order and spelling of the wire, repeated headers kept. */
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingHttpHeaders;
  /** Milliseconds since 1970 at which the head arrived. */
  readonly receivedAt: number;
  /** Number of the connection it came on; 1 is the first. */
  readonly connection: number;
  /** The body's bytes so far; whole once `received` is resolved. */
  body: Buffer = Buffer.alloc(0);
  /** The recording that answers, once chosen. */
  answeredBy: string | undefined;
  /** Bytes of the answer's body handed to the socket so far (before compression). */
  bytesSent = 0;
  /** Writes of the answer's body so far. */
  writesSent = 0;
  /** Milliseconds since 1970 at which the answer was complete. */
  finishedAt: number | undefined;
  /** Milliseconds since 1970 at which the connection was closed, whoever did it. */
  closedAt: number | undefined;
  /** True where the connection was closed before the answer was complete and not by the upstream's own fault. */
  isAborted = false;
  /** Resolves when the body is complete; with false where the connection was closed before. */
  readonly received: Promise<boolean>;
  /** Resolves with `closedAt` when the connection is closed. */
  readonly closed: Promise<number>;
  readonly #chunks: Buffer[] = [];
  readonly #resolveReceived: (isWhole: boolean) => void;
  readonly #resolveClosed: (at: number) => void;

  constructor(head: {
    readonly method: string;
    readonly path: string;
    readonly rawHeaders: readonly string[];
    readonly headers: IncomingHttpHeaders;
    readonly connection: number;
  }) {
    this.method = head.method;
    this.path = head.path;
    this.rawHeaders = head.rawHeaders;
    this.headers = head.headers;
    this.connection = head.connection;
    this.receivedAt = Date.now();
    const received = Promise.withResolvers<boolean>();
    const closed = Promise.withResolvers<number>();
    this.received = received.promise;
    this.closed = closed.promise;
    this.#resolveReceived = received.resolve;
    this.#resolveClosed = closed.resolve;
  }

  /** The raw header lines as name-value pairs. */
  get headerPairs(): readonly (readonly [string, string])[] {
    const pairs: [string, string][] = [];
    for (let at = 0; at + 1 < this.rawHeaders.length; at += 2) {
      pairs.push([this.rawHeaders[at] as string, this.rawHeaders[at + 1] as string]);
    }
    return pairs;
  }

  /** The body as JSON; throws SyntaxError where it is none. */
  json(): JsonObject {
    return JSON.parse(this.body.toString('utf8')) as JsonObject;
  }

  /** The body as JSON, or undefined where it is none. */
  tryJson(): Json | undefined {
    try {
      return this.json();
    } catch {
      return undefined; // multipart, empty or broken: matching goes on without it
    }
  }

  /** For the server: a piece of the body. */
  addChunk(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  /** For the server: the body is whole, or will never be. */
  endBody(isWhole: boolean): void {
    this.body = Buffer.concat(this.#chunks);
    this.#resolveReceived(isWhole);
  }

  /** For the server: the connection is closed. */
  markClosed(): void {
    if (this.closedAt !== undefined) return;
    this.closedAt = Date.now();
    this.#resolveClosed(this.closedAt);
  }
}
