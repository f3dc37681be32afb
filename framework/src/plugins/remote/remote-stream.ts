import type { RequestContext } from '@bifrost/core';
import type { RunnerMessage } from './protocol.ts';
import { reviveThrown } from './thrown-data.ts';

export interface RemoteStreamEnds {
  /** Asks for the next event. */
  pull(): void;
  /** Called once; `isCancelled` where the other side does not know yet. */
  onEnd(isCancelled: boolean): void;
}

interface Waiter {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(thrown: unknown): void;
}

/** A stream that a plugin elsewhere answers with. Each event is asked for when the one before has been taken. */
export class RemoteStream implements AsyncIterableIterator<unknown> {
  readonly context: RequestContext;
  readonly #ends: RemoteStreamEnds;
  readonly #waiting: Waiter[] = [];
  #isDone = false;
  #failure: unknown;

  constructor(context: RequestContext, ends: RemoteStreamEnds) {
    this.context = context;
    this.#ends = ends;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      return Promise.reject(failure);
    }
    if (this.#isDone) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#ends.pull();
    });
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    this.#end(true);
    return Promise.resolve({ done: true, value: undefined });
  }

  receive(message: Extract<RunnerMessage, { readonly kind: 'event' }>): void {
    const waiter = this.#waiting.shift();
    if (message.thrown !== undefined) {
      waiter?.reject(reviveThrown(message.thrown));
      this.#end(false);
    } else if (message.isDone === true) {
      waiter?.resolve({ done: true, value: undefined });
      this.#end(false);
    } else waiter?.resolve({ done: false, value: message.event });
  }

  /** The channel has gone. */
  fail(reason: Error): void {
    if (this.#isDone) return;
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#failure = reason;
    else waiter.reject(reason);
    this.#end(false);
  }

  #end(isCancelled: boolean): void {
    if (this.#isDone) return;
    this.#isDone = true;
    for (const waiter of this.#waiting.splice(0)) waiter.resolve({ done: true, value: undefined });
    this.#ends.onEnd(isCancelled);
  }
}
