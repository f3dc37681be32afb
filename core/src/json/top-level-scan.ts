/**
 * `peekTopLevel` for a body that comes in pieces: the same members, the same refusals, wherever it is cut, without holding more of
 * it than one key. Strings are searched for their quotes, nested values counted by brackets; a state says what the next byte may be.
 */
import { byteClasses, jsonBytes, malformedJson, maxNesting, nestsTooDeep } from './json-bytes.ts';
import { invalidKey, keyIndex, maxKeyBytes } from './peek.ts';
import type { Member, TopLevel } from './peek.ts';
import { isWholeScalar, nextScalarState, scalarRefused, scalarStart } from './scalar-states.ts';
import { StringScan } from './string-scan.ts';

const { quote, comma, colon, openBrace, closeBrace, closeBracket } = jsonBytes;
const classes = byteClasses;

const states = {
  mark: 0,
  object: 1,
  firstKey: 2,
  nextKey: 3,
  key: 4,
  colon: 5,
  value: 6,
  string: 7,
  nested: 8,
  nestedString: 9,
  scalar: 10,
  separator: 11,
  rest: 12,
} as const;
type State = (typeof states)[keyof typeof states];

/** What each state that reads one byte of syntax expects there. */
const expectations: Partial<Readonly<Record<State, string>>> = {
  [states.mark]: 'a JSON object ("{")',
  [states.object]: 'a JSON object ("{")',
  [states.firstKey]: 'a quoted key',
  [states.nextKey]: 'a quoted key',
  [states.colon]: '":" after the key',
  [states.value]: 'a JSON value',
  [states.separator]: '"," or "}"',
  [states.rest]: 'nothing after the closing "}"',
};
const byteOrderMark = [0xef, 0xbb, 0xbf];
const noMembers: readonly undefined[] = [];

/** One body: `push` its pieces, then `finish`. Both throw InvalidRequestError as `peekTopLevel` does; then it is of no more use. */
export class TopLevelScan {
  readonly #keys: readonly string[];
  #members: (Member[] | undefined)[] | undefined;
  #state: State = states.mark;
  /** Offset in the body of the piece that is looked at, and of what comes after it. */
  #base = 0;
  #length = 0;
  #objectStart = 0;
  #objectEnd = 0;
  #isEmpty = false;
  readonly #string = new StringScan();
  /** The key with its quotes, as much of it as may matter, and its whole length. */
  readonly #key = Buffer.allocUnsafe(maxKeyBytes + 3);
  #keyLength = 0;
  #keyStart = 0;
  #valueStart = 0;
  #valueEnd = 0;
  #commaBefore = -1;
  #scalar = scalarStart;
  #scalarByte = 0;
  /** Which bracket each open level waits for. */
  #waiting: Uint8Array | undefined;
  #depth = 0;

  constructor(keys: readonly string[]) {
    this.#keys = keys;
  }

  push(piece: Buffer): void {
    this.#base = this.#length;
    this.#length += piece.length;
    let at = 0;
    while (at < piece.length) at = this.#step(piece, at);
  }

  /** The body was whole. */
  finish(): TopLevel {
    const state = this.#state;
    if (state === states.mark && this.#length > 0) this.#refuse(byteOrderMark[0], 0);
    if (state === states.key || state === states.string || state === states.nestedString)
      throw this.#string.unended(this.#length);
    const nestedEnd = `the end of the value that began at byte offset ${this.#valueStart}`;
    if (state === states.nested) throw malformedJson(undefined, this.#length, nestedEnd);
    if (state === states.scalar) this.#endScalar(this.#length);
    if (state !== states.rest) this.#refuse(undefined, this.#length);
    const [objectStart, objectEnd, isEmpty] = [this.#objectStart, this.#objectEnd, this.#isEmpty];
    return { members: this.#members ?? noMembers, objectStart, objectEnd, isEmpty };
  }

  /** Takes one byte, or as many as belong together; returns the index of the next. */
  #step(piece: Buffer, at: number): number {
    switch (this.#state) {
      case states.key:
        return this.#skipKey(piece, at);
      case states.string:
        return this.#skipString(piece, at);
      case states.nested:
      case states.nestedString:
        return this.#skipNested(piece, at);
      case states.scalar:
        return this.#skipScalar(piece, at);
      default:
        return this.#takeSyntax(piece[at] as number, at + this.#base, at);
    }
  }

  #takeSyntax(byte: number, offset: number, at: number): number {
    if (this.#state === states.mark) return this.#takeMark(byte, offset, at);
    if (classes[byte] === 2) return at + 1;
    switch (this.#state) {
      case states.object:
        if (byte !== openBrace) this.#refuse(byte, offset);
        this.#objectStart = offset;
        this.#state = states.firstKey;
        break;
      case states.firstKey:
        if (byte === closeBrace) {
          this.#isEmpty = true;
          this.#endObject(offset);
        } else this.#beginKey(byte, offset);
        break;
      case states.nextKey:
        this.#beginKey(byte, offset);
        break;
      case states.colon:
        if (byte !== colon) this.#refuse(byte, offset);
        this.#state = states.value;
        break;
      case states.value:
        return this.#beginValue(byte, offset, at);
      case states.separator:
        this.#endMember(byte, offset);
        break;
      default:
        this.#refuse(byte, offset);
    }
    return at + 1;
  }

  /** A byte order mark is passed over where it is whole. */
  #takeMark(byte: number, offset: number, at: number): number {
    if (byte === byteOrderMark[offset]) {
      if (offset === 2) this.#state = states.object;
      return at + 1;
    }
    if (offset > 0) this.#refuse(byteOrderMark[0], 0);
    this.#state = states.object;
    return at;
  }

  #beginKey(byte: number, offset: number): void {
    if (byte !== quote) this.#refuse(byte, offset);
    this.#keyStart = offset;
    this.#key[0] = quote;
    this.#keyLength = 1;
    this.#string.begin(offset);
    this.#state = states.key;
  }

  #skipKey(piece: Buffer, at: number): number {
    const end = this.#string.skip(piece, at, this.#base);
    const stop = end === -1 ? piece.length : end;
    // A cut key is put together: it is looked at once its value is known to be one.
    piece.copy(this.#key, Math.min(this.#keyLength, this.#key.length), at, stop);
    this.#keyLength += stop - at;
    if (end !== -1) this.#state = states.colon;
    return stop;
  }

  #beginValue(byte: number, offset: number, at: number): number {
    this.#valueStart = offset;
    if (byte === quote) {
      this.#string.begin(offset);
      this.#state = states.string;
      return at + 1;
    }
    if (classes[byte] === 4) {
      this.#depth = 0;
      this.#state = states.nested;
      return at;
    }
    if (classes[byte] !== 1) this.#refuse(byte, offset);
    this.#scalar = scalarStart;
    this.#scalarByte = byte;
    this.#state = states.scalar;
    return at;
  }

  #skipString(piece: Buffer, at: number): number {
    const end = this.#string.skip(piece, at, this.#base);
    if (end === -1) return piece.length;
    this.#endValue(this.#base + end);
    return end;
  }

  #skipNested(piece: Buffer, from: number): number {
    let at = from;
    while (at < piece.length) {
      if (this.#state === states.nestedString) {
        at = this.#string.skip(piece, at, this.#base);
        if (at === -1) return piece.length;
        this.#state = states.nested;
        continue;
      }
      const byte = piece[at] as number;
      switch (classes[byte]) {
        case 3:
          this.#string.begin(this.#base + at);
          this.#state = states.nestedString;
          break;
        case 4:
          this.#open(byte, this.#base + at);
          break;
        case 5:
          this.#close(byte, this.#base + at);
          if (this.#depth === 0) {
            this.#endValue(this.#base + at + 1);
            return at + 1;
          }
          break;
        case 0:
          throw malformedJson(byte, this.#base + at, 'a JSON value');
      }
      at += 1;
    }
    return at;
  }

  #open(byte: number, offset: number): void {
    if (this.#depth === maxNesting) throw nestsTooDeep(offset);
    this.#waiting ??= new Uint8Array(maxNesting);
    this.#waiting[this.#depth] = byte === openBrace ? closeBrace : closeBracket;
    this.#depth += 1;
  }

  #close(byte: number, offset: number): void {
    this.#depth -= 1;
    const expected = this.#waiting?.[this.#depth] as number;
    if (expected !== byte) throw malformedJson(byte, offset, `"${String.fromCharCode(expected)}"`);
  }

  #skipScalar(piece: Buffer, from: number): number {
    let at = from;
    for (; at < piece.length && classes[piece[at] as number] === 1; at += 1) {
      this.#scalar = nextScalarState(this.#scalar, piece[at] as number);
      if (this.#scalar === scalarRefused) this.#refuse(this.#scalarByte, this.#valueStart);
    }
    if (at < piece.length) this.#endScalar(this.#base + at);
    return at;
  }

  #endScalar(offset: number): void {
    if (!isWholeScalar(this.#scalar)) this.#refuse(this.#scalarByte, this.#valueStart);
    this.#endValue(offset);
  }

  #endValue(offset: number): void {
    this.#valueEnd = offset;
    this.#state = states.separator;
  }

  #endMember(byte: number, offset: number): void {
    const isLast = byte === closeBrace;
    if (!isLast && byte !== comma) this.#refuse(byte, offset);
    this.#noteMember(isLast ? -1 : offset);
    this.#commaBefore = offset;
    if (isLast) this.#endObject(offset);
    else this.#state = states.nextKey;
  }

  #noteMember(commaAfter: number): void {
    const length = this.#keyLength;
    const index = length > this.#key.length ? -1 : keyIndex(this.#key, 1, length - 1, this.#keys);
    if (index === invalidKey) throw malformedJson(quote, this.#keyStart, 'a valid key');
    if (index === -1) return;
    this.#members ??= this.#keys.map(() => undefined);
    (this.#members[index] ??= []).push({
      keyStart: this.#keyStart,
      valueStart: this.#valueStart,
      valueEnd: this.#valueEnd,
      commaBefore: this.#commaBefore,
      commaAfter,
    });
  }

  #endObject(offset: number): void {
    this.#objectEnd = offset;
    this.#state = states.rest;
  }

  #refuse(byte: number | undefined, offset: number): never {
    throw malformedJson(byte, offset, expectations[this.#state] ?? 'a JSON value');
  }
}
