import { jsonBytes, malformedJson, shortString } from './json-bytes.ts';

const { quote, backslash } = jsonBytes;

/** Finds the end of a string that comes in pieces. One object for all strings of a body, one after the other. */
export class StringScan {
  /** Offset in the body of the opening quote. */
  #start = 0;
  /** The first byte of the next piece is escaped. */
  #isEscaped = false;

  /** A string whose opening quote stands at `offset` of the body. */
  begin(offset: number): void {
    this.#start = offset;
    this.#isEscaped = false;
  }

  /** The index in `piece` after the closing quote, -1 where the string goes on behind it. `base`: offset in the body of the piece. */
  skip(piece: Buffer, from: number, base: number): number {
    let at = from;
    if (this.#isEscaped) {
      this.#isEscaped = false;
      at += 1;
    }
    const near = Math.min(piece.length, this.#start + 1 + shortString - base);
    for (; at < near; at += 1) {
      const byte = piece[at] as number;
      if (byte === quote) return at + 1;
      if (byte === backslash) at += 1;
      else if (byte < 0x20) throw malformedJson(byte, base + at, 'no control character inside a string');
    }
    if (at > piece.length) this.#isEscaped = true;
    if (at >= piece.length) return -1;
    return this.#search(piece, at);
  }

  #search(piece: Buffer, at: number): number {
    let end = piece.indexOf(quote, at);
    while (end !== -1) {
      if (slashesBefore(piece, end, at) % 2 === 0) return end + 1;
      end = piece.indexOf(quote, end + 1);
    }
    this.#isEscaped = slashesBefore(piece, piece.length, at) % 2 === 1;
    return -1;
  }

  /** What is said of a body that ends, at `length`, within the string. */
  unended(length: number): Error {
    return malformedJson(undefined, length, `the closing quote of the string at byte offset ${this.#start}`);
  }
}

/** Backslashes that stand directly before `end`, not before `from`. */
function slashesBefore(piece: Buffer, end: number, from: number): number {
  let at = end;
  while (at > from && piece[at - 1] === backslash) at -= 1;
  return end - at;
}
