import type { Socket } from 'node:net';
import { BodyPieces, pieceBytes } from './request-body.ts';
import type { StoredRequestBody } from './request-body.ts';

/** Two: one is read while the other is on its way. */
const buffersAtOnce = 2;

/**
 * Sends a stored body over a socket: a piece is read when the socket has taken an earlier one, so a server that reads slowly slows
 * the reading, and no more than two pieces are held.
 */
export class BodySender {
  readonly #socket: Socket;
  readonly #pieces: BodyPieces;
  readonly #onFailure: (error: Error) => void;
  readonly #free: Buffer[] = [];
  #buffers = 0;
  #isReading = false;
  #isStopped = false;
  /** The socket has been handed the last piece. */
  isDone = false;

  constructor(socket: Socket, body: StoredRequestBody, onFailure: (error: Error) => void) {
    this.#socket = socket;
    this.#pieces = new BodyPieces(body);
    this.#onFailure = onFailure;
    this.#readNext();
  }

  /** Nothing more is read or sent. */
  stop(): void {
    this.#isStopped = true;
  }

  #readNext(): void {
    if (this.#isReading || this.#isStopped || this.isDone) return;
    const buffer = this.#takeBuffer();
    if (buffer === undefined) return;
    this.#isReading = true;
    this.#pieces.next(buffer, (error, piece) => {
      this.#isReading = false;
      if (this.#isStopped) return;
      if (error !== null) {
        this.#isStopped = true;
        this.#onFailure(error);
      } else if (piece === null) this.isDone = true;
      else this.#send(piece, buffer);
    });
  }

  #takeBuffer(): Buffer | undefined {
    const free = this.#free.pop();
    if (free !== undefined || this.#buffers === buffersAtOnce) return free;
    this.#buffers += 1;
    return Buffer.allocUnsafeSlow(pieceBytes);
  }

  #send(piece: Buffer, buffer: Buffer): void {
    this.#socket.write(piece, (error) => {
      // The connection says what becomes of the call.
      if (error) return;
      this.#free.push(buffer);
      this.#readNext();
    });
    this.#readNext();
  }
}
