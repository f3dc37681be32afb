/** A client of the soak: a connection that is kept for the next request, unless its owner gives up on an answer. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { SoakRequest } from './soak-mix.ts';
import { MessageReader } from './wire.ts';

/** How a request went: answered well, given up by its client, or answered as it should not be. */
export type SoakEnd = 'answered' | 'aborted' | { readonly failure: string };

/** Of an answer's end, in which its last event has to be. */
const tailLength = 80;
const dataMark = Buffer.from('data: ');

export class SoakClient {
  readonly #socket: Socket;
  readonly #reader = new MessageReader();
  #request: SoakRequest | undefined;
  #settle: ((end: SoakEnd) => void) | undefined;
  #chunks = 0;
  #tail = '';
  isClosed = false;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (bytes: Buffer) => this.#read(bytes));
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('close', () => {
      this.isClosed = true;
      this.#end({ failure: `the connection was closed (${this.#request?.kind}): ${this.#reader.head.slice(0, 100)}` });
    });
  }

  send(request: SoakRequest): Promise<SoakEnd> {
    const { bytes, abort } = request;
    this.#request = request;
    this.#chunks = 0;
    this.#tail = '';
    return new Promise((resolve) => {
      this.#settle = resolve;
      if (abort?.after === 'sent') this.#socket.write(bytes.subarray(0, abort.bytes), () => this.abort());
      else this.#socket.write(bytes);
      if (abort?.after === 'waited') setTimeout(() => this.abort(), abort.ms);
    });
  }

  /** Gives up: with a reset, as a client that is killed, which leaves no connection waiting for its end on this machine either. */
  abort(): void {
    if (this.#settle === undefined) return;
    this.#end('aborted');
    this.close();
  }

  close(): void {
    this.isClosed = true;
    this.#socket.resetAndDestroy();
  }

  #read(bytes: Buffer): void {
    const abort = this.#request?.abort;
    const done = this.#reader.push(bytes, (part) => {
      for (let at = part.indexOf(dataMark); at !== -1; at = part.indexOf(dataMark, at + 6)) this.#chunks += 1;
      this.#tail = (this.#tail + part.toString('latin1', Math.max(0, part.length - tailLength))).slice(-tailLength);
    });
    if (abort?.after === 'chunks' && this.#chunks > abort.chunks) this.abort();
    else if (done > 0) this.#end(this.#judge());
  }

  #judge(): SoakEnd {
    const kind = this.#request?.kind ?? 'plain';
    const { head } = this.#reader;
    if (!head.startsWith('http/1.1 200')) return { failure: `${kind}: ${head.slice(0, 60)}` };
    const end = kind === 'stream' ? '[DONE]' : 'message_stop';
    if (kind.endsWith('stream') && !this.#tail.includes(end)) return { failure: `${kind} ends with ${this.#tail}` };
    return 'answered';
  }

  #end(end: SoakEnd): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(end);
  }
}
