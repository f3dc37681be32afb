/** How many are kept. */
const keptPlaces = 8;

/** Finds the last places of a mark in bytes that come in pieces. */
export class MarkPlaces {
  readonly #mark: Buffer;
  /** Offsets, the last first. */
  #places: readonly number[] = [];
  /** The last bytes so far, one fewer than the mark has. */
  #tail: Buffer = Buffer.alloc(0);
  #length = 0;

  constructor(mark: Buffer) {
    this.#mark = mark;
  }

  get last(): readonly number[] {
    return this.#places;
  }

  push(piece: Buffer): void {
    const overlap = this.#mark.length - 1;
    const seam = Buffer.concat([this.#tail, piece.subarray(0, overlap)]);
    const cut = seam.indexOf(this.#mark);
    if (cut !== -1 && cut < this.#tail.length) this.#keep([this.#length - this.#tail.length + cut]);
    const found: number[] = [];
    for (let at = piece.lastIndexOf(this.#mark); at !== -1 && found.length < keptPlaces;) {
      found.push(this.#length + at);
      at = at === 0 ? -1 : piece.lastIndexOf(this.#mark, at - 1);
    }
    this.#keep(found);
    this.#length += piece.length;
    const end = piece.length < overlap ? seam : piece;
    this.#tail = Buffer.from(end.subarray(Math.max(0, end.length - overlap)));
  }

  #keep(found: readonly number[]): void {
    if (found.length > 0) this.#places = [...found, ...this.#places].slice(0, keptPlaces);
  }
}
