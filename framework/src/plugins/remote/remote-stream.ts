import type { RequestContext } from '@bifrost/core';
import type { RunnerMessage } from './protocol.ts';
import { reviveThrown } from './thrown-data.ts';

export interface RemoteStreamEnds {
  /** Asks for the next event. */
  pull(): void;
  /** Called once; `isCancelled` where the other side does not know yet, `asked` events may come all the same. */
  onEnd(isCancelled: boolean, asked: number): void;
}

interface Waiter {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(thrown: unknown): void;
}

/** A stream that a plugin elsewhere answers with. Each event is asked for when the one before has been taken. */
export class RemoteStream implements AsyncIterableIterator<unknown> {
  readonly context: RequestContext;
  /** Of whose request it is. */
  readonly owner: object;
  readonly #ends: RemoteStreamEnds;
  readonly #waiting: Waiter[] = [];
  #isDone = false;
  #failure: unknown;

  constructor(of: { readonly context: RequestContext; readonly owner: object }, ends: RemoteStreamEnds) {
    this.context = of.context;
    this.owner = of.owner;
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

  /** False for one that nobody has asked for. */
  receive(message: Extract<RunnerMessage, { readonly kind: 'event' }>): boolean {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) return false;
    if (message.thrown !== undefined) {
      waiter.reject(reviveThrown(message.thrown));
      this.#end(false);
    } else if (message.isDone === true) {
      waiter.resolve({ done: true, value: undefined });
      this.#end(false);
    } else waiter.resolve({ done: false, value: message.event });
    return true;
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
    const asked = this.#waiting.splice(0);
    for (const waiter of asked) waiter.resolve({ done: true, value: undefined });
    this.#ends.onEnd(isCancelled, asked.length);
  }
}
