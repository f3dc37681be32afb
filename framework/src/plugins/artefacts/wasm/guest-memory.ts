/** A guest's linear memory as the host sees it: views are kept until the memory grows, and every range is checked. */
import { HostCallError } from './wasm-error.ts';

/** Up to here a text's worst case (three bytes for each UTF-16 unit) is taken for its size, which is cheaper than to count. */
const countedFrom = 16_384;

/** Bytes that `text` may take in UTF-8: exact for long texts, an upper bound for short ones. */
export function utf8Capacity(text: string): number {
  return text.length < countedFrom ? text.length * 3 : Buffer.byteLength(text);
}

export class GuestMemory {
  readonly #memory: WebAssembly.Memory;
  #bytes: Buffer;
  #view: DataView;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#bytes = Buffer.from(memory.buffer);
    this.#view = new DataView(memory.buffer);
  }

  /** Size now. */
  get byteLength(): number {
    return this.bytes.length;
  }

  /** All of the memory. Not to be kept over a call into the guest. */
  get bytes(): Buffer {
    // A memory that has grown has detached its old buffer, whose length is 0 then.
    if (this.#bytes.length === 0) this.#refresh();
    return this.#bytes;
  }

  get view(): DataView {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#view;
  }

  #refresh(): void {
    this.#bytes = Buffer.from(this.#memory.buffer);
    this.#view = new DataView(this.#memory.buffer);
  }

  has(pointer: number, length: number): boolean {
    return pointer + length <= this.byteLength;
  }

  /** Makes the memory at least `length` bytes long; false where its maximum forbids it. */
  growTo(length: number): boolean {
    const pages = Math.ceil((length - this.byteLength) / 65_536);
    if (pages <= 0) return true;
    try {
      this.#memory.grow(pages);
      return true;
    } catch {
      // RangeError: beyond the maximum.
      return false;
    }
  }

  /** For functions that the guest calls: the bytes of a range, not copied. Throws HostCallError outside of the memory. */
  range(pointer: number, length: number, what: string): Buffer {
    // What the guest passes as u32 arrives as i32.
    const [start, size] = [pointer >>> 0, length >>> 0];
    const { bytes } = this;
    if (start + size > bytes.length) {
      throw new HostCallError(
        `${what} was given ${size} bytes at ${start}, beyond the memory of ${bytes.length} bytes`,
      );
    }
    return bytes.subarray(start, start + size);
  }

  /** For functions that the guest calls: a range as UTF-8 text. */
  text(pointer: number, length: number, what: string): string {
    return this.range(pointer, length, what).toString('utf8');
  }

  /** For functions that the guest calls: writes a u32. */
  setU32(pointer: number, value: number, what: string): void {
    this.range(pointer, 4, what).writeUInt32LE(value >>> 0);
  }

  /** For functions that the guest calls: writes a u64. */
  setU64(pointer: number, value: bigint, what: string): void {
    this.range(pointer, 8, what).writeBigUInt64LE(BigInt.asUintN(64, value));
  }
}
