import type { DirectCall } from './direct-call.ts';

/** Calls that wait for a connection, first come first served; one in the middle may leave. Linked through the calls themselves. */
export class CallQueue {
  #first: DirectCall | null = null;
  #last: DirectCall | null = null;
  size = 0;

  get first(): DirectCall | null {
    return this.#first;
  }

  push(call: DirectCall): void {
    call.waitsBehind = this.#last;
    if (this.#last === null) this.#first = call;
    else this.#last.waitsBefore = call;
    this.#last = call;
    this.size += 1;
  }

  /** Puts a call in front of all others. */
  unshift(call: DirectCall): void {
    call.waitsBefore = this.#first;
    if (this.#first === null) this.#last = call;
    else this.#first.waitsBehind = call;
    this.#first = call;
    this.size += 1;
  }

  shift(): DirectCall | null {
    const call = this.#first;
    if (call !== null) this.remove(call);
    return call;
  }

  remove(call: DirectCall): void {
    const { waitsBehind, waitsBefore } = call;
    if (waitsBehind === null) this.#first = waitsBefore;
    else waitsBehind.waitsBefore = waitsBefore;
    if (waitsBefore === null) this.#last = waitsBehind;
    else waitsBefore.waitsBehind = waitsBehind;
    call.waitsBehind = null;
    call.waitsBefore = null;
    this.size -= 1;
  }
}
