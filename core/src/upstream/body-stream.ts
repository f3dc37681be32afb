import { Readable } from 'node:stream';
import { BodyPieces, pieceBytes } from './request-body.ts';
import type { StoredRequestBody } from './request-body.ts';

/** A stored body as a stream, for a client of HTTP that wants one. */
export function createBodyStream(body: StoredRequestBody): Readable {
  const pieces = new BodyPieces(body);
  return new Readable({
    highWaterMark: pieceBytes,
    read(): void {
      // A new buffer each: the stream does not say when its reader is done with one.
      pieces.next(Buffer.allocUnsafeSlow(pieceBytes), (error, piece) => {
        if (error === null) this.push(piece);
        else this.destroy(error);
      });
    },
  });
}
