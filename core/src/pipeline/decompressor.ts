import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { Transform } from 'node:stream';
import { GatewayError } from '@bifrost/sdk';
import type { Relay } from './relay.ts';

/** Undoes the compression of an answer that came compressed though `identity` was asked for. */
export class Decompressor {
  readonly #transform: Transform;
  /** Who is handed the bytes. */
  relay: Relay;

  constructor(transform: Transform, relay: Relay) {
    this.#transform = transform;
    this.relay = relay;
    transform.on('data', (chunk: Buffer) => this.relay.push(chunk));
    transform.on('end', () => this.relay.end());
    transform.on('error', (cause) => {
      this.relay.fail(
        new GatewayError('the provider sent an answer whose compression cannot be undone', {
          code: 'BF_UPSTREAM_ENCODING_INVALID',
          statusCode: 502,
          cause,
        }),
      );
    });
  }

  push(chunk: Buffer): void {
    this.#transform.write(chunk);
  }

  end(): void {
    this.#transform.end();
  }

  destroy(): void {
    this.#transform.destroy();
  }
}

/** A decompressor for a `content-encoding`; an unknown one fails the relay and swallows the bytes. */
export function createDecompressor(encoding: string, relay: Relay): Decompressor | undefined {
  switch (encoding.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return new Decompressor(createGunzip(), relay);
    case 'deflate':
      return new Decompressor(createInflate(), relay);
    case 'br':
      return new Decompressor(createBrotliDecompress(), relay);
    case 'zstd':
      return new Decompressor(createZstdDecompress(), relay);
    default:
      relay.fail(
        new GatewayError(`the provider sent an answer in the encoding "${encoding}", though identity was asked for`, {
          code: 'BF_UPSTREAM_ENCODING_UNKNOWN',
          statusCode: 502,
        }),
      );
      return undefined;
  }
}
