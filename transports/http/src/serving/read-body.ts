import type { BodyTaker, GatewayRequest } from './gateway-request.ts';

/**
 * First allocation for a body of stated length: up to this it is reserved at once, so that the body is never copied into a larger
 * buffer. The memory becomes resident only as bytes arrive, so a caller that states much and sends little costs address space.
 */
const firstBytes = 16 * 1024 * 1024;
const unknownFirstBytes = 16 * 1024;
/** A client that sends no byte of an unfinished body for this long is given up. */
export const bodyStallMs = 60_000;

export type BodyFailure = 'too-large' | 'aborted' | 'stalled' | 'undecodable';

/** Called once, with the whole body or with the reason why there is none. */
export type BodyListener = (failure: BodyFailure | null, body: Buffer) => void;

const empty = Buffer.alloc(0);

/** Where a body comes from, as its reader sees it. */
export interface BodySource {
  /** From now on, calls `onStall` once when no byte has come for `bodyStallMs`. */
  watchStall(onStall: () => void): void;
  unwatchStall(): void;
  /** The body is refused: what still comes of it is not handed over. */
  releaseBody(): void;
}

/** Gathers a body in one buffer, and tells its listener once. */
export class BodyReader implements BodyTaker {
  readonly #source: BodySource;
  readonly #limit: number;
  readonly #expected: number;
  readonly #listener: BodyListener;
  #buffer: Buffer = empty;
  #length = 0;
  #isDone = false;
  #isWatched = false;

  /** `expected` is the stated length in bytes, -1 where none is. */
  constructor(source: BodySource, limit: number, expected: number, listener: BodyListener) {
    this.#source = source;
    this.#limit = limit;
    this.#expected = expected;
    this.#listener = listener;
  }

  onBodyData(chunk: Buffer): void {
    if (this.#isDone) return;
    // The common case: the body came with the head, in a buffer of its own.
    if (this.#length === 0 && chunk.length === this.#expected) {
      this.#buffer = chunk;
      this.#length = chunk.length;
      this.#finish(null);
      return;
    }
    const needed = this.#length + chunk.length;
    if (needed > this.#limit) {
      this.#finish('too-large');
      return;
    }
    if (needed > this.#buffer.length) this.#grow(needed);
    chunk.copy(this.#buffer, this.#length);
    this.#length = needed;
    if (needed === this.#expected) this.#finish(null);
    else this.#watch();
  }

  /** Doubles, so that a body of n bytes is copied less than twice, whatever length the client states. */
  #grow(needed: number): void {
    const ceiling = this.#expected >= 0 ? this.#expected : this.#limit;
    const first = this.#expected >= 0 ? Math.min(this.#expected, firstBytes) : unknownFirstBytes;
    const capacity = Math.min(Math.max(needed, this.#buffer.length * 2, first), Math.max(ceiling, needed));
    const grown = Buffer.allocUnsafeSlow(capacity);
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }

  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#source.watchStall(() => this.#finish('stalled'));
  }

  onBodyEnd(): void {
    this.#finish(null);
  }

  onBodyAborted(): void {
    this.#finish('aborted');
  }

  #finish(failure: BodyFailure | null): void {
    if (this.#isDone) return;
    this.#isDone = true;
    if (this.#isWatched) this.#source.unwatchStall();
    if (failure !== null) this.#source.releaseBody();
    const { length } = this.#buffer;
    const body = this.#length === length ? this.#buffer : this.#buffer.subarray(0, this.#length);
    this.#buffer = empty;
    this.#listener(failure, failure === null ? body : empty);
  }
}

/**
 * Reads a body whole, held once, at most `limit` bytes, chunked bodies included. A length over the limit is refused before a
 * byte is read. The listener of a refused body still gets a readable connection: the caller answers, then discards the rest.
 */
export function readBody(request: GatewayRequest, limit: number, listener: BodyListener): void {
  const stated = request.headers['content-length'];
  const expected = stated === undefined ? -1 : Number(stated);
  if (expected > limit) {
    listener('too-large', empty);
    return;
  }
  if (expected === 0 || (expected === -1 && request.headers['transfer-encoding'] === undefined)) {
    request.resume();
    listener(null, empty);
    return;
  }
  request.takeBody(new BodyReader(request, limit, expected, listener));
}
