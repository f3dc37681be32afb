/** Law 4: however the bytes are cut, and with CRLF, the frames are the same. */
import type { StreamFrame } from '@bifrost/sdk';
import { recordedBytes, recordingsOfApi } from '@bifrost/testkit';
import type { Recording } from '@bifrost/testkit';
import { describe, expect, it } from 'vitest';
import { SseParser } from '../../sse/parser.ts';
import { geminiGenerateContentCodec as codec } from './codec.ts';
import { formatJsonArrayStream, JsonArrayStreamParser, JsonArrayStreamWriter } from './json-array-stream.ts';

const streams = recordingsOfApi('google.stream_generate_content').filter(
  (one) => one.response.stream_format !== undefined && one.response.status < 300,
);
/** A quick selection for the dear ways of cutting: small streams, by kind. */
const quick = streams.filter((one) => recordedBytes(one.response).length < 12_000);

const framesOf = (recording: Recording, pieces: readonly Uint8Array[]): readonly StreamFrame[] => {
  const parser = recording.response.stream_format === 'json-array' ? new JsonArrayStreamParser() : new SseParser();
  const decoder = codec.createStreamDecoder();
  const frames = pieces.flatMap((piece) => parser.push(piece).flatMap((event) => decoder.push(event)));
  return [...frames, ...parser.finish().flatMap((event) => decoder.push(event)), ...decoder.finish()];
};

const cutAt = (bytes: Uint8Array, offsets: readonly number[]): readonly Uint8Array[] => {
  const places = [0, ...[...new Set(offsets)].toSorted((left, right) => left - right), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
};

/** A small generator of pseudo-random numbers, the same on every run. */
const randomOffsets = (seed: number, length: number): readonly number[] => {
  let state = seed;
  return Array.from({ length: 64 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % length;
  });
};

const lineEnds = (bytes: Buffer): readonly number[] =>
  [...bytes].flatMap((byte, at) => (byte === 0x0a ? [at + 1] : []));

describe('stream decoding', () => {
  it('gives the same frames whole, by line, at 64 random places and with CRLF, for every recording', () => {
    expect(streams.length).toBe(63);
    for (const [index, recording] of streams.entries()) {
      const bytes = recordedBytes(recording.response);
      const whole = framesOf(recording, [bytes]);
      expect(whole.at(-1)?.events.some((event) => event.type === 'error')).toBe(false);
      expect(framesOf(recording, cutAt(bytes, lineEnds(bytes)))).toEqual(whole);
      expect(framesOf(recording, cutAt(bytes, randomOffsets(index + 1, bytes.length)))).toEqual(whole);
      const crlf = Buffer.from(bytes.toString('utf8').replaceAll(/\r?\n/g, '\r\n'));
      expect(framesOf(recording, cutAt(crlf, randomOffsets(index + 1, crlf.length)))).toEqual(whole);
    }
  });

  it('gives the same frames byte by byte', () => {
    expect(quick.length).toBeGreaterThan(20);
    expect(quick.some((one) => one.features.includes('crlf'))).toBe(true);
    for (const recording of quick) {
      const bytes = recordedBytes(recording.response);
      expect(
        framesOf(
          recording,
          [...bytes].map((byte) => Uint8Array.of(byte)),
        ),
      ).toEqual(framesOf(recording, [bytes]));
    }
  });
});

describe('the JSON array form', () => {
  it('reads what it wrote, cut at every offset', () => {
    const events = [{ data: '{"a":"}]\\"{[\\\\","b":[{"c":1}]}' }, { data: '{"text":"ä€😀 \\u00e4"}' }, { data: '{}' }];
    const bytes = Buffer.from(formatJsonArrayStream(events));
    expect(JSON.parse(bytes.toString())).toHaveLength(3);
    for (let at = 0; at <= bytes.length; at++) {
      const parser = new JsonArrayStreamParser();
      const read = [...parser.push(bytes.subarray(0, at)), ...parser.push(bytes.subarray(at)), ...parser.finish()];
      expect(read).toEqual(events);
    }
    const parser = new JsonArrayStreamParser();
    expect([...bytes].flatMap((byte) => parser.push(Uint8Array.of(byte)))).toEqual(events);
  });

  it('turns every recorded SSE stream into an array with the same chunks and back', () => {
    for (const { response } of streams.filter((one) => one.response.stream_format === 'sse')) {
      const sse = new SseParser();
      const events = [...sse.push(recordedBytes(response)), ...sse.finish()];
      const writer = new JsonArrayStreamWriter();
      const text = [...events.map((event) => writer.push(event)), writer.finish()].join('');
      expect((JSON.parse(text) as readonly unknown[]).length).toBe(events.length);
      const parser = new JsonArrayStreamParser();
      expect([...parser.push(text), ...parser.finish()]).toEqual(events);
    }
  });

  it('writes an empty array for an empty stream, reads an error outside of an array, and hands out what was cut off', () => {
    expect(formatJsonArrayStream([])).toBe('[]');
    const whole = new JsonArrayStreamParser();
    expect(whole.push('{"error":{"code":404}}')).toEqual([{ data: '{"error":{"code":404}}' }]);
    const cut = new JsonArrayStreamParser();
    expect([...cut.push('[{"a":1},{"b":'), ...cut.finish()]).toEqual([{ data: '{"a":1}' }, { data: '{"b":' }]);
  });

  it('refuses an element that never ends', () => {
    const parser = new JsonArrayStreamParser();
    const piece = `{"x":"${'x'.repeat(8 * 1024 * 1024)}`;
    parser.push(piece);
    expect(() => {
      for (let n = 0; n < 8; n++) parser.push('x'.repeat(8 * 1024 * 1024));
    }).toThrow(/32 Mi/);
  });
});
