import type { JsonObject } from '@bifrost/sdk';
import type { ResponseSink } from '../seam.ts';

/** A client in memory: records what the engine writes, can read slowly and go away. */
export class FakeSink implements ResponseSink {
  isClosed = false;
  statusCode = 0;
  headers: Readonly<Record<string, string | readonly string[]>> = {};
  isDestroyed = false;
  isEnded = false;
  readonly chunks: Buffer[] = [];
  /** Called on every write; false makes the client a slow one. */
  onWrite: (chunk: Buffer) => boolean = () => true;
  #closers: (() => void)[] = [];
  #drainers: (() => void)[] = [];

  get text(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }

  get json(): JsonObject {
    return JSON.parse(this.text) as JsonObject;
  }

  onClose(listener: () => void): void {
    this.#closers.push(listener);
  }

  head(statusCode: number, headers: Readonly<Record<string, string | readonly string[]>>): void {
    if (this.statusCode !== 0) throw new Error('head was written twice');
    this.statusCode = statusCode;
    this.headers = headers;
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.statusCode === 0) throw new Error('a body before its head');
    if (this.isEnded) throw new Error('a write after the end');
    const bytes = Buffer.from(chunk as Uint8Array);
    this.chunks.push(bytes);
    return this.onWrite(bytes);
  }

  onDrain(listener: () => void): void {
    this.#drainers.push(listener);
  }

  end(chunk?: Uint8Array | string): void {
    if (chunk !== undefined) this.write(chunk);
    if (this.statusCode === 0) throw new Error('an end before the head');
    if (this.isEnded) throw new Error('ended twice');
    this.isEnded = true;
  }

  destroy(): void {
    this.isDestroyed = true;
  }

  /** The client has read everything. */
  drain(): void {
    for (const listener of this.#drainers.splice(0)) listener();
  }

  /** The client goes away. */
  close(): void {
    this.isClosed = true;
    for (const listener of this.#closers.splice(0)) listener();
  }
}
