/** Reads the primitive values of the WebAssembly binary format; every read is checked against the end. */

/** The bytes are no well-formed WebAssembly: `message` says what was expected, `offset` where. */
export class WasmFormatError extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.name = 'WasmFormatError';
    this.offset = offset;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What V8 takes of each kind. */
const maxCount = 1_000_000;

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #offset: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#offset = start;
    this.#end = end;
  }

  get offset(): number {
    return this.#offset;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#end;
  }

  fail(message: string, offset: number = this.#offset): never {
    throw new WasmFormatError(message, offset);
  }

  byte(what: string): number {
    const value = this.#offset < this.#end ? this.#bytes[this.#offset] : undefined;
    if (value === undefined) this.fail(`it ends where ${what} should be`);
    this.#offset += 1;
    return value;
  }

  /** An unsigned LEB128 number of at most 32 bits. */
  u32(what: string): number {
    const start = this.#offset;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte(what);
      if (shift === 28 && (byte & 0x7f) > 0x0f) this.fail(`${what} does not fit in 32 bits`, start);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return this.fail(`${what} is longer than 32 bits`, start);
  }

  /** Passes over a signed LEB128 number of at most 64 bits. */
  skipSigned(what: string): void {
    for (let length = 0; length < 10; length += 1) if (this.byte(what) < 0x80) return;
    this.fail(`${what} is longer than 64 bits`);
  }

  /** The number of entries of a list; each takes a byte at least, so a count beyond the end is refused before anything is made. */
  count(what: string): number {
    const start = this.#offset;
    const count = this.u32(what);
    if (count > this.#end - this.#offset) this.fail(`${what} is ${count}, more than what follows`, start);
    if (count > maxCount) this.fail(`${what} is ${count}: ${maxCount} are the most`, start);
    return count;
  }

  name(what: string): string {
    const length = this.count(`the length of ${what}`);
    const start = this.#offset;
    this.#offset += length;
    try {
      return utf8.decode(this.#bytes.subarray(start, start + length));
    } catch {
      return this.fail(`${what} is not UTF-8`, start);
    }
  }

  /** A reader of the next `length` bytes, which this one passes over. */
  part(length: number, what: string): ByteReader {
    const start = this.#offset;
    if (length > this.#end - start) this.fail(`${what} says ${length} bytes, but ${this.#end - start} follow`);
    this.#offset += length;
    return new ByteReader(this.#bytes, start, start + length);
  }
}
