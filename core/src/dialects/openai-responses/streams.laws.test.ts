import { recordedBytes, recordingsOfApi } from '@bifrost/testkit';
import type { Json, StreamFrame } from '@bifrost/sdk';
import { describe, expect, it } from 'vitest';
import type { SseEvent } from '../../sse/event.ts';
import { parseSse, SseParser } from '../../sse/parser.ts';
import type { Loss } from '../codec.ts';
import { openaiResponsesCodec } from './codec.ts';

const recordings = recordingsOfApi('openai.responses').filter((one) => one.response.stream_format === 'sse');

function decode(events: readonly SseEvent[]): readonly StreamFrame[] {
  const decoder = openaiResponsesCodec.createStreamDecoder();
  return [...events.flatMap((event) => decoder.push(event)), ...decoder.finish()];
}

function decodeChunks(chunks: readonly Uint8Array[]): readonly StreamFrame[] {
  const parser = new SseParser();
  const events = chunks.flatMap((chunk) => parser.push(chunk));
  return decode([...events, ...parser.finish()]);
}

/** An event with its data parsed, to compare by value. */
function parsed(events: readonly SseEvent[]): readonly unknown[] {
  return events.map(({ data, ...rest }) => ({ ...rest, data: data === '[DONE]' ? data : (JSON.parse(data) as Json) }));
}

/** A small, fast generator of pseudo-random numbers (mulberry32), so that the cuts are the same in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function cutAt(bytes: Uint8Array, offsets: readonly number[]): readonly Uint8Array[] {
  const sorted = [0, ...offsets.toSorted((left, right) => left - right), bytes.length];
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

describe('law 2 over all recorded streams of the Responses API', () => {
  it('has the recordings that it claims to check', () => expect(recordings).toHaveLength(102));

  it.each(recordings.map((one) => [one.id, one] as const))('%s', (_, recording) => {
    const events = parseSse(recordedBytes(recording.response));
    const losses: Loss[] = [];
    const encoder = openaiResponsesCodec.createStreamEncoder({ report: { add: (loss) => losses.push(loss) } });
    const encoded = [...decode(events).flatMap((frame) => encoder.push(frame)), ...encoder.finish()];
    expect(parsed(encoded)).toStrictEqual(parsed(events));
    expect(losses).toEqual([]);
  });
});

describe('law 4: however the bytes are cut, the frames are the same', () => {
  const short = recordings.filter((one) => recordedBytes(one.response).length < 40_000);

  it.each(short.slice(0, 24).map((one) => [one.id, recordedBytes(one.response)] as const))('%s', (_, bytes) => {
    const whole = decodeChunks([bytes]);
    const crlf = Buffer.from(bytes.toString('utf8').replaceAll('\r\n', '\n').replaceAll('\n', '\r\n'));
    expect(decodeChunks([crlf])).toEqual(whole);
    const lines = [...bytes.keys()].filter((index) => bytes[index] === 0x0a).map((index) => index + 1);
    expect(decodeChunks(cutAt(bytes, lines))).toEqual(whole);
    const random = createRandom(bytes.length);
    for (const source of [bytes, crlf]) {
      const offsets = Array.from({ length: 64 }, () => Math.floor(random() * source.length));
      expect(decodeChunks(cutAt(source, offsets))).toEqual(whole);
    }
  });

  it.each(short.slice(0, 6).map((one) => [one.id, recordedBytes(one.response)] as const))(
    '%s byte by byte',
    (_, bytes) => {
      const single = Array.from(bytes.keys(), (index) => bytes.subarray(index, index + 1));
      expect(decodeChunks(single)).toEqual(decodeChunks([bytes]));
    },
  );
});
