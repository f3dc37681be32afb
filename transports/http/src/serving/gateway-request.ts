import { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Exchange } from './exchange.ts';
import { bodyStallMs } from './read-body.ts';
import type { BodySource } from './read-body.ts';

/** Who takes a request's body, piece by piece as the parser finds it. */
export interface BodyTaker {
  onBodyData(chunk: Buffer): void;
  onBodyEnd(): void;
  /** The connection broke before the body was whole. */
  onBodyAborted(): void;
}

/**
 * A request whose body can be taken straight from the parser. Node's way (a readable stream in flowing mode) costs three turns of the
 * tick queue and a dozen calls for a body that is nearly always one piece; whoever does not take the body gets that stream as ever.
 */
export class GatewayRequest extends IncomingMessage implements BodySource {
  /** The exchange that this request opened; set before anything else looks at it. */
  exchange: Exchange | undefined = undefined;
  #taker: BodyTaker | undefined = undefined;
  #isTaken = false;
  #isHeldUp = false;

  /** Hands the body to `taker` from now on. Call it before any of the body was read. */
  takeBody(taker: BodyTaker): void {
    this.#taker = taker;
    if (this.complete || this.readableLength > 0) {
      // Some of it came while the route was looked for, and waits in the stream: the rest goes behind it.
      this.on('data', (chunk: Buffer) => this.#taker?.onBodyData(chunk));
      this.on('end', () => this.#endOfBody());
      return;
    }
    this.#isTaken = true;
    // Tells Node that the body is being consumed, so that it is not thrown away when the answer ends.
    this._read(0);
  }

  /** The taker wants no more: what still comes goes to the stream, where it can be read or thrown away. */
  releaseBody(): void {
    this.#taker = undefined;
    this.#isTaken = false;
  }

  pauseBody(): void {
    this.#isHeldUp = true;
    if (!this.#isTaken) this.pause();
  }

  resumeBody(): void {
    this.#isHeldUp = false;
    if (!this.#isTaken) this.resume();
    // Tells Node to go on reading.
    else if (!this.complete) this._read(0);
  }

  watchStall(onStall: () => void): void {
    this.setTimeout(bodyStallMs, onStall);
  }

  unwatchStall(): void {
    this.setTimeout(0);
  }

  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (!this.#isTaken) return super.push(chunk, encoding);
    if (chunk !== null) this.#taker?.onBodyData(chunk);
    else {
      this.#endOfBody();
      // Whoever waits for the request to be over (Node does, where the answer was faster) hears so.
      this.emit('end');
    }
    return !this.#isHeldUp;
  }

  #endOfBody(): void {
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.onBodyEnd();
  }

  static {
    // A taken body has no stream that could end: it is over when the parser says so. Node asks before it lets go of the request.
    Object.defineProperty(GatewayRequest.prototype, 'readableEnded', {
      configurable: true,
      get(this: GatewayRequest): boolean {
        return this.#isTaken ? this.complete : Reflect.get(Readable.prototype, 'readableEnded', this);
      },
    });
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.onBodyAborted();
    super._destroy(error, callback);
  }
}
