/** A byte stream through another connection: for channels to a process where no socket can be handed over. */
import { Duplex } from 'node:stream';

/** `send` carries what is written to the other side, whose `deliver` gets it. */
export class Tunnel extends Duplex {
  readonly #send: (bytes: Uint8Array) => void;

  constructor(send: (bytes: Uint8Array) => void) {
    super();
    this.#send = send;
  }

  deliver(bytes: Uint8Array): void {
    this.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#send(chunk);
    done();
  }

  override _read(): void {
    // What comes is pushed as it comes: the connection below has no way to wait for one of its streams.
  }
}
