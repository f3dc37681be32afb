import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What came of one request. */
export interface HashedRequest {
  readonly key: string;
  readonly length: number;
  readonly sha256: string;
  readonly contentLength: string | undefined;
}

/** What is done with one request: answered with a status once its body is there, answered at its head, or never. */
export type Treatment = number | 'early' | 'hang';

const answer = JSON.stringify({ id: 'x', object: 'chat.completion', choices: [] });

/** A provider for large bodies: it keeps their hashes. */
export class HashingUpstream implements AsyncDisposable {
  readonly requests: HashedRequest[] = [];
  /** Requests whose head has come. */
  seen = 0;
  /** How the next requests are treated, in order; then 200. */
  readonly script: Treatment[] = [];
  /** Every connection is cut after some of the body. */
  isCutting = false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => this.#take(request, response));
  }

  static async start(): Promise<HashingUpstream> {
    const upstream = new HashingUpstream();
    upstream.#server.listen(0, '127.0.0.1');
    await once(upstream.#server, 'listening');
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    this.seen += 1;
    const treatment = this.script.shift() ?? 200;
    if (treatment === 'early') {
      this.#answer(response, 200);
      return;
    }
    const hash = createHash('sha256');
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      length += chunk.length;
      if (this.isCutting && length > 1_000_000) request.socket.destroy();
    });
    request.on('end', () => {
      const { authorization = '', 'content-length': contentLength } = request.headers;
      this.requests.push({ key: authorization, length, sha256: hash.digest('hex'), contentLength });
      if (typeof treatment === 'number') this.#answer(response, treatment);
    });
  }

  #answer(response: ServerResponse, status: number): void {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(status === 200 ? answer : JSON.stringify({ error: { message: `status ${status}` } }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
