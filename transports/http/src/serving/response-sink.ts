import type { ServerResponse } from 'node:http';
import type { ResponseSink } from '@bifrost/core';

type Headers = Readonly<Record<string, string | readonly string[]>>;

/** The engine's way to the client over Node's response. One per request. */
export class HttpResponseSink implements ResponseSink {
  readonly #response: ServerResponse;
  #headers: Headers | undefined;
  #statusCode = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get isClosed(): boolean {
    return this.#response.destroyed || this.#response.closed;
  }

  onClose(listener: () => void): void {
    const response = this.#response;
    if (response.destroyed) {
      process.nextTick(listener);
      return;
    }
    response.once('close', () => {
      if (!response.writableFinished) listener();
    });
  }

  /** The head leaves with the first bytes of the body, in one packet. */
  head(statusCode: number, headers: Headers): void {
    this.#statusCode = statusCode;
    this.#headers = headers;
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#headers !== undefined) this.#writeHead(this.#headers);
    return this.#response.write(chunk);
  }

  onDrain(listener: () => void): void {
    this.#response.once('drain', listener);
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
    else this.#response.end(chunk);
  }

  destroy(): void {
    this.#response.destroy();
  }

  #writeHead(headers: Headers): void {
    this.#headers = undefined;
    this.#response.writeHead(this.#statusCode, headers as Record<string, string | string[]>);
  }
}

function isBodiless(statusCode: number): boolean {
  return statusCode === 204 || statusCode === 304 || statusCode < 200;
}
