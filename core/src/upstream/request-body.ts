import type { GatewayError } from '@bifrost/sdk';
import { bodyUnreadable } from '../body/body-unreadable.ts';
import type { StoredBody } from '../body/stored-body.ts';
import { totalBytes } from '../json/splice.ts';

/** Bytes of a stored body, from `start` to `end`. */
export interface StoredRange {
  readonly start: number;
  readonly end: number;
}

/** A request's body that is read from where it is stored as it is sent: ranges of it, with bytes of our own in between. */
export class StoredRequestBody {
  readonly stored: StoredBody;
  readonly parts: readonly (Buffer | StoredRange)[];
  readonly length: number;

  constructor(stored: StoredBody, parts: readonly (Buffer | StoredRange)[]) {
    this.stored = stored;
    this.parts = parts;
    this.length = parts.reduce((sum, part) => sum + (Buffer.isBuffer(part) ? part.length : part.end - part.start), 0);
  }

  /** All of it, in memory. Throws GatewayError where there is no room for it. */
  whole(): Buffer {
    const whole = this.stored.whole();
    return Buffer.concat(
      this.parts.map((part) => (Buffer.isBuffer(part) ? part : whole.subarray(part.start, part.end))),
    );
  }
}

/** The body of a request to a provider: in one buffer, in several (spliced, so that nothing is copied), or stored elsewhere. */
export type RequestBody = Buffer | readonly Buffer[] | StoredRequestBody;

export function requestBodyLength(body: RequestBody): number {
  return Array.isArray(body) ? totalBytes(body) : (body as Buffer | StoredRequestBody).length;
}

/** All bytes of a body in one buffer. */
export function wholeRequestBody(body: RequestBody): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return body instanceof StoredRequestBody ? body.whole() : Buffer.concat(body);
}

/** Most bytes of a stored body that are read at once. */
export const pieceBytes: number = 64 * 1024;

export type PieceListener = (error: GatewayError | null, piece: Buffer | null) => void;

/** Reads a stored request body once, piece by piece. */
export class BodyPieces {
  readonly #body: StoredRequestBody;
  #part = 0;
  /** How far the part has been read. */
  #read = 0;

  constructor(body: StoredRequestBody) {
    this.#body = body;
  }

  /** The next piece, read into `into` where it is not there already; null at the end. One at a time. */
  next(into: Buffer, listener: PieceListener): void {
    const part = this.#body.parts[this.#part];
    if (part === undefined || Buffer.isBuffer(part)) {
      this.#part += 1;
      listener(null, part ?? null);
      return;
    }
    const wanted = Math.min(into.length, part.end - part.start - this.#read);
    this.#body.stored.read(into.subarray(0, wanted), part.start + this.#read, (error, bytes) => {
      if (error !== null || bytes < wanted) {
        listener(bodyUnreadable(error ?? undefined), null);
        return;
      }
      this.#read += wanted;
      if (part.start + this.#read === part.end) {
        this.#part += 1;
        this.#read = 0;
      }
      listener(null, into.subarray(0, wanted));
    });
  }
}
