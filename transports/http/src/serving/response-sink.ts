import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ResponseSink } from '@bifrost/core';
import { frameChunk } from './chunk-frame.ts';
import type { Exchange } from './exchange.ts';

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** Above this a chunk is not copied to frame it. */
const maxFramedBytes = 16 * 1024;
/** Up to this a whole answer is copied behind its head: cheaper than a second piece. */
const maxJoinedBytes = 16 * 1024;

/**
 * The engine's way to the client over Node's response. One per request.
 *
 * A stream's chunks after the first go to the socket framed by us, in one buffer and one system call each: Node's own way corks
 * the socket, writes three pieces and uncorks in a later tick, which costs a third more per chunk.
 */
export class HttpResponseSink implements ResponseSink {
  readonly #exchange: Exchange;
  readonly #response: ServerResponse;
  #headers: Headers | undefined;
  #statusCode = 0;
  /** The socket that chunks may be written to directly; undefined until the head is out, or where it is not ours alone. */
  #socket: Socket | undefined;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#response = exchange.response;
  }

  get isClosed(): boolean {
    return this.#response.destroyed || this.#response.closed;
  }

  onClose(listener: () => void): void {
    this.#exchange.onClientGone(listener);
  }

  /** The head leaves with the first bytes of the body, in one packet. */
  head(statusCode: number, headers: Headers): void {
    this.#statusCode = statusCode;
    this.#headers = headers;
  }

  write(chunk: Uint8Array | string): boolean {
    const response = this.#response;
    if (this.#socket !== undefined) {
      const bytes = typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length;
      if (isFramedHere(response, bytes)) return this.#socket.write(frameChunk(chunk, bytes));
    }
    if (this.#headers === undefined) return response.write(chunk);
    this.#writeHead(this.#headers);
    const isWritable = response.write(chunk);
    // Pipelined answers wait in the response for their turn; only one that holds its socket may write past it.
    if (response.chunkedEncoding && response.socket !== null) this.#socket = response.socket;
    return isWritable;
  }

  onDrain(listener: () => void): void {
    (this.#socket ?? this.#response).once('drain', listener);
  }

  end(chunk?: Uint8Array | string): void {
    const headers = this.#headers;
    if (headers !== undefined) {
      // Only the whole body is left to send: a length spares the client and us the chunked framing.
      const isCounted = 'content-length' in headers || 'transfer-encoding' in headers || isBodiless(this.#statusCode);
      const length = chunk === undefined ? 0 : Buffer.byteLength(chunk);
      this.#writeHead(isCounted ? headers : { ...headers, 'content-length': String(length) });
    }
    if (chunk === undefined) this.#response.end();
    else if (headers !== undefined && chunk instanceof Buffer && chunk.length <= maxJoinedBytes) {
      // As text of one byte per character Node puts it behind the head and writes both as one piece.
      this.#response.end(chunk.toString('latin1'), 'latin1');
    } else this.#response.end(chunk);
  }

  destroy(): void {
    this.#response.destroy();
  }

  #writeHead(headers: Headers): void {
    this.#headers = undefined;
    this.#response.writeHead(this.#statusCode, headers as Record<string, string | string[]>);
  }
}

/** Not while Node holds earlier pieces back until the end of the tick (`writableCorked`): they must leave first. */
function isFramedHere(response: ServerResponse, bytes: number): boolean {
  return bytes > 0 && bytes <= maxFramedBytes && response.writableCorked === 0;
}

function isBodiless(statusCode: number): boolean {
  return statusCode === 204 || statusCode === 304 || statusCode < 200;
}
