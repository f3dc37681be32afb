import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSse } from '@bifrost/core';
import { recordedBytes, recordedProviders, recordingsOf } from '../recordings.ts';
import { splitChunks, splitEvents, splitLines } from './wire-events.ts';

const streams = recordedProviders()
  .flatMap(recordingsOf)
  .filter((one) => one.response.stream_format !== undefined);

describe('cutting a recorded stream', () => {
  it('loses and adds no byte, for every recorded stream and framing', () => {
    for (const recording of streams) {
      const bytes = recordedBytes(recording.response);
      const framing = recording.response.stream_format ?? 'none';
      for (const pieces of [splitLines(bytes), splitEvents(bytes, framing), splitChunks(bytes, 7)]) {
        expect(Buffer.concat(pieces).equals(bytes), recording.id).toBe(true);
        expect(pieces.every((piece) => piece.length > 0)).toBe(true);
      }
    }
  });

  it('makes one piece of each event', () => {
    for (const recording of streams.filter((one) => one.response.stream_format === 'sse')) {
      const bytes = recordedBytes(recording.response);
      const pieces = splitEvents(bytes, 'sse').filter((piece) => parseSse(piece).length > 0);
      expect(pieces.every((piece) => parseSse(piece).length === 1)).toBe(true);
      expect(pieces.length, recording.id).toBe(parseSse(bytes).length);
    }
  });

  it('reads AWS frames by their length', () => {
    const recording = streams.find((one) => one.response.stream_format === 'aws-eventstream');
    const frames = splitEvents(recordedBytes((recording as (typeof streams)[number]).response), 'aws-eventstream');
    expect(frames.length).toBeGreaterThan(2);
    expect(frames.every((frame) => frame.readUInt32BE(0) === frame.length)).toBe(true);
  });

  it('cuts any bytes into at most the number of chunks asked for', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 40 }), (bytes, count) => {
        const pieces = splitChunks(Buffer.from(bytes), count);
        expect(pieces.length).toBeLessThanOrEqual(count);
        expect(Buffer.concat(pieces).equals(Buffer.from(bytes))).toBe(true);
      }),
    );
  });
});
