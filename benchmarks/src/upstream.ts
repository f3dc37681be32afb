/**
 * The provider that every gateway is measured against: a raw socket server with prepared answers, so that its own cost is small and
 * the same for all. The path of the answer is chosen by the body's model: `bench-stream-N` streams N chunks, anything else
 * answers whole.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { chatResponse, streamChunks } from './payloads.ts';
import { MessageReader } from './wire.ts';

const wholeAnswer = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(chatResponse)}\r\n\r\n${chatResponse}`,
);
const streamHead = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n',
);
const streamEnd = Buffer.from('0\r\n\r\n');
const preparedStreams = new Map<number, readonly Buffer[]>();

function preparedStream(count: number): readonly Buffer[] {
  let prepared = preparedStreams.get(count);
  if (prepared === undefined) {
    prepared = streamChunks(count).map((text) => Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`));
    preparedStreams.set(count, prepared);
  }
  return prepared;
}

interface ActiveStream {
  readonly socket: Socket;
  readonly chunks: readonly Buffer[];
  next: number;
  dueAt: number;
}

/** Milliseconds between two chunks of one stream. */
export const chunkGapMs = 4;

/** Streams under way; one ticking timer serves them all, each at its own phase. */
class StreamTicker {
  readonly #active = new Set<ActiveStream>();
  #timer: NodeJS.Timeout | undefined;

  start(socket: Socket, count: number): void {
    const stream = { socket, chunks: preparedStream(count), next: 0, dueAt: performance.now() };
    socket.write(streamHead);
    this.#active.add(stream);
    this.#timer ??= setInterval(() => this.#tick(), 1);
  }

  #tick(): void {
    const now = performance.now();
    for (const stream of this.#active) {
      if (stream.dueAt > now) continue;
      const chunk = stream.chunks[stream.next++];
      if (chunk === undefined || stream.socket.destroyed) {
        this.#active.delete(stream);
        if (!stream.socket.destroyed) stream.socket.write(streamEnd);
        continue;
      }
      stream.socket.write(chunk);
      stream.dueAt += chunkGapMs;
    }
    if (this.#active.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}

/** Starts the upstream on a port of 127.0.0.1. */
export async function startUpstream(port: number): Promise<Server> {
  const ticker = new StreamTicker();
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    const reader = new MessageReader();
    let isModelKnown = false;
    let streamCount = 0;
    const look = (part: Buffer): void => {
      if (isModelKnown) return;
      const match = /"model" ?: ?"[^"]*bench-stream-(\d+)"/.exec(part.toString('latin1', 0, 4096));
      streamCount = Number(match?.[1] ?? 0);
      isModelKnown = true;
    };
    socket.on('data', (bytes: Buffer) => {
      for (let done = reader.push(bytes, look); done > 0; done--) {
        if (streamCount > 0) ticker.start(socket, streamCount);
        else socket.write(wholeAnswer);
        isModelKnown = false;
        streamCount = 0;
      }
    });
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}
