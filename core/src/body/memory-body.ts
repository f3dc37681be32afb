import type { ScannedBody, StoredBody } from './stored-body.ts';

/** A body in memory, in the pieces that it came in: joined only where somebody wants it whole. */
export class MemoryBody implements StoredBody {
  readonly length: number;
  readonly scanned: ScannedBody;
  readonly #pieces: readonly Buffer[];
  /** Offset of each piece. */
  readonly #starts: readonly number[];
  #whole: Buffer | undefined;

  constructor(pieces: readonly Buffer[], scanned: ScannedBody) {
    this.scanned = scanned;
    this.#pieces = pieces;
    let length = 0;
    this.#starts = pieces.map((piece) => {
      const start = length;
      length += piece.length;
      return start;
    });
    this.length = length;
  }

  readNow(start: number, end: number): Buffer {
    const into = Buffer.allocUnsafeSlow(Math.max(0, Math.min(end, this.length) - start));
    this.#copy(into, start);
    return into;
  }

  whole(): Buffer {
    this.#whole ??= this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces);
    return this.#whole;
  }

  read(into: Buffer, position: number, done: (error: Error | null, bytes: number) => void): void {
    process.nextTick(() => done(null, this.#copy(into, position)));
  }

  #copy(into: Buffer, position: number): number {
    let filled = 0;
    for (let index = this.#pieceAt(position); index < this.#pieces.length && filled < into.length; index += 1) {
      const from = position + filled - (this.#starts[index] as number);
      filled += (this.#pieces[index] as Buffer).copy(into, filled, from);
    }
    return filled;
  }

  #pieceAt(position: number): number {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] as number) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
