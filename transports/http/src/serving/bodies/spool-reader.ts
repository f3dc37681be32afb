import { BodyScan } from '@bifrost/core';
import type { InboundRoute } from '@bifrost/core';
import type { BodyTaker } from '../gateway-request.ts';
import type { BodyFailure, BodyListener, BodySource } from '../read-body.ts';
import type { BodyStore } from './body-store.ts';
import { HeldBody, SpooledBody, windowBytes } from './received-body.ts';
import { SpoolFile } from './spool-file.ts';

/** With so much on its way to the file the client has to wait. */
const highWaterBytes = 256 * 1024;
const empty = Buffer.alloc(0);

export interface SpoolTerms {
  /** Most bytes of the body. */
  readonly limit: number;
  /** The stated length, -1 where none is. */
  readonly expected: number;
  readonly route: InboundRoute;
}

/**
 * Takes a large body in: what comes is scanned, written to a temporary file and forgotten. The client is read no faster than the
 * file takes it. Where there is no file, or it takes no more, the body stays in memory, within the room that there is.
 */
export class SpoolReader implements BodyTaker {
  readonly #source: BodySource;
  readonly #terms: SpoolTerms;
  readonly #store: BodyStore;
  readonly #listener: BodyListener;
  readonly #scan: BodyScan;
  #file: SpoolFile | undefined;
  /** What waits to be written; in memory, all of the body. */
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #length = 0;
  #isInMemory = false;
  #isWriting = true;
  #isPaused = false;
  #isWatched = false;
  #hasEnded = false;
  #isDone = false;
  /** What the ledger has been told of it. */
  #held = windowBytes;

  constructor(source: BodySource, terms: SpoolTerms, { store, listener }: SpoolParts) {
    this.#source = source;
    this.#terms = terms;
    this.#store = store;
    this.#listener = listener;
    this.#scan = new BodyScan(terms.route);
    store.ledger.take(windowBytes);
    SpoolFile.open(store.directories, (error, file) => this.#opened(error, file));
  }

  onBodyData(chunk: Buffer): void {
    if (this.#isDone) return;
    this.#length += chunk.length;
    if (this.#length > this.#terms.limit) {
      this.#finish('too-large');
      return;
    }
    this.#scan.push(chunk);
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#length === this.#terms.expected) this.#hasEnded = true;
    else this.#watch();
    if (this.#isInMemory) this.#hold(chunk.length);
    else {
      if (this.#queuedBytes > highWaterBytes) this.#pause();
      this.#writeNext();
    }
  }

  onBodyEnd(): void {
    this.#hasEnded = true;
    if (this.#isInMemory) this.#finish(null);
    else this.#writeNext();
  }

  onBodyAborted(): void {
    this.#finish('aborted');
  }

  #opened(error: NodeJS.ErrnoException | null, file: SpoolFile | undefined): void {
    this.#file = file;
    this.#isWriting = false;
    if (this.#isDone) file?.release();
    else if (error === null) this.#writeNext();
    else this.#stayInMemory(error, []);
  }

  #writeNext(): void {
    const file = this.#file;
    if (this.#isWriting || this.#isDone || file === undefined) return;
    const pieces = this.#queue;
    if (pieces.length === 0) {
      if (this.#hasEnded) this.#finish(null);
      return;
    }
    this.#queue = [];
    this.#isWriting = true;
    file.append(pieces, (error) => {
      this.#isWriting = false;
      if (this.#isDone) return;
      if (error !== null) {
        this.#stayInMemory(error, pieces);
        return;
      }
      for (const piece of pieces) {
        this.#queuedBytes -= piece.length;
        discard(piece);
      }
      if (this.#queuedBytes <= highWaterBytes / 2) this.#resume();
      this.#writeNext();
    });
  }

  /** No file takes the body: what one has taken comes back, and `unwritten` and all that follows stay. */
  #stayInMemory(error: NodeJS.ErrnoException, unwritten: readonly Buffer[]): void {
    this.#store.noteFailure(error);
    this.#isInMemory = true;
    const file = this.#file;
    const written = file?.length ?? 0;
    if (!this.#store.ledger.hasRoomFor(written + this.#queuedBytes)) {
      this.#finish('not-stored');
      return;
    }
    try {
      const back = file === undefined || written === 0 ? [] : [file.readNow(0, written)];
      this.#queue = [...back, ...unwritten, ...this.#queue];
    } catch {
      this.#finish('not-stored'); // the disk has failed altogether, which was noted
      return;
    }
    file?.release();
    this.#file = undefined;
    this.#hold(written + this.#queuedBytes);
    this.#resume();
  }

  /** So many bytes more are held. */
  #hold(bytes: number): void {
    const { ledger } = this.#store;
    if (!ledger.hasRoomFor(bytes)) {
      this.#finish('not-stored');
      return;
    }
    ledger.take(bytes);
    this.#held += bytes;
    if (this.#hasEnded) this.#finish(null);
  }

  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#source.watchStall(() => this.#finish('stalled'));
  }

  #pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#source.pauseBody();
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#source.resumeBody();
  }

  #finish(failure: BodyFailure | null): void {
    if (this.#isDone) return;
    this.#isDone = true;
    if (this.#isWatched) this.#source.unwatchStall();
    const { ledger } = this.#store;
    const [file, pieces, held] = [this.#file, this.#queue, this.#held];
    this.#queue = [];
    if (failure !== null) {
      this.#source.releaseBody();
      file?.release();
      ledger.give(held);
    }
    this.#resume();
    if (failure !== null) this.#listener(failure, empty);
    else {
      this.#scan.end();
      this.#store.noteTaken();
      const body =
        file === undefined
          ? new HeldBody(pieces, this.#scan, { ledger, held })
          : new SpooledBody(file, this.#scan, ledger);
      this.#listener(null, body);
    }
  }
}

interface SpoolParts {
  readonly store: BodyStore;
  readonly listener: BodyListener;
}

/** Smaller pieces are left to the collector. */
const discardedBytes = 4096;

/**
 * Frees a piece whose bytes are in the file. Left to the collector the pieces of one large body are 32 MB of memory before it looks
 * at them; a piece that shares its memory with others is left alone.
 */
function discard(piece: Buffer): void {
  const { buffer } = piece;
  if (piece.length < discardedBytes || piece.length !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}
