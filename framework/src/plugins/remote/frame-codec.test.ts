import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameError, FrameReader, parseSafely } from './frame-codec.ts';

/** What a reader makes of `bytes` that come in pieces of these sizes. */
function read(bytes: Buffer, sizes: readonly number[], maxBytes?: number): unknown[][] {
  const reader = new FrameReader(maxBytes);
  const batches: unknown[][] = [];
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    // Memory that the sender uses again.
    const piece = Buffer.from(bytes.subarray(at, at + size));
    reader.push(piece, (batch) => batches.push([...batch]));
    piece.fill(0);
    at += size;
  }
  return batches;
}

const json = fc.jsonValue({ noUnicodeString: false }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const message = fc.record({ kind: fc.constant('call'), call: fc.nat(), input: json });
const body = fc.uint8Array({ maxLength: 200 });
const bodied = fc.oneof(
  body.map((bytes) => ({ kind: 'call', input: { body: bytes, a: 1 } })),
  fc
    .tuple(body, body)
    .map(([a, b]) => ({ kind: 'reply', value: { request: { body: a }, response: { body: b, x: 'y' } } })),
);
const anyMessage = fc.oneof({ weight: 3, arbitrary: message }, { weight: 1, arbitrary: bodied });

/** JSON has no own `__proto__` that is kept. */
function hasProto(value: unknown): boolean {
  return JSON.stringify(value).includes('__proto__');
}

describe('frames', () => {
  it('come back as they were, however they are cut', () => {
    const batches = fc.array(fc.array(anyMessage, { maxLength: 4 }), { maxLength: 4 });
    fc.assert(
      fc.property(batches, fc.array(fc.nat({ max: 40 })), (list, sizes) => {
        fc.pre(!hasProto(list));
        expect(read(Buffer.concat(list.map((batch) => encodeFrame(batch))), sizes)).toEqual(list);
      }),
    );
  });

  it('keep empty bodies and ones of a megabyte', () => {
    const list = [{ input: { body: new Uint8Array() } }, { value: { body: new Uint8Array(1_000_000).fill(7) } }];
    expect(
      read(
        encodeFrame(list),
        Array.from({ length: 17 }, () => 65_536),
      ),
    ).toEqual([list]);
  });

  it('of any bytes are read or refused, nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, isFramed) => {
        const head = Buffer.alloc(8);
        head.writeUInt32LE(bytes.length + 4, 0);
        head.writeUInt32LE(bytes.length >> 1, 4);
        try {
          read(isFramed ? Buffer.concat([head, bytes]) : Buffer.from(bytes), [], 1000);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
    );
  });

  it('that come byte by byte are gathered in one piece of memory', () => {
    const reader = new FrameReader();
    const frame = encodeFrame([{ kind: 'x', text: 'y'.repeat(200_000) }]);
    const read: unknown[] = [];
    const before = process.memoryUsage().arrayBuffers;
    for (let at = 0; at < frame.length; at += 1)
      reader.push(frame.subarray(at, at + 1), (batch) => read.push(...batch));
    expect(read).toEqual([{ kind: 'x', text: 'y'.repeat(200_000) }]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000);
  });

  it.each([
    ['bodies that are not there', [{ kind: 'call', input: {}, bytes: [['body', 5]] }]],
    ['bodies without a value', [{ kind: 'call', bytes: [['body', 0]] }]],
    ['bodies in a place that is none', [{ kind: 'call', input: { request: 5 }, bytes: [['request', 0]] }]],
    ['bodies of a wrong size', [{ kind: 'call', input: {}, bytes: [['body', -1]] }]],
    ['a message that is no object', [5]],
  ])('with %s are refused', (_what, batch) => {
    expect(() => read(encodeFrame(batch), [])).toThrow(FrameError);
  });

  it('above the limit are refused before they have come, and not written', () => {
    expect(() => read(Buffer.from([0, 0, 0, 1]), [], 1000)).toThrow('is longer than 1000');
    expect(() => encodeFrame([{ input: 'x'.repeat(100) }], 50)).toThrow(RangeError);
  });
});

describe('JSON of a plugin', () => {
  it.each([
    '{"__proto__":{"a":1},"b":[{"__proto__":2}]}',
    String.raw`{"\u005f_proto__":{"a":1},"b":[{"_\u005Fproto\u005f_":2}]}`,
  ])('has no member that could become a prototype: %s', (text) => {
    const value = parseSafely(text) as { readonly b: readonly object[] };
    expect(Object.keys(value)).toEqual(['b']);
    expect(Object.keys(value.b[0] ?? {})).toEqual([]);
    expect(({ ...value } as { a?: number }).a).toBeUndefined();
  });
});
