import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { BatchedChannel } from './channel.ts';
import type { Replace, Urgency } from './channel.ts';
import { encodeFrame, FrameError, FrameReader } from './frame-codec.ts';

export interface SocketChannelOptions<Out> {
  readonly replace?: Replace<Out>;
  /** Longest frame to write. @default no limit */
  readonly maxWrittenBytes?: number;
  /** Longest frame to read. @default no limit */
  readonly maxReadBytes?: number;
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

/** A channel over a stream socket: frames. What is no frame ends it. */
export class SocketChannel<Out, In> extends BatchedChannel<Out, In> {
  readonly #socket: Duplex;
  readonly #options: SocketChannelOptions<Out>;

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
        this.end(`it wrote what is no message: ${error.message}`);
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
    this.#socket.write(encodeFrame(batch, this.#options.maxWrittenBytes));
  }

  protected release(): void {
    this.#socket.destroy();
  }
}
