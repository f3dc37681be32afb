import type { Duplex } from 'node:stream';
import { BatchedChannel } from './channel.ts';
import type { Replace } from './channel.ts';
import { encodeFrame, FrameReader } from './frame-codec.ts';

export interface SocketChannelOptions<Out> {
  readonly replace?: Replace<Out>;
  /** Longest frame to write. @default no limit */
  readonly maxWrittenBytes?: number;
  /** Longest frame to read. @default no limit */
  readonly maxReadBytes?: number;
  /** Write each message as it is sent: for what must have left before a plugin may block its thread. @default false */
  readonly isImmediate?: boolean;
}

/** A channel over a stream socket: frames. What is no frame ends it. */
export class SocketChannel<Out, In> extends BatchedChannel<Out, In> {
  readonly #socket: Duplex;
  readonly #options: SocketChannelOptions<Out>;

  constructor(socket: Duplex, options: SocketChannelOptions<Out> = {}) {
    super(options.replace);
    this.#socket = socket;
    this.#options = options;
    const reader = new FrameReader(options.maxReadBytes);
    socket.on('data', (chunk: Buffer) => {
      try {
        // Members are checked where they are used: the other side may be hostile.
        for (const batch of reader.push(chunk)) this.receive(batch as readonly In[]);
      } catch (error) {
        this.end(`it wrote what is no message: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
    socket.on('error', () => this.end('the connection broke'));
    socket.on('close', () => this.end('the other side has ended'));
  }

  override send(message: Out): void {
    super.send(message);
    if (this.#options.isImmediate === true) this.flush();
  }

  protected write(batch: readonly Out[]): void {
    this.#socket.write(encodeFrame(batch, this.#options.maxWrittenBytes));
  }

  protected release(): void {
    this.#socket.destroy();
  }
}
