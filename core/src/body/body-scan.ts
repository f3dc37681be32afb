import type { TopLevel } from '../json/peek.ts';
import { TopLevelScan } from '../json/top-level-scan.ts';
import { peekedKeys } from '../pipeline/peeked-fields.ts';
import type { InboundRoute } from '../pipeline/seam.ts';
import { continuedKeys, encryptedMark } from '../pipeline/state-names.ts';
import { marksOf } from '../pipeline/wrapped-values.ts';
import { MarkPlaces } from './mark-places.ts';
import { MarkSearch } from './mark-search.ts';
import type { ScannedBody } from './stored-body.ts';

/**
 * Reads a body as it goes by, for who does not hold it: `push` its pieces in order, then `end`. What is wrong with it is kept for
 * the engine's stage that tells the client: until then a plugin may replace the body.
 */
export class BodyScan implements ScannedBody {
  readonly #marks: MarkSearch;
  readonly #encrypted: MarkPlaces | undefined;
  #scan: TopLevelScan | undefined;
  #top: TopLevel | undefined;
  #failure: unknown;

  constructor(route: InboundRoute) {
    this.#marks = new MarkSearch(marksOf(route));
    const isContinuing = route.dialect === 'openai-responses';
    this.#encrypted = isContinuing ? new MarkPlaces(encryptedMark) : undefined;
    this.#scan = new TopLevelScan(isContinuing ? [...peekedKeys, ...continuedKeys] : peekedKeys);
  }

  push(piece: Buffer): void {
    this.#marks.push(piece);
    this.#encrypted?.push(piece);
    this.#attempt((scan) => scan.push(piece));
  }

  end(): void {
    this.#attempt((scan) => {
      this.#top = scan.finish();
    });
    this.#scan = undefined;
  }

  get hasMarks(): boolean {
    return this.#marks.hasFound;
  }

  get encryptedAt(): readonly number[] {
    return this.#encrypted?.last ?? [];
  }

  top(): TopLevel {
    if (this.#top === undefined) throw this.#failure ?? new TypeError('the body has not been scanned to its end');
    return this.#top;
  }

  #attempt(step: (scan: TopLevelScan) => void): void {
    if (this.#scan === undefined) return;
    try {
      step(this.#scan);
    } catch (error) {
      this.#failure = error;
      this.#scan = undefined;
    }
  }
}
