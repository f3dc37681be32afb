import { EventEmitter } from 'node:events';
import type { OnReadOpts, Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { network } from '../pipeline/__tests__/harness.ts';
import { RecordedCall } from './__tests__/scripted-server.ts';
import { DirectTransport } from './direct-transport.ts';
import { SocketOpener } from './socket-opener.ts';

/** A socket in memory, which says whether it is read. What arrives while it is not waits in it, as in the kernel. */
class MemorySocket extends EventEmitter {
  readonly writableLength = 0;
  isRead = true;
  #waiting = '';
  readonly #onread: OnReadOpts;

  constructor(onread: OnReadOpts) {
    super();
    this.#onread = onread;
    process.nextTick(() => this.emit('connect'));
  }

  /** The server sends. */
  arrive(text: string): void {
    this.#waiting += text;
    const buffer = this.#onread.buffer as Buffer;
    while (this.isRead && this.#waiting !== '') {
      const bytes = buffer.write(this.#waiting, 'latin1');
      this.#waiting = this.#waiting.slice(bytes);
      this.isRead = this.#onread.callback(bytes, buffer);
    }
  }

  resume(): void {
    this.isRead = true;
    this.arrive('');
  }

  write(): boolean {
    return true;
  }
  cork(): void {}
  uncork(): void {}
  ref(): void {}
  destroy(): void {}
}

/** A call that has been sent over a socket in memory, and its socket. */
async function sentCall(): Promise<{ readonly call: RecordedCall; readonly socket: MemorySocket }> {
  const opened = Promise.withResolvers<MemorySocket>();
  const opening = vi.spyOn(SocketOpener.prototype, 'open').mockImplementation((_target, onread) => {
    const socket = new MemorySocket(onread);
    opened.resolve(socket);
    return socket as unknown as Socket;
  });
  onTestFinished(() => opening.mockRestore());
  const call = new RecordedCall(new DirectTransport(network), 'http://127.0.0.1:9');
  call.call.start();
  const socket = await opened.promise;
  await new Promise((resolve) => socket.once('connect', resolve));
  return { call, socket };
}

it('a socket is not read while its call is paused, nor after a resume during which the call is paused again', async () => {
  const { call, socket } = await sentCall();
  call.onEvent = (event) => event === 'data' && call.call.pause();
  socket.arrive('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\na');
  expect([call.body, socket.isRead]).toEqual(['a', false]);
  socket.arrive('b');
  expect(call.body).toBe('a');

  // Reads what has come, and stops with it.
  call.call.resume();
  expect([call.body, socket.isRead]).toEqual(['ab', false]);

  // What is read while it is paused is kept, and reading stops.
  call.onEvent = () => undefined;
  call.call.resume();
  expect(socket.isRead).toBe(true);
  call.call.pause();
  socket.arrive('c');
  expect([call.body, socket.isRead]).toEqual(['ab', false]);
  call.onEvent = (event) => event === 'data' && call.call.pause();
  call.call.resume();
  expect([call.body, call.events.at(-1), socket.isRead]).toEqual(['abc', 'data', false]);

  // The end that was kept behind it; an idle connection is read, so that its end is noticed.
  call.onEvent = () => undefined;
  call.call.resume();
  expect([call.events.at(-1), socket.isRead]).toEqual(['end', true]);
});
