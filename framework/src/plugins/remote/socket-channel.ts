import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { BatchedChannel, breachWords } from './channel.ts';
import type { Replace, Urgency } from './channel.ts';
import { encodeFrame, FrameError, FrameReader } from './frame-codec.ts';

export interface SocketChannelOptions<Out> {
  readonly replace?: Replace<Out>;
  /** Longest frame to write. @default no limit */
  readonly maxWrittenBytes?: number;
  /** Longest frame to read. @default no limit */
  readonly maxReadBytes?: number;
  /** End the channel where this much waits to be read, and nothing of it is for `stalledMs`. @default no limit */
  readonly maxUnreadBytes?: number;
  /** @default 5000 */
  readonly stalledMs?: number;
  /** Write each message as it is sent: for what must have left before a plugin may block its thread. @default false */
  readonly isImmediate?: boolean;
}

/** A byte stream whose bytes go to `onBytes`. A chunk is the listener's only until it returns. */
export type OpenStream = (onBytes: (chunk: Buffer) => void) => Duplex;

const readBytes = 65_536;

/** A connected socket by its descriptor, which becomes the stream's. One buffer serves all its reads: Node else makes one for each. */
export function socketStream(descriptor: number): OpenStream {
  return (onBytes) => {
    const callback = (size: number, buffer: Uint8Array): boolean => {
      onBytes(Buffer.from(buffer.buffer, buffer.byteOffset, size));
      return true;
    };
    // `fd` and `onread` go together in Node; the types know each alone.
    return new Socket({ fd: descriptor, onread: { buffer: Buffer.allocUnsafeSlow(readBytes), callback } });
  };
}

/** Any stream that is open already. */
export function openStream(stream: Duplex): OpenStream {
  return (onBytes) => stream.on('data', onBytes);
}

const defaultStalledMs = 5000;
/** How many times `maxUnreadBytes` may wait for one that reads on, but slowly. */
const slowReaderShare = 16;

/** A channel over a stream socket: frames. What is no frame ends it, and a reader that does not read. */
export class SocketChannel<Out, In> extends BatchedChannel<Out, In> {
  readonly #socket: Duplex;
  readonly #options: SocketChannelOptions<Out>;
  #written = 0;
  /** What had been taken when that last was more than before, and when that was. */
  #taken = 0;
  #takenAt = 0;

  constructor(open: OpenStream, options: SocketChannelOptions<Out> = {}) {
    super(options.replace);
    this.#options = options;
    const reader = new FrameReader(options.maxReadBytes);
    const socket = open((chunk) => {
      try {
        // Members are checked where they are used: the other side may be hostile.
        this.receiving(() => reader.push(chunk, (batch) => this.receive(batch as readonly In[])));
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
        this.end(breachWords.wrote(error));
      }
    });
    this.#socket = socket;
    socket.on('error', () => this.end('the connection broke'));
    socket.on('close', () => this.end('the other side has ended'));
  }

  override send(message: Out, urgency?: Urgency): void {
    super.send(message, urgency);
    if (this.#options.isImmediate === true) this.flush();
  }

  protected write(batch: readonly Out[]): void {
    const frame = encodeFrame(batch, this.#options.maxWrittenBytes);
    if (this.#options.maxUnreadBytes !== undefined && !this.#isRead(this.#options.maxUnreadBytes)) {
      this.end(breachWords.unread);
      return;
    }
    this.#written += frame.length;
    this.#socket.write(frame);
  }

  /** A plugin that leaves its channel alone, and answers for its loop all the same, would have this thread hold all that is sent. */
  #isRead(maxUnreadBytes: number): boolean {
    const unread = this.#socket.writableLength;
    const taken = this.#written - unread;
    const now = performance.now();
    if (taken > this.#taken || unread <= maxUnreadBytes) {
      this.#taken = taken;
      this.#takenAt = now;
    }
    const isStalled = now - this.#takenAt > (this.#options.stalledMs ?? defaultStalledMs);
    return !isStalled && unread <= slowReaderShare * maxUnreadBytes;
  }

  protected release(): void {
    this.#socket.destroy();
  }
}
