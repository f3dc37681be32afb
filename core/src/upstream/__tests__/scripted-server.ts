import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TlsOptions } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { GatewayError } from '@bifrost/sdk';
import { network } from '../../pipeline/__tests__/harness.ts';
import type { NetworkConfig } from '../../config.ts';
import type { UpstreamCall, UpstreamHeaders, UpstreamListener, UpstreamTransport } from '../call.ts';
import { DirectTransport } from '../direct-transport.ts';
import type { RequestBody } from '../request-body.ts';
import { RequestHeaders } from '../request-headers.ts';

export const okAnswer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi';

/** One request as its bytes came, on the connection that brought it. */
interface SeenRequest {
  readonly head: string;
  readonly body: Buffer;
  readonly socket: Socket;
  /** The number of its connection, from 0. */
  readonly connection: number;
}

/** A server that speaks bytes: `answer` is called for each request once its body is there. */
export class ScriptedServer {
  readonly requests: SeenRequest[] = [];
  readonly sockets: Socket[] = [];
  readonly #server: Server;
  readonly #answer: (request: SeenRequest) => void;
  readonly #isTls: boolean;
  #waiting: (() => void)[] = [];

  constructor(answer: (request: SeenRequest) => void, tls?: TlsOptions) {
    this.#answer = answer;
    this.#isTls = tls !== undefined;
    const accept = (socket: Socket): void => this.#accept(socket);
    this.#server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept);
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of this.sockets) socket.destroy();
      this.#server.close();
    });
    const { port } = this.#server.address() as AddressInfo;
    return this.#isTls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`;
  }

  /** Resolves once `count` requests have come. */
  async received(count: number): Promise<void> {
    while (this.requests.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #accept(socket: Socket): void {
    const connection = this.sockets.push(socket) - 1;
    let bytes = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const headEnd = bytes.indexOf('\r\n\r\n') + 4;
      const length = Number(/content-length: (\d+)\r\n\r\n/.exec(bytes.toString('latin1', 0, headEnd))?.[1]);
      if (headEnd < 4 || bytes.length < headEnd + length) return;
      const request = { head: bytes.toString('latin1', 0, headEnd), body: bytes.subarray(headEnd), socket, connection };
      bytes = Buffer.alloc(0);
      this.requests.push(request);
      for (const resolve of this.#waiting.splice(0)) resolve();
      this.#answer(request);
    });
  }
}

/** A server that answers each request alike. */
export function answering(text: string): ScriptedServer {
  return new ScriptedServer(({ socket }) => socket.write(text, 'latin1'));
}

/** Writes down what a call is told. */
export class RecordedCall implements UpstreamListener {
  readonly events: string[] = [];
  readonly chunks: Buffer[] = [];
  headers: UpstreamHeaders = {};
  error: GatewayError | undefined;
  /** Called with each event, before it is written down. */
  onEvent: (event: string) => void = () => undefined;
  readonly call: UpstreamCall;
  readonly #settled = Promise.withResolvers<void>();

  constructor(transport: UpstreamTransport, origin: string, changes: Partial<CallOptions> = {}) {
    const { headers = ['a', 'b'], body = Buffer.from('{}'), path = '/v1/x' } = changes;
    this.call = transport.createCall({ origin, path, headers: new RequestHeaders(headers), body }, this);
  }

  get body(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  /** Sends it and waits for its end. */
  async run(): Promise<this> {
    this.call.start();
    await this.#settled.promise;
    return this;
  }

  onUpstreamHead(statusCode: number, headers: UpstreamHeaders): void {
    this.headers = headers;
    this.#tell(`head ${statusCode}`);
  }

  onUpstreamData(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.#tell('data');
  }

  onUpstreamEnd(): void {
    this.#settled.resolve();
    this.#tell('end');
  }

  onUpstreamFailure(error: GatewayError): void {
    this.error = error;
    this.#settled.resolve();
    this.#tell(`failure ${error.code}`);
  }

  #tell(event: string): void {
    this.events.push(event);
    this.onEvent(event);
  }
}

interface CallOptions {
  readonly headers: readonly string[];
  readonly body: RequestBody;
  readonly path: string;
}

/** A transport that the test closes. */
export function transportWith(changes: Partial<NetworkConfig> = {}): DirectTransport {
  const transport = new DirectTransport({ ...network, ...changes });
  onTestFinished(() => void transport.close());
  return transport;
}
