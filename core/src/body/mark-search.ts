/** Looks for marks in bytes that come in pieces: one that is cut is found as well. */
export class MarkSearch {
  /** One of the marks was there. */
  hasFound = false;
  readonly #marks: readonly Buffer[];
  readonly #overlap: number;
  /** The last bytes so far, one fewer than the longest mark has. */
  #tail: Buffer = Buffer.alloc(0);

  constructor(marks: readonly Buffer[]) {
    this.#marks = marks;
    this.#overlap = Math.max(0, ...marks.map((mark) => mark.length - 1));
  }

  push(piece: Buffer): void {
    if (this.hasFound || this.#overlap === 0) return;
    const seam = Buffer.concat([this.#tail, piece.subarray(0, this.#overlap)]);
    this.hasFound = this.#marks.some((mark) => seam.includes(mark) || piece.includes(mark));
    // A copy: the piece may be used again for others.
    const end = piece.length < this.#overlap ? seam : piece;
    this.#tail = Buffer.from(end.subarray(Math.max(0, end.length - this.#overlap)));
  }
}
