import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSse, parseSse, SseParser } from './parser.ts';

const cutEverywhere = (text: string): void => {
  const bytes = Buffer.from(text);
  const whole = parseSse(bytes);
  for (let at = 0; at <= bytes.length; at++) {
    const parser = new SseParser();
    const events = [...parser.push(bytes.subarray(0, at)), ...parser.push(bytes.subarray(at)), ...parser.finish()];
    expect(events).toEqual(whole);
  }
  const parser = new SseParser();
  const bytewise = [...bytes].flatMap((byte) => parser.push(Uint8Array.of(byte)));
  expect([...bytewise, ...parser.finish()]).toEqual(whole);
};

describe('SseParser', () => {
  it('reads LF, CRLF and CR, a space or none after the colon, comments and several data lines', () => {
    const body = '\uFEFF: hello\r\nevent: a\r\ndata:1\r\n\r\ndata: 2\rdata: 3\r\rid: 7\ndata\n\n';
    expect(parseSse(body)).toEqual([{ event: 'a', data: '1' }, { data: '2\n3' }, { data: '', id: '7' }]);
  });

  it('yields the same events however the bytes are cut, inside characters and line ends too', () => {
    cutEverywhere('data: {"t":"ä€😀"}\r\n\r\nevent: x\r\ndata: [DONE]\r\n\r\n: ping\r\r\ndata: a\ndata: b\n\n');
    cutEverywhere('\uFEFFdata: a\r\rdata: b\r\n\r\ndata: unterminated');
  });

  it('reads back what formatSse wrote', () => {
    const name = fc.stringMatching(/^[a-z_.]{1,12}$/);
    const data = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\r') && text.isWellFormed());
    fc.assert(
      fc.property(fc.array(fc.record({ event: fc.option(name, { nil: undefined }), data })), (events) => {
        const plain = events.map(({ event, data: text }) =>
          event === undefined ? { data: text } : { event, data: text },
        );
        expect(parseSse(plain.map(formatSse).join(''))).toEqual(plain);
      }),
    );
  });

  it('drops events without data and refuses an event that never ends', () => {
    expect(parseSse('event: ping\n\n')).toEqual([]);
    const parser = new SseParser();
    const piece = `data: ${'x'.repeat(8 * 1024 * 1024)}`;
    expect(() => {
      for (let n = 0; n < 8; n++) parser.push(piece);
    }).toThrow(/32 Mi/);
  });
});
