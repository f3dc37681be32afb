/** Bounded reading of binary files that nobody has vouched for: every read is checked against the file's end. */

/** The file ends too early, or says of itself what cannot be. Thrown by the readers of binary formats, never leaves the inspection. */
export class BinaryFault extends Error {
  readonly kind: 'truncated' | 'malformed';

  constructor(kind: 'truncated' | 'malformed', message: string) {
    super(message);
    this.name = 'BinaryFault';
    this.kind = kind;
  }
}

/** Longest name, path or version that is read, in bytes. */
const maxTextBytes = 4096;

/** Numbers and texts at offsets of a file. All offsets count from the file's begin; all methods throw BinaryFault beyond its end. */
export class ByteView {
  readonly bytes: Uint8Array;
  readonly isLittleEndian: boolean;
  readonly #data: DataView;

  constructor(bytes: Uint8Array, isLittleEndian: boolean) {
    this.bytes = bytes;
    this.isLittleEndian = isLittleEndian;
    this.#data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get size(): number {
    return this.bytes.byteLength;
  }

  /** Throws unless `length` bytes at `offset` lie within the file. */
  require(offset: number, length: number, what = 'data'): void {
    if (offset < 0 || length < 0 || !Number.isSafeInteger(offset + length)) {
      throw new BinaryFault('malformed', `${what} at an impossible offset`);
    }
    if (offset + length > this.size) {
      throw new BinaryFault(
        'truncated',
        `it has ${this.size} bytes, but its header places ${what} at bytes ${offset} to ${offset + length}`,
      );
    }
  }

  u8(offset: number): number {
    this.require(offset, 1);
    return this.#data.getUint8(offset);
  }

  u16(offset: number): number {
    this.require(offset, 2);
    return this.#data.getUint16(offset, this.isLittleEndian);
  }

  u32(offset: number): number {
    this.require(offset, 4);
    return this.#data.getUint32(offset, this.isLittleEndian);
  }

  /** An unsigned 64-bit number; one that no file could hold is malformed. */
  u64(offset: number): number {
    this.require(offset, 8);
    const value = this.#data.getBigUint64(offset, this.isLittleEndian);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new BinaryFault('malformed', 'a number beyond 2^53');
    return Number(value);
  }

  /** As `u64`, for fields whose high values mean something (flags, masks): saturates instead of throwing. */
  u64Saturated(offset: number): number {
    this.require(offset, 8);
    return Number(this.#data.getBigUint64(offset, this.isLittleEndian));
  }

  /** Text up to its NUL byte, at most `end` (exclusive) and 4096 bytes. */
  text(offset: number, end: number = this.size): string {
    this.require(offset, 0);
    const limit = Math.min(end, this.size, offset + maxTextBytes);
    let stop = offset;
    while (stop < limit && this.bytes[stop] !== 0) stop += 1;
    return decodeText(this.bytes.subarray(offset, stop));
  }

  slice(offset: number, length: number, what?: string): Uint8Array {
    this.require(offset, length, what);
    return this.bytes.subarray(offset, offset + length);
  }
}

/** Bytes as UTF-8; what is none becomes U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
