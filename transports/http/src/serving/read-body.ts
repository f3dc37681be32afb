import { largeBodyBytes } from './bodies/body-store.ts';
import type { BodyStore } from './bodies/body-store.ts';
import type { ReceivedBody } from './bodies/received-body.ts';
import type { SpoolTerms } from './bodies/spool-reader.ts';
import type { BodyTaker, GatewayRequest } from './gateway-request.ts';

/**
 * First allocation for a body of stated length: up to this it is reserved at once, so that the body is never copied into a larger
 * buffer. The memory becomes resident only as bytes arrive, so a caller that states much and sends little costs address space.
 */
const firstBytes = 16 * 1024 * 1024;
const unknownFirstBytes = 16 * 1024;
/** A client that sends no byte of an unfinished body for this long is given up. */
export const bodyStallMs = 60_000;

/** `no-room`: the bodies under way take all that they may. `not-stored`: no file takes it, and there is no room in memory. */
export type BodyFailure = 'too-large' | 'aborted' | 'stalled' | 'undecodable' | 'no-room' | 'not-stored';

/** Called once, with the whole body or with the reason why there is none. */
export type BodyListener = (failure: BodyFailure | null, body: ReceivedBody) => void;
/** The same of one that is always held. */
export type HeldBodyListener = (failure: BodyFailure | null, body: Buffer) => void;

const empty = Buffer.alloc(0);

/** Where a body comes from, as its reader sees it. */
export interface BodySource {
  /** From now on, calls `onStall` once when no byte has come for `bodyStallMs`. */
  watchStall(onStall: () => void): void;
  unwatchStall(): void;
  /** Its taker cannot keep up: nothing is handed over until `resumeBody`, but for what has been read. */
  pauseBody(): void;
  resumeBody(): void;
  /** The body is refused: what still comes of it is not handed over. */
  releaseBody(): void;
}

/** Gathers a body in one buffer, and tells its listener once. One of no stated length may become large: then another takes it over. */
export class BodyReader implements BodyTaker {
  readonly #source: BodySource;
  readonly #limit: number;
  readonly #expected: number;
  readonly #listener: HeldBodyListener;
  #buffer: Buffer = empty;
  #length = 0;
  #isDone = false;
  #isWatched = false;
  /** Makes what takes the body over; undefined where there is no room for it. Absent: a body cannot become large. */
  becomeLarge: (() => BodyTaker | undefined) | undefined = undefined;
  #large: BodyTaker | undefined = undefined;

  /** `expected` is the stated length in bytes, -1 where none is. */
  constructor(source: BodySource, limit: number, expected: number, listener: HeldBodyListener) {
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
    if (this.#large !== undefined) {
      this.#large.onBodyData(chunk);
      return;
    }
    const needed = this.#length + chunk.length;
    if (needed > this.#limit) {
      this.#finish('too-large');
      return;
    }
    if (needed > largeBodyBytes && this.becomeLarge !== undefined) {
      this.#handOver(this.becomeLarge(), chunk);
      return;
    }
    if (needed > this.#buffer.length) this.#grow(needed);
    chunk.copy(this.#buffer, this.#length);
    this.#length = needed;
    if (needed === this.#expected) this.#finish(null);
    else this.#watch();
  }

  /** `large` takes the body from here on; what there is of it goes first. */
  #handOver(large: BodyTaker | undefined, chunk: Buffer): void {
    if (large === undefined) {
      this.#finish('no-room');
      return;
    }
    if (this.#isWatched) this.#source.unwatchStall();
    this.#large = large;
    const gathered = this.#buffer.subarray(0, this.#length);
    this.#buffer = empty;
    large.onBodyData(gathered);
    large.onBodyData(chunk);
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
    if (this.#large !== undefined) this.#large.onBodyEnd();
    else this.#finish(null);
  }

  onBodyAborted(): void {
    if (this.#large !== undefined) this.#large.onBodyAborted();
    else this.#finish('aborted');
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
 * Reads a body whole into memory, at most `limit` bytes, chunked bodies included. A length over the limit is refused before a byte is
 * read. The listener of a refused body still gets a readable connection: the caller answers, then discards the rest.
 */
export function readBody(request: GatewayRequest, limit: number, listener: HeldBodyListener): void {
  const expected = statedLength(request);
  if (!isOver(request, { limit, expected }, listener)) {
    request.takeBody(new BodyReader(request, limit, expected, listener));
  }
}

/** The same for a body that may go to the store: one that is large, or becomes so. Refused where there is no room for it. */
export function takeInBody(
  request: GatewayRequest,
  { limit, route }: Omit<SpoolTerms, 'expected'>,
  { store, listener }: { readonly store: BodyStore; readonly listener: BodyListener },
): void {
  const expected = statedLength(request);
  if (isOver(request, { limit, expected }, listener)) return;
  const takeLarge = (): BodyTaker | undefined =>
    store.hasRoom ? store.createReader(request, { limit, expected, route }, listener) : undefined;
  if (expected <= largeBodyBytes) {
    const reader = new BodyReader(request, limit, expected, listener);
    if (expected === -1) reader.becomeLarge = takeLarge;
    request.takeBody(reader);
    return;
  }
  const large = takeLarge();
  if (large === undefined) listener('no-room', empty);
  else request.takeBody(large);
}

/** True where there is nothing to read: too much is stated, or nothing. The listener has then been told. */
function isOver(
  request: GatewayRequest,
  { limit, expected }: { readonly limit: number; readonly expected: number },
  listener: HeldBodyListener,
): boolean {
  if (expected > limit) {
    listener('too-large', empty);
    return true;
  }
  if (expected !== 0) return false;
  request.resume();
  listener(null, empty);
  return true;
}

/** Bytes of a request's body, as its head says; -1 where it does not. */
export function statedLength({ headers }: GatewayRequest): number {
  const stated = headers['content-length'];
  if (stated !== undefined) return Number(stated);
  return headers['transfer-encoding'] === undefined ? 0 : -1;
}
