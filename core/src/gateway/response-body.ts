import type { ResponseSink } from '../pipeline/seam.ts';

/** Bytes that may wait for a reader before the engine is told to wait. */
const highWaterMark = 64 * 1024;

/** The engine's way to a caller in the same program: a standard `Response`, whose body is read as it comes. */
export class BodySink implements ResponseSink {
  /** Resolves with the answer as soon as its head is there. */
  readonly response: Promise<Response>;
  readonly #resolve: (response: Response) => void;
  readonly #closeListeners: (() => void)[] = [];
  readonly #drainListeners: (() => void)[] = [];
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isClosed = false;

  constructor(signal: AbortSignal | undefined) {
    const { promise, resolve } = Promise.withResolvers<Response>();
    this.response = promise;
    this.#resolve = resolve;
    if (signal?.aborted === true) this.#leave();
    signal?.addEventListener('abort', () => this.#abort(signal.reason), { once: true });
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  onClose(listener: () => void): void {
    this.#closeListeners.push(listener);
  }

  onDrain(listener: () => void): void {
    this.#drainListeners.push(listener);
  }

  head(status: number, headers: Readonly<Record<string, string | readonly string[]>>): void {
    const fields = Object.entries(headers).flatMap(([name, value]) =>
      (typeof value === 'string' ? [value] : value).map((text): [string, string] => [name, text]),
    );
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          for (const listener of this.#drainListeners.splice(0)) listener();
        },
        cancel: () => this.#leave(),
      },
      { highWaterMark, size: (chunk) => chunk?.byteLength ?? 0 },
    );
    this.#resolve(new Response(body, { status, headers: fields }));
  }

  write(chunk: Uint8Array | string): boolean {
    if (this.#isClosed) return true;
    this.#controller?.enqueue(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk);
    return (this.#controller?.desiredSize ?? 0) > 0;
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#isClosed) return;
    if (chunk !== undefined && chunk.length > 0) this.write(chunk);
    this.#isClosed = true;
    this.#controller?.close();
  }

  destroy(): void {
    this.#abort(new TypeError('the answer broke off'));
  }

  #abort(reason: unknown): void {
    if (this.#isClosed) return;
    this.#controller?.error(reason);
    this.#leave();
  }

  /** The reader has gone: the engine ends its call to the provider. */
  #leave(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const listener of this.#closeListeners) listener();
    for (const listener of this.#drainListeners.splice(0)) listener();
  }
}
