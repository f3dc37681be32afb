import type { Json } from '@bifrost/sdk';

/** A small deterministic generator (mulberry32), so that a failure can be run again. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Writes JSON as no library would: stray white space, needless `\u` escapes, `1.0` and `1e2` for integers. */
export class OddJsonWriter {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  write(value: Json): string {
    if (typeof value === 'string') return this.string(value);
    if (typeof value === 'number') return this.#number(value);
    if (value === null || typeof value === 'boolean') return String(value);
    if (Array.isArray(value))
      return `[${this.#space()}${value.map((item: Json) => this.write(item)).join(this.#comma())}${this.#space()}]`;
    return `{${this.members(Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, item] as const])))}}`;
  }

  /** The inside of an object; keys may repeat. */
  members(entries: readonly (readonly [string, Json])[]): string {
    const text = entries.map(
      ([key, item]) => `${this.string(key)}${this.#space()}:${this.#space()}${this.write(item)}`,
    );
    return `${this.#space()}${text.join(this.#comma())}${this.#space()}`;
  }

  string(text: string): string {
    return JSON.stringify(text).replaceAll(/[A-Za-z/]/g, (character, offset, whole: string) => {
      const isEscape =
        whole[offset - 1] === '\\' || /\\u[0-9a-f]{0,3}$/.test(whole.slice(Math.max(0, offset - 6), offset));
      if (isEscape || this.#random() > 0.03) return character;
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    });
  }

  #number(value: number): string {
    if (Number.isSafeInteger(value) && this.#random() < 0.2) return `${value}.0`;
    return Number.isSafeInteger(value) && value !== 0 && value % 100 === 0 && this.#random() < 0.5
      ? `${value / 100}e2`
      : String(value);
  }

  #space(): string {
    return [' ', '\n', '\t', '  ', '', '', '', ''][Math.floor(this.#random() * 8)] ?? '';
  }

  #comma(): string {
    return `${this.#space()},${this.#space()}`;
  }
}
