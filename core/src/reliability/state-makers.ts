/**
 * Who made what a provider keeps or has sealed: the responses of the Responses API, which a follow-up continues by
 * `previous_response_id`, conversations, and encrypted reasoning. Each is known to the key that made it alone (its organisation, or its
 * resource on Azure).
 *
 * A table in shared memory, of one 64-bit cell per name: 40 bits of the name's hash beside 24 bits of its maker's. A cell is read and
 * written whole, so threads need no lock, and a name that falls on another's cell takes its place. It only makes follow-ups faster:
 * what it has forgotten, another process knows, or two names share, is found by asking the keys in turn
 * (docs/decisions/0013-state-returns-to-its-maker.md).
 */

/** A power of two: 65,536 cells of 8 bytes; the system gives the memory as it is written. */
const cells = 65_536;
const cellBits = 16n;
const makerBits = 24n;
const makerMask = 0xff_ffff;

/** Longer names are told apart by their beginnings. */
const maxNameLength = 96;

/** Memory for the threads of a process. */
export function createStateMakersBuffer(): SharedArrayBuffer {
  return new SharedArrayBuffer(cells * 8);
}

/** FNV-1a over UTF-16 units, with a seed. */
function hash(text: string, seed: number): number {
  let value = seed;
  const { length } = text;
  for (let index = 0; index < length && index < maxNameLength; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  // The last bits of FNV are its weak ones.
  value ^= value >>> 15;
  return Math.imul(value, 0x2c1b3c6d) >>> 0;
}

/** A maker's number, the same in every thread; never 0. */
export function makerNumber(provider: string, keyId: string): number {
  return (hash(`${provider}\n${keyId}`, 0x811c9dc5) & makerMask) | 1;
}

/** See the head of this file. */
export class StateMakers {
  readonly #cells: BigUint64Array;

  constructor(buffer: SharedArrayBuffer = createStateMakersBuffer()) {
    this.#cells = new BigUint64Array(buffer);
  }

  /** Remembers who made what is called `name`. */
  note(name: string, maker: number): void {
    const place = hash64(name);
    Atomics.store(this.#cells, cellOf(place), (tagOf(place) << makerBits) | BigInt(maker & makerMask));
  }

  /** The maker's number; undefined where it is not remembered. */
  find(name: string): number | undefined {
    const place = hash64(name);
    const found = Atomics.load(this.#cells, cellOf(place));
    if (found === 0n || found >> makerBits !== tagOf(place)) return undefined;
    return Number(found & BigInt(makerMask));
  }
}

function hash64(name: string): bigint {
  return (BigInt(hash(name, 0x811c9dc5)) << 32n) | BigInt(hash(name, 0x1b873593));
}

const cellOf = (place: bigint): number => Number(place & (BigInt(cells) - 1n));
/** What a cell can hold of the bits that do not say which cell it is. */
const tagOf = (place: bigint): bigint => (place >> cellBits) & ((1n << (64n - makerBits)) - 1n);
