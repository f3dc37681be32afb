/**
 * Law 4 where it is cheap, at the framing layer: however the bytes of a stream are cut, and with CRLF, the events are the same.
 *
 * Every stream is fed one byte at a time, which shows that the parser's state survives every border at once and is back at its
 * beginning after each event. Therefore a single cut needs only the event that it falls into and the one behind it. Single cuts
 * are made at every offset of a stream of at most 4 KiB; in larger ones at every offset around a line's end, in its field name
 * and inside a multi-byte character, and at every 97th elsewhere, where bytes are payload and all alike to the parser. With CRLF
 * only line ends are new: there the cuts are around them, and the bytes between them go in one piece.
 */
import type { SseEvent } from '@bifrost/core';
import { parseSse, SseParser } from '@bifrost/core';
import type { Recording } from '../recordings.ts';
import { recordedBytes } from '../recordings.ts';
import { splitEvents } from '../replay/wire-events.ts';
import type { Verdict } from './verdict.ts';
import { verdict } from './verdict.ts';

const stride = 97;
const smallStreamBytes = 4096;
const fieldNameBytes = 8;

const isSame = (left: readonly SseEvent[], right: readonly SseEvent[]): boolean =>
  left.length === right.length &&
  left.every((event, at) => {
    const other = right[at] as SseEvent;
    return event.data === other.data && event.event === other.event && event.id === other.id;
  });

/** The stream with CRLF in place of every other line end. */
export function withCrlf(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('utf8').replaceAll(/\r\n|\n|\r/g, '\r\n'));
}

/** The offsets at which a cut could matter, in a piece of a stream too large to cut everywhere. */
export function interestingOffsets(bytes: Buffer): readonly number[] {
  const offsets = new Set<number>();
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === 0x0a || byte === 0x0d) for (let near = at - 1; near <= at + fieldNameBytes; near++) offsets.add(near);
    else if (byte >= 0x80) offsets.add(at);
    else if (at % stride === 0 || at <= fieldNameBytes) offsets.add(at);
  }
  return [...offsets].filter((at) => at >= 0 && at < bytes.length);
}

/** Every byte as a chunk, made once. */
const singles = Array.from({ length: 256 }, (_, byte) => Buffer.from([byte]));

/** Fed one byte at a time; with `atLineEnds` only so around line ends, and what is between them in one piece. */
function bytewise(bytes: Buffer, atLineEnds: boolean): readonly SseEvent[] {
  const parser = new SseParser();
  const events: SseEvent[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length; at++) {
    const isInside = atLineEnds && (bytes[at] as number) > 0x0d && (bytes[at + 1] ?? 0) > 0x0d;
    if (isInside) continue;
    const isSingle = start === at;
    const found = parser.push(isSingle ? (singles[bytes[at] as number] as Buffer) : bytes.subarray(start, at + 1));
    start = at + 1;
    if (found.length > 0) events.push(...found);
  }
  return [...events, ...parser.finish()];
}

/** The offsets around the line ends. */
function lineEndOffsets(bytes: Buffer): readonly number[] {
  const offsets: number[] = [];
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) offsets.push(at - 1, at, at + 1);
  return offsets.filter((at) => at >= 0 && at < bytes.length);
}

function cutFailures(window: Buffer, offsets: Iterable<number>, label: string): readonly string[] {
  const expected = parseSse(window);
  const failures: string[] = [];
  for (const at of offsets) {
    const parser = new SseParser();
    const events = [...parser.push(window.subarray(0, at)), ...parser.push(window.subarray(at)), ...parser.finish()];
    if (!isSame(events, expected)) failures.push(`${label}, cut at byte ${at} of the event`);
  }
  return failures;
}

function streamFailures(bytes: Buffer, expected: readonly SseEvent[], isCrlf: boolean): readonly string[] {
  const failures: string[] = [];
  const form = isCrlf ? 'with CRLF' : 'as recorded';
  if (!isSame(parseSse(bytes), expected)) failures.push(`${form}: whole`);
  if (!isSame(bytewise(bytes, isCrlf), expected)) failures.push(`${form}: byte by byte`);
  const pieces = splitEvents(bytes, 'sse');
  let start = 0;
  for (const [index, piece] of pieces.entries()) {
    const window = bytes.subarray(start, start + piece.length + (pieces[index + 1]?.length ?? 0));
    const isSmall = bytes.length <= smallStreamBytes;
    const offsets = isCrlf ? lineEndOffsets(piece) : isSmall ? piece.keys() : interestingOffsets(piece);
    failures.push(...cutFailures(window, offsets, `${form}: event ${index}`));
    start += piece.length;
  }
  return failures;
}

/** Puts one recorded SSE stream before the law; undefined for what is none. */
export function judgeFraming(recording: Recording): Verdict | undefined {
  if (recording.response.stream_format !== 'sse') return undefined;
  const bytes = recordedBytes(recording.response);
  const expected = parseSse(bytes);
  const failures = [...streamFailures(bytes, expected, false), ...streamFailures(withCrlf(bytes), expected, true)];
  return verdict({ law: 'framing', recording, subject: 'stream' }, failures.slice(0, 5));
}
