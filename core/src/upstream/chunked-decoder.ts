import { carriageReturn, lineFeed, responseError } from './response-syntax.ts';

/** Takes the body's bytes, as a part of the buffer that is being read. */
export interface BodySink {
  onBody(bytes: Buffer, start: number, end: number): void;
}

const atSize = 0;
const inSize = 1;
const inExtension = 2;
const atSizeLineFeed = 3;
const inData = 4;
const atDataReturn = 5;
const atDataLineFeed = 6;
const inTrailer = 7;
const done = 8;

const maxSizeDigits = 16;
/** Of all extensions, and of all trailers, in bytes: they are read and left aside. */
const maxSkippedBytes = 16 * 1024;
const semicolon = 59;
const token = String.raw`[!#$%&'*+\-.^_\`|~0-9A-Za-z]+`;
const quoted = String.raw`"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"`;
const extensions = new RegExp(`^(?:;${token}(?:=(?:${token}|${quoted}))?)+$`);
const trailer = new RegExp(String.raw`^(${token}):[\t\x20-\x7e\x80-\xff]*\r\n$`);
const framingNames = new Set(['content-length', 'transfer-encoding', 'trailer']);

/** A body in chunks, cut anywhere: hands on what is in the chunks. */
export class ChunkedDecoder {
  #state = atSize;
  #missing = 0;
  #digits = 0;
  #line = '';
  #skippedBytes = 0;

  get isDone(): boolean {
    return this.#state === done;
  }

  /** Begins a new body. */
  reset(): void {
    this.#state = atSize;
    this.#missing = 0;
    this.#digits = 0;
    this.#line = '';
    this.#skippedBytes = 0;
  }

  /** Reads up to `end` or to the body's end, and says how far. Throws ConnectionError for what is no body in chunks. */
  execute(bytes: Buffer, start: number, end: number, sink: BodySink): number {
    let at = start;
    while (at < end && this.#state !== done) {
      if (this.#state === inData) {
        const stop = Math.min(end, at + this.#missing);
        this.#missing -= stop - at;
        if (this.#missing === 0) this.#state = atDataReturn;
        sink.onBody(bytes, at, stop);
        at = stop;
      } else {
        this.#readFraming(bytes[at] as number);
        at += 1;
      }
    }
    return at;
  }

  #readFraming(byte: number): void {
    switch (this.#state) {
      case atSize:
      case inSize:
        this.#readSize(byte);
        break;
      case inExtension:
        if (byte === carriageReturn) this.#endExtensions();
        else this.#keep(byte);
        break;
      case atSizeLineFeed:
        if (byte !== lineFeed) throw invalid('a line of a size that does not end');
        this.#state = this.#missing === 0 ? inTrailer : inData;
        break;
      case atDataReturn:
        if (byte !== carriageReturn) throw invalid('a chunk longer than its size');
        this.#state = atDataLineFeed;
        break;
      case atDataLineFeed:
        if (byte !== lineFeed) throw invalid('a chunk longer than its size');
        this.#state = atSize;
        break;
      default:
        this.#keep(byte);
        if (byte === lineFeed) this.#endTrailer();
    }
  }

  #readSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit !== -1) {
      this.#digits = this.#state === atSize ? 1 : this.#digits + 1;
      this.#missing = this.#state === atSize ? digit : this.#missing * 16 + digit;
      if (this.#digits > maxSizeDigits || this.#missing > Number.MAX_SAFE_INTEGER) throw invalid('a chunk too large');
      this.#state = inSize;
    } else if (this.#state === inSize && byte === carriageReturn) this.#state = atSizeLineFeed;
    else if (this.#state === inSize && byte === semicolon) {
      this.#state = inExtension;
      this.#keep(byte);
    } else throw invalid('a size that is no number');
  }

  #keep(byte: number): void {
    this.#skippedBytes += 1;
    if (this.#skippedBytes > maxSkippedBytes) {
      throw responseError('has extensions or trailers without end', 'RESPONSE_CHUNK_INVALID');
    }
    this.#line += String.fromCharCode(byte);
  }

  #endExtensions(): void {
    if (!extensions.test(this.#line)) throw invalid('an extension that is none');
    this.#line = '';
    this.#state = atSizeLineFeed;
  }

  #endTrailer(): void {
    const line = this.#line;
    this.#line = '';
    if (line === '\r\n') {
      this.#state = done;
      return;
    }
    const name = trailer.exec(line)?.[1];
    if (name === undefined || framingNames.has(name.toLowerCase())) throw invalid('a trailer that is none');
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

function invalid(what: string): Error {
  return responseError(`has ${what}`, 'RESPONSE_CHUNK_INVALID');
}
