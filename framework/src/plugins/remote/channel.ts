/** One end of a channel between a serving thread and a runner. Messages of one loop turn travel together. */

export interface Channel<Out, In> {
  /** Queues a message; nothing happens after the end. */
  send(message: Out): void;
  /** Set once, before the first message can arrive. */
  onMessages(listener: (messages: readonly In[]) => void): void;
  /** Told once when the other side has gone, or has said what it must not. */
  onClose(listener: (reason: string) => void): void;
  close(): void;
}

/** What to send in the place of a message that cannot be written; undefined leaves it out. */
export type Replace<Out> = (message: Out, why: unknown) => Out | undefined;

/**
 * Gathers what is sent until the loop has gone through its events once: with many calls in flight one write, one wake-up of the
 * other side and one clone or JSON text serve them all, which is what makes a call cheap.
 */
export abstract class BatchedChannel<Out, In> implements Channel<Out, In> {
  #queue: Out[] = [];
  #isClosed = false;
  #listener: ((messages: readonly In[]) => void) | undefined;
  #closeListener: ((reason: string) => void) | undefined;
  readonly #replace: Replace<Out>;

  constructor(replace: Replace<Out> = () => undefined) {
    this.#replace = replace;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(message: Out): void {
    if (this.#isClosed) return;
    if (this.#queue.push(message) === 1) setImmediate(this.flush);
  }

  /** Writes what is queued. */
  readonly flush = (): void => {
    const batch = this.#queue;
    if (batch.length === 0 || this.#isClosed) return;
    this.#queue = [];
    try {
      this.write(batch);
    } catch {
      // One message of them cannot be written.
      for (const message of batch) this.#writeAlone(message);
    }
  };

  onMessages(listener: (messages: readonly In[]) => void): void {
    this.#listener = listener;
  }

  onClose(listener: (reason: string) => void): void {
    this.#closeListener = listener;
  }

  close(): void {
    this.end('it was closed');
  }

  /** Writes one batch. Throws where a message has no written form; then nothing of the batch was written. */
  protected abstract write(batch: readonly Out[]): void;
  protected abstract release(): void;

  protected receive(messages: readonly In[]): void {
    this.#listener?.(messages);
  }

  protected end(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    this.release();
    this.#closeListener?.(reason);
  }

  #writeAlone(message: Out): void {
    try {
      this.write([message]);
    } catch (why) {
      const other = this.#replace(message, why);
      if (other !== undefined) this.write([other]);
    }
  }
}
