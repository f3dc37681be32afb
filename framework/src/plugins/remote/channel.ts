/** One end of a channel between a serving thread and a runner. Messages of one loop turn travel together. */

/** How long a message may wait for others to travel with it. */
export type Urgency =
  /** Until the code that runs now has ended: nobody else is about to send. */
  | 'tick'
  /** Until the loop has gone through its events once. */
  | 'turn'
  /** Until something else is sent, or for `idleMs`: nobody waits for it, and it is not worth a wake-up of the other side. */
  | 'idle';

const idleMs = 20;

/** Up to so many calls under way, each is worth a wake-up of its own; more of them are better off with one for all. */
export const fewCalls = 4;

export interface Channel<Out, In> {
  /** Queues a message; nothing happens after the end. @default `turn` */
  send(message: Out, urgency?: Urgency): void;
  /** Set once, before the first message can arrive. */
  onMessages(listener: (messages: readonly In[]) => void): void;
  /** Told once when the other side has gone, or has said what it must not. */
  onClose(listener: (reason: string) => void): void;
  close(): void;
}

const [noMessage, noReader] = ['it wrote what is no message', 'it does not read what it is sent'];

/** Words for the end of a channel whose other side has not kept to the protocol. */
export const breachWords = {
  wrote: (error: unknown): string => `${noMessage}: ${error instanceof Error ? error.message : String(error)}`,
  unread: noReader,
} as const;

/** Whether a channel has ended for what the plugin did to it: its realm may live on. */
export function isBreach(reason: string): boolean {
  return reason.startsWith(noMessage) || reason.startsWith(noReader);
}

/** What to send in the place of a message that cannot be written; undefined leaves it out. */
export type Replace<Out> = (message: Out, why: unknown) => Out | undefined;

/**
 * Gathers what is sent: with many calls in flight one write, one wake-up of the other side and one clone or JSON text serve them all,
 * which is what makes a call cheap. A call that is alone gains nothing from waiting, and says so by its urgency.
 */
export abstract class BatchedChannel<Out, In> implements Channel<Out, In> {
  #queue: Out[] = [];
  /** What the queue waits for: the most urgent of its messages. */
  #waitsFor: Urgency = 'idle';
  #idleTimer: NodeJS.Timeout | undefined;
  #isReceiving = false;
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

  send(message: Out, urgency: Urgency = 'turn'): void {
    if (this.#isClosed) return;
    this.#queue.push(message);
    if (urgency === 'idle') this.#idleTimer ??= setTimeout(this.#onIdle, idleMs).unref();
    else if (this.#waitsFor !== 'tick' && this.#waitsFor !== urgency) {
      this.#waitsFor = urgency;
      // Answers to what is being received leave when all of it has been looked at.
      if (this.#isReceiving) return;
      if (urgency === 'tick') process.nextTick(this.flush);
      else setImmediate(this.flush);
    }
  }

  /** Writes what is queued. */
  readonly flush = (): void => {
    const batch = this.#queue;
    if (batch.length === 0 || this.#isClosed) return;
    this.#queue = [];
    this.#waitsFor = 'idle';
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

  /** Calls `read`, which hands over what has arrived; what is answered at once leaves in one batch after it. */
  protected receiving(read: () => void): void {
    this.#isReceiving = true;
    try {
      read();
    } finally {
      this.#isReceiving = false;
      if (this.#waitsFor !== 'idle') this.flush();
    }
  }

  /** Hands messages over, within `receiving` where that is possible. */
  protected receive(messages: readonly In[]): void {
    this.#listener?.(messages);
  }

  protected end(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    clearTimeout(this.#idleTimer);
    this.release();
    this.#closeListener?.(reason);
  }

  readonly #onIdle = (): void => {
    this.#idleTimer = undefined;
    this.flush();
  };

  #writeAlone(message: Out): void {
    try {
      this.write([message]);
    } catch (why) {
      const other = this.#replace(message, why);
      if (other !== undefined) this.write([other]);
    }
  }
}
