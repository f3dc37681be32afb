import { GatewayError } from '@bifrost/sdk';

/** When a caller without room may come again. */
export const retryAfterSeconds = 1;
/** Threads that may count at once, those that end and those that take their places among them. */
const slots = 1024;

/** What all threads of a process hold of request bodies: a cell for each thread. */
export function createLedgerCells(): SharedArrayBuffer {
  return new SharedArrayBuffer(slots * Float64Array.BYTES_PER_ELEMENT);
}

/** A thread has ended: what it held is gone. */
export function clearLedgerCell(cells: SharedArrayBuffer, threadNumber: number): void {
  new Float64Array(cells)[threadNumber % slots] = 0;
}

/**
 * The bytes of request bodies in memory. A thread writes to its own cell only, so that counting costs an addition; whoever asks for
 * room looks at all. Threads that ask at the same moment may each be let in: by so much is the limit exceeded at worst.
 */
export class BodyLedger {
  /** Most bytes that all threads together may hold. */
  limit: number = Number.POSITIVE_INFINITY;
  readonly #cells: Float64Array;
  readonly #own: number;

  constructor(cells: SharedArrayBuffer, threadNumber: number) {
    this.#cells = new Float64Array(cells);
    this.#own = threadNumber % slots;
    this.#cells[this.#own] = 0;
  }

  take(bytes: number): void {
    this.#cells[this.#own] = (this.#cells[this.#own] as number) + bytes;
  }

  give(bytes: number): void {
    this.take(-bytes);
  }

  /** What this thread holds. */
  get held(): number {
    return this.#cells[this.#own] as number;
  }

  hasRoomFor(bytes: number): boolean {
    if (this.limit === Number.POSITIVE_INFINITY) return true;
    let total = bytes;
    for (const held of this.#cells) total += held;
    return total <= this.limit;
  }

  /** Takes the bytes of a body that somebody wants whole. Throws GatewayError where there is no room. */
  takeWhole(bytes: number): void {
    if (!this.hasRoomFor(bytes)) throw bytes > this.limit ? neverHeld(bytes, this.limit) : notNow(this.limit);
    this.take(bytes);
  }
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 1024 / 1024);

/** What a caller is told whose body there is no room for at this moment. */
export function inFlightMessage(limit: number): string {
  return `the bodies of the requests under way take the ${megabytes(limit)} MB that they may; the limit is client.max_request_bytes_in_flight_mb; send the request again in a moment`;
}

function notNow(limit: number): GatewayError {
  return new GatewayError(inFlightMessage(limit), {
    code: 'BF_HTTP_BODIES_IN_FLIGHT',
    statusCode: 429,
    info: { retryAfterSeconds },
  });
}

function neverHeld(bytes: number, limit: number): GatewayError {
  const message = `this request has to be held in memory as a whole, as it is translated or a plugin reads it; its ${megabytes(bytes)} MB are more than the ${megabytes(limit)} MB of client.max_request_bytes_in_flight_mb`;
  return new GatewayError(message, {
    code: 'BF_HTTP_BODY_NOT_HELD',
    statusCode: 413,
  });
}
