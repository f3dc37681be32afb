import type { Recording } from '../recordings.ts';

/** How a body is divided into events. */
export type StreamFraming = NonNullable<Recording['response']['stream_format']> | 'none';

const [lineFeed, carriageReturn] = [0x0a, 0x0d];

/** The ends of all lines (offsets behind the line end): LF, CRLF and CR; the last line counts without one. */
function lineEnds(bytes: Buffer): readonly number[] {
  const ends: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const isPair = bytes[at] === carriageReturn && bytes[at + 1] === lineFeed;
    if (isPair) at += 1;
    if (bytes[at] === lineFeed || bytes[at] === carriageReturn) ends.push(at + 1);
  }
  if (ends.at(-1) !== bytes.length && bytes.length > 0) ends.push(bytes.length);
  return ends;
}

function sseEnds(bytes: Buffer): readonly number[] {
  const ends: number[] = [];
  let start = 0;
  let hasData = false;
  for (const end of lineEnds(bytes)) {
    const isBlank = bytes[start] === lineFeed || bytes[start] === carriageReturn;
    if (!isBlank) hasData ||= bytes.subarray(start, start + 4).toString('latin1') === 'data';
    else if (hasData) {
      ends.push(end);
      hasData = false;
    }
    start = end;
  }
  return withLast(ends, bytes.length);
}

/** Each AWS frame begins with its own length in four bytes, big-endian. */
function awsEnds(bytes: Buffer): readonly number[] {
  const ends: number[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const size = bytes.readUInt32BE(at);
    if (size < 16) break;
    at = Math.min(at + size, bytes.length);
    ends.push(at);
  }
  return withLast(ends, bytes.length);
}

const withLast = (ends: readonly number[], length: number): readonly number[] =>
  length > 0 && ends.at(-1) !== length ? [...ends, length] : ends;

const cutAt = (bytes: Buffer, ends: readonly number[]): readonly Buffer[] =>
  ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));

/** The body's lines, line ends included; joined they are the body. */
export function splitLines(bytes: Buffer): readonly Buffer[] {
  return cutAt(bytes, lineEnds(bytes));
}

/**
 * The body's events, what separates them included; joined they are the body. Comments and blank lines belong to the event
 * behind them. A body without framing is one event.
 */
export function splitEvents(bytes: Buffer, framing: StreamFraming): readonly Buffer[] {
  if (framing === 'sse') return cutAt(bytes, sseEnds(bytes));
  if (framing === 'ndjson') return splitLines(bytes);
  if (framing === 'aws-eventstream') return cutAt(bytes, awsEnds(bytes));
  return bytes.length === 0 ? [] : [bytes];
}

/** The body in `count` writes of nearly equal size. */
export function splitChunks(bytes: Buffer, count: number): readonly Buffer[] {
  const ends = Array.from({ length: count }, (_, index) => Math.round((bytes.length * (index + 1)) / count));
  return cutAt(bytes, ends).filter((piece) => piece.length > 0);
}
