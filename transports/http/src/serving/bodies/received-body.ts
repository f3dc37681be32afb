import { bodyUnreadable, MemoryBody } from '@bifrost/core';
import type { ScannedBody, StoredBody } from '@bifrost/core';
import type { BodyLedger } from './body-ledger.ts';
import type { SpoolFile } from './spool-file.ts';

/** A stored body that has to be let go, once the request has ended. */
export interface LargeBody extends StoredBody {
  release(): void;
}

/** A request's body, whole. */
export type ReceivedBody = Buffer | LargeBody;

/** A longer range is not read on its own: what is so large is wanted whole soon after. */
const maxRangeBytes = 1024 * 1024;

/** What one large body takes in memory while it comes or leaves: the pieces on their way to its file, and those from it. */
export const windowBytes: number = 384 * 1024;

/** A body in a temporary file. */
export class SpooledBody implements LargeBody {
  readonly length: number;
  readonly scanned: ScannedBody;
  readonly #file: SpoolFile;
  readonly #ledger: BodyLedger;
  #whole: Buffer | undefined;

  /** Takes over what `ledger` has been told of it so far: `windowBytes`. */
  constructor(file: SpoolFile, scanned: ScannedBody, ledger: BodyLedger) {
    this.length = file.length;
    this.scanned = scanned;
    this.#file = file;
    this.#ledger = ledger;
  }

  readNow(start: number, end: number): Buffer {
    if (end - start > maxRangeBytes) return this.whole().subarray(start, end);
    return this.#readNow(start, end);
  }

  whole(): Buffer {
    if (this.#whole === undefined) {
      this.#ledger.takeWhole(this.length);
      try {
        this.#whole = this.#readNow(0, this.length);
      } catch (error) {
        this.#ledger.give(this.length);
        throw error;
      }
    }
    return this.#whole;
  }

  read(into: Buffer, position: number, done: (error: Error | null, bytes: number) => void): void {
    this.#file.read(into, position, done);
  }

  release(): void {
    this.#ledger.give(windowBytes + (this.#whole === undefined ? 0 : this.length));
    this.#whole = undefined;
    this.#file.release();
  }

  #readNow(start: number, end: number): Buffer {
    try {
      return this.#file.readNow(start, end);
    } catch (cause) {
      throw bodyUnreadable(cause as NodeJS.ErrnoException);
    }
  }
}

/** A large body that no file took: in memory, as far as there was room. */
export class HeldBody extends MemoryBody implements LargeBody {
  readonly #ledger: BodyLedger;
  readonly #held: number;

  /** Takes over what `ledger` has been told of it so far: `held` bytes. */
  constructor(pieces: readonly Buffer[], scanned: ScannedBody, { ledger, held }: HeldTerms) {
    super(pieces, scanned);
    this.#ledger = ledger;
    this.#held = held;
  }

  release(): void {
    this.#ledger.give(this.#held);
  }
}

interface HeldTerms {
  readonly ledger: BodyLedger;
  readonly held: number;
}
