import { Duplex } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { openStream, SocketChannel } from './socket-channel.ts';

/** The other side takes what is sent when it is told to. */
class Reader extends Duplex {
  #waiting: (() => void)[] = [];

  constructor() {
    super({ highWaterMark: 1 });
  }

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#waiting.push(done);
  }
  override _read(): void {
    // It says nothing.
  }
  readOn(): void {
    for (const done of this.#waiting.splice(0)) done();
  }
}

function open(): { reader: Reader; channel: SocketChannel<object, object>; reasons: string[] } {
  const reader = new Reader();
  const options = { isImmediate: true, maxUnreadBytes: 2000, stalledMs: 100 };
  const channel = new SocketChannel<object, object>(openStream(reader), options);
  const reasons: string[] = [];
  channel.onClose((reason) => reasons.push(reason));
  return { reader, channel, reasons };
}

const message = { text: 'x'.repeat(1000) };

describe('what is sent to a side that does not read', () => {
  it('is held for a while, and then the channel ends', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { reader, channel, reasons } = open();
    for (let sent = 0; sent < 5; sent += 1) channel.send(message);
    expect(reasons).toEqual([]);
    vi.advanceTimersByTime(150);
    channel.send(message);
    expect(reasons).toEqual(['it does not read what it is sent']);
    expect(reader.destroyed).toBe(true);
    vi.useRealTimers();
  });

  it('may be much at once, after any time of silence', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { channel, reasons } = open();
    vi.advanceTimersByTime(10_000);
    channel.send({ text: 'x'.repeat(20_000) });
    channel.send(message);
    expect(reasons).toEqual([]);
    vi.useRealTimers();
  });

  it('is held for who reads on slowly, up to a bound', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { reader, channel, reasons } = open();
    channel.send({ text: 'x'.repeat(8000) });
    for (let sent = 0; sent < 10; sent += 1) {
      channel.send(message);
      vi.advanceTimersByTime(80);
      reader.readOn();
    }
    expect(reasons).toEqual([]);
    for (let sent = 0; sent < 40; sent += 1) channel.send(message);
    expect(reasons).toEqual(['it does not read what it is sent']);
    vi.useRealTimers();
  });
});
