/**
 * Law 4 where it is cheap, at the framing layer: however the bytes of a stream are cut, and with CRLF, the events are the same.
 *
 * Every stream is fed one byte at a time, which shows that the parser's state survives every border at once and is back at its
 * beginning after each event. Therefore a single cut needs only the event that it falls into and the one behind it. Single cuts
 * are made at every offset of a stream of at most 4 KiB; in larger ones at every offset around a line's end, in its field name
 * and inside a multi-byte character, and at every 97th elsewhere, where bytes are payload and all alike to the parser.
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

function bytewise(bytes: Buffer): readonly SseEvent[] {
  const parser = new SseParser();
  const events: SseEvent[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const found = parser.push(bytes.subarray(at, at + 1));
    if (found.length > 0) events.push(...found);
  }
  return [...events, ...parser.finish()];
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

function streamFailures(bytes: Buffer, expected: readonly SseEvent[], form: string): readonly string[] {
  const failures: string[] = [];
  if (!isSame(parseSse(bytes), expected)) failures.push(`${form}: whole`);
  if (!isSame(bytewise(bytes), expected)) failures.push(`${form}: byte by byte`);
  const pieces = splitEvents(bytes, 'sse');
  let start = 0;
  for (const [index, piece] of pieces.entries()) {
    const window = bytes.subarray(start, start + piece.length + (pieces[index + 1]?.length ?? 0));
    const offsets = bytes.length <= smallStreamBytes ? piece.keys() : interestingOffsets(piece);
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
  const failures = [
    ...streamFailures(bytes, expected, 'as recorded'),
    ...streamFailures(withCrlf(bytes), expected, 'with CRLF'),
  ];
  return verdict({ law: 'framing', recording, subject: 'stream' }, failures.slice(0, 5));
}
