import { totalmem } from 'node:os';
import type { InboundRoute } from '@bifrost/core';
import type { Logger } from '../../logging/logger.ts';
import type { BodyTaker } from '../gateway-request.ts';
import type { BodyListener, BodySource } from '../read-body.ts';
import type { BodyLedger } from './body-ledger.ts';
import { windowBytes } from './received-body.ts';
import { sweepSpoolFiles } from './spool-file.ts';
import { SpoolReader } from './spool-reader.ts';
import type { SpoolTerms } from './spool-reader.ts';

/** A larger body is put into a temporary file as it comes. */
export const largeBodyBytes: number = 1024 * 1024;
/** Of the memory that the process may have, so much may be request bodies where the operator says nothing. */
const shareOfMemory = 1 / 4;
/** A disk that fails is named in the log this often. */
const warnEveryMs = 60_000;

export interface BodyStoreOptions {
  readonly ledger: BodyLedger;
  /** Where temporary files may be, the first that takes them. */
  readonly directories: readonly string[];
  readonly logger: Logger;
}

/** What a thread has counted of large bodies. */
export interface BodyFigures {
  /** Bytes of request bodies in memory at this moment. */
  readonly held: number;
  readonly taken: number;
  readonly refused: number;
  readonly failures: number;
}

/** Where the large bodies of one thread go, and what bodies may take in memory. */
export class BodyStore {
  readonly ledger: BodyLedger;
  readonly directories: readonly string[];
  readonly #logger: Logger;
  #taken = 0;
  #refused = 0;
  #failures = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #isSwept = false;

  constructor({ ledger, directories, logger }: BodyStoreOptions) {
    this.ledger = ledger;
    this.directories = directories;
    this.#logger = logger;
  }

  /** `bytes` of `client.max_request_bytes_in_flight_mb`: 0 is no limit, undefined the default. */
  setLimit(bytes: number | undefined): void {
    this.ledger.limit = bytes === 0 ? Number.POSITIVE_INFINITY : (bytes ?? defaultLimit());
  }

  /** Whether one more large body can be taken in. */
  get hasRoom(): boolean {
    return this.ledger.hasRoomFor(windowBytes);
  }

  /** Takes in a body that is large, or has become so. */
  createReader(source: BodySource, terms: SpoolTerms, listener: BodyListener): BodyTaker {
    if (!this.#isSwept) {
      this.#isSwept = true;
      sweepSpoolFiles(this.directories);
    }
    return new SpoolReader(source, terms, { store: this, listener });
  }

  noteTaken(): void {
    this.#taken += 1;
  }

  noteRefused(): void {
    this.#refused += 1;
  }

  noteFailure({ code, message }: NodeJS.ErrnoException): void {
    this.#failures += 1;
    const now = performance.now();
    if (now - this.#warnedAt < warnEveryMs) return;
    this.#warnedAt = now;
    this.#logger.warn('a large request body could not be put into a temporary file, and is held in memory', {
      directories: this.directories,
      error: code ?? message,
    });
  }

  get figures(): BodyFigures {
    return { held: this.ledger.held, taken: this.#taken, refused: this.#refused, failures: this.#failures };
  }
}

function defaultLimit(): number {
  const constrained = process.constrainedMemory();
  return Math.floor((constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()) * shareOfMemory);
}

/** The route of a body and what bounds it. */
export interface BodyTerms {
  readonly limit: number;
  readonly route: InboundRoute;
}
