import { formatSse } from '../sse/parser.ts';
import type { OutgoingEvent } from './stream-unit.ts';

/** Gathers what one call of the stream writes: bytes as they came, events as text, or the elements of a JSON array. */
export class OutgoingText {
  readonly #isArray: boolean;
  #pieces: (Buffer | string)[] = [];
  #hasArrayBegun = false;
  /** Characters and bytes that wait for `take`. */
  size = 0;

  constructor(isArray: boolean) {
    this.#isArray = isArray;
  }

  /** What is left to write at the end. */
  get arrayEnd(): string | undefined {
    if (!this.#isArray) return undefined;
    return this.#hasArrayBegun ? ']' : '[]';
  }

  add({ event, bytes }: OutgoingEvent): void {
    if (bytes !== undefined) this.#addBytes(bytes);
    else if (event === undefined) return;
    else if (this.#isArray) {
      this.addText(`${this.#hasArrayBegun ? ',\r\n' : '['}${event.data}`);
      this.#hasArrayBegun = true;
    } else {
      this.addText(formatSse({ ...(event.event === undefined ? {} : { event: event.event }), data: event.data }));
    }
  }

  addText(text: string): void {
    if (text === '') return;
    this.size += text.length;
    const last = this.#pieces.at(-1);
    if (typeof last === 'string') this.#pieces[this.#pieces.length - 1] = last + text;
    else this.#pieces.push(text);
  }

  /** Everything since the last call as one piece; undefined where there is nothing. */
  take(): Buffer | string | undefined {
    const pieces = this.#pieces;
    if (pieces.length === 0) return undefined;
    this.#pieces = [];
    this.size = 0;
    if (pieces.length === 1) return pieces[0];
    return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
  }

  /** Neighbours within one chunk are one piece again: a chunk that nobody changed is written without a copy. */
  #addBytes(bytes: Buffer): void {
    this.size += bytes.length;
    const last = this.#pieces.at(-1);
    if (Buffer.isBuffer(last) && last.buffer === bytes.buffer && last.byteOffset + last.length === bytes.byteOffset) {
      this.#pieces[this.#pieces.length - 1] = Buffer.from(last.buffer, last.byteOffset, last.length + bytes.length);
    } else this.#pieces.push(bytes);
  }
}
