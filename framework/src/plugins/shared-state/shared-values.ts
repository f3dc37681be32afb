/** The values of a shared state: read without a lock, written under it into the region that nobody reads. */
import { entryHead, headCells, maxValues, maxValueUnits, regionHead } from './layout.ts';
import type { SharedViews } from './layout.ts';
import { withWriteLock } from './write-lock.ts';

/** Why a value was not stored. */
export type Overflow = 'values' | 'units';

const decoder = new TextDecoder('utf-16le', { ignoreBOM: true });

interface Found {
  /** Of the value's head. */
  readonly at: number;
  readonly keyLength: number;
  readonly textLength: number;
}

const wide = (region: Uint16Array, at: number): number => (region[at] ?? 0) * 65_536 + (region[at + 1] ?? 0);

function setWide(region: Uint16Array, at: number, value: number): void {
  region[at] = value >>> 16;
  region[at + 1] = value & 0xffff;
}

function setText(region: Uint16Array, at: number, text: string): void {
  for (let index = 0; index < text.length; index += 1) region[at + index] = text.charCodeAt(index);
}

function isTextAt(region: Uint16Array, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (region[at + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

function find(region: Uint16Array, key: string): Found | undefined {
  let at = regionHead;
  for (let left = region[0] ?? 0; left > 0; left -= 1) {
    const keyLength = region[at] ?? 0;
    const textLength = wide(region, at + 1);
    if (keyLength === key.length && isTextAt(region, at + entryHead, key)) return { at, keyLength, textLength };
    at += entryHead + keyLength + textLength;
  }
  return undefined;
}

export class SharedValues {
  readonly #views: SharedViews;

  constructor(views: SharedViews) {
    this.#views = views;
  }

  /** The JSON text of a value. */
  get(key: string): string | undefined {
    const { head, regions } = this.#views;
    for (;;) {
      const version = Atomics.load(head, headCells.version);
      const region = regions[(version & 1) as 0 | 1];
      const found = find(region, key);
      // A copy: the decoder takes no shared memory, and the region may be written again by now.
      const start = found === undefined ? 0 : found.at + entryHead + found.keyLength;
      const units = found === undefined ? undefined : new Uint16Array(region.subarray(start, start + found.textLength));
      if (Atomics.load(head, headCells.version) !== version) continue;
      return units === undefined ? undefined : decoder.decode(units);
    }
  }

  /** Stores a JSON text, or removes the value; says what is full where it does not fit, and changes nothing then. */
  set(key: string, text: string | undefined): Overflow | undefined {
    const { head, regions } = this.#views;
    return withWriteLock(head, () => {
      const version = Atomics.load(head, headCells.version);
      const from = regions[(version & 1) as 0 | 1];
      const found = find(from, key);
      if (text === undefined && found === undefined) return undefined;
      const count = (from[0] ?? 0) - (found === undefined ? 0 : 1);
      const units = wide(from, 1) - (found === undefined ? 0 : found.keyLength + found.textLength);
      const more = text === undefined ? 0 : key.length + text.length;
      if (text !== undefined && count >= maxValues) return 'values';
      if (units + more > maxValueUnits) return 'units';
      const to = regions[((version + 1) & 1) as 0 | 1];
      copyWithout(from, to, found);
      if (text !== undefined) append(to, regionHead + units + count * entryHead, { key, text });
      to[0] = count + (text === undefined ? 0 : 1);
      setWide(to, 1, units + more);
      Atomics.store(head, headCells.version, version + 1);
      return undefined;
    });
  }
}

function copyWithout(from: Uint16Array, to: Uint16Array, left: Found | undefined): void {
  const end = regionHead + wide(from, 1) + (from[0] ?? 0) * entryHead;
  if (left === undefined) {
    to.set(from.subarray(0, end));
    return;
  }
  to.set(from.subarray(0, left.at));
  to.set(from.subarray(left.at + entryHead + left.keyLength + left.textLength, end), left.at);
}

function append(region: Uint16Array, at: number, { key, text }: { readonly key: string; readonly text: string }): void {
  region[at] = key.length;
  setWide(region, at + 1, text.length);
  setText(region, at + entryHead, key);
  setText(region, at + entryHead + key.length, text);
}
