import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSse } from './parser.ts';
import { WireEventReader } from './wire-events.ts';
import type { WireEvent } from './wire-events.ts';

function read(chunks: readonly Buffer[]): readonly WireEvent[] {
  const reader = new WireEventReader();
  const events = chunks.flatMap((chunk) => [...reader.push(chunk)]);
  return [...events, ...reader.finish()];
}

function cut(bytes: Buffer, offsets: readonly number[]): readonly Buffer[] {
  const ends = [...new Set(offsets.map((offset) => offset % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...ends].map((begin, index) => bytes.subarray(begin, ends[index] ?? bytes.length));
}

const line = fc.constantFrom('data: a', 'data: ä€', 'event: x', ': comment', 'id: 1', 'data', '', '', 'odd');
const stream = fc
  .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 12 })
  .map((lines) => Buffer.from(lines.map(([text, end]) => text + end).join('')));

describe('a stream cut into its events', () => {
  it('loses no byte and says what the parser says, however it is cut and whatever ends its lines', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(200), { maxLength: 6 }), fc.boolean(), (body, offsets, hasMark) => {
        const bytes = hasMark ? Buffer.concat([Buffer.from('\ufeff'), body]) : body;
        const events = read(cut(bytes, offsets));
        expect(Buffer.concat(events.map((one) => one.bytes ?? Buffer.alloc(0))).equals(bytes)).toBe(true);
        expect(events.flatMap((one) => one.event ?? [])).toEqual(parseSse(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('hands each event out with its own bytes, as soon as its blank line is there', () => {
    const reader = new WireEventReader();
    expect(reader.push(Buffer.from('data: 1\n'))).toEqual([]);
    const [first] = reader.push(Buffer.from('\n: ping\r\n\r\ndata'));
    expect(first).toEqual({ bytes: Buffer.from('data: 1\n\n'), event: { data: '1' } });
    expect(reader.push(Buffer.from(': 2\r\r')).map((one) => one.bytes?.toString())).toEqual(['data: 2\r\r']);
    expect(reader.finish()).toEqual([]);
  });
});
