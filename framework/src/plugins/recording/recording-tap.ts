/**
 * The recordings in one serving thread. On the request's path a call is put into a list and nothing else; it becomes a line later, and
 * goes to the main thread, which writes one file for all threads. While nothing is recorded, a request costs one look at an empty list.
 */
import { compileFilter } from '@bifrost/core';
import type { CallRecorder, CompiledFilter, RecordedCall } from '@bifrost/core';
import type { RequestFacts } from '@bifrost/sdk';
import { encodeCall } from './capture-format.ts';
import type { RecordedBatch, RecordedLine, RecordingOrder } from './recording-order.ts';

const flushMs = 50;
/** Calls of one thread that may wait to be sent; a stream has some thousand. */
const maxWaitingCalls = 10_000;
/** Characters of all threads that may be on their way to the disk. */
const maxWaitingCharacters = 134_217_728;
/** Lines of one message: with a turn of the loop between two, requests go on meanwhile. */
const batchCalls = 200;

/** A request whose calls are kept until its model is known; null: it is known, and they are sent. */
type Held = RecordedCall[] | null;

class TappedRecording {
  order: RecordingOrder;
  readonly #filter: CompiledFilter;
  readonly #send: (batch: RecordedBatch) => void;
  readonly #requests = new Map<string, Held>();
  #taken = 0;
  #waiting: RecordedCall[] = [];
  #timer: NodeJS.Timeout | undefined;
  #leftOut = 0;
  #sending: Promise<void> = Promise.resolve();

  constructor(order: RecordingOrder, send: (batch: RecordedBatch) => void) {
    this.order = order;
    this.#filter = compileFilter(order.filter);
    this.#send = send;
  }

  wants(facts: RequestFacts): boolean {
    const { isTaking, maxRequests } = this.order;
    if (!isTaking || this.#taken >= maxRequests) return false;
    const { kind, request } = this.#filter;
    if (kind?.(facts) === false || request?.(facts, {}, Math.random()) === false) return false;
    this.#requests.set(facts.requestId, this.#filter.target === null ? null : []);
    // Requests that end before their model is known are never heard of again.
    if (this.#requests.size > 2 * maxRequests) this.#forgetOldestHeld();
    if (this.#filter.target === null) this.#taken += 1;
    return true;
  }

  record(call: RecordedCall): void {
    const { requestId } = call.facts;
    const held = this.#requests.get(requestId);
    if (call.plugin !== this.order.plugin || held === undefined) return;
    if (held === null) this.#keep(call);
    else if (call.facts.model === undefined) held.push(call);
    else this.#decide(call, held);
  }

  /** Sends what waits, and says that nothing follows. */
  async end(): Promise<void> {
    this.#requests.clear();
    clearTimeout(this.#timer);
    this.#flush();
    await this.#sending;
    this.#post([], true);
  }

  #decide(call: RecordedCall, held: readonly RecordedCall[]): void {
    const { requestId } = call.facts;
    const isWanted = this.#taken < this.order.maxRequests && this.#filter.target?.(call.facts) !== false;
    if (!isWanted) {
      this.#requests.delete(requestId);
      return;
    }
    this.#taken += 1;
    this.#requests.set(requestId, null);
    for (const earlier of held) this.#keep(earlier);
    this.#keep(call);
  }

  #keep(call: RecordedCall): void {
    if (this.#waiting.length >= maxWaitingCalls) this.#leftOut += 1;
    else this.#waiting.push(call);
    this.#timer ??= setTimeout(() => this.#flush(), flushMs).unref();
  }

  #forgetOldestHeld(): void {
    for (const [requestId, held] of this.#requests) {
      if (held === null) continue;
      this.#requests.delete(requestId);
      return;
    }
  }

  #flush(): void {
    this.#timer = undefined;
    const calls = this.#waiting;
    this.#waiting = [];
    this.#sending = this.#sending.then(() => this.#sendAll(calls));
  }

  async #sendAll(calls: readonly RecordedCall[]): Promise<void> {
    const waiting = new Int32Array(this.order.waiting);
    for (let at = 0; at < calls.length; at += batchCalls) {
      const lines: RecordedLine[] = [];
      for (const call of calls.slice(at, at + batchCalls)) {
        const line = lineOf(call);
        if (line === undefined || Atomics.load(waiting, 0) > maxWaitingCharacters) this.#leftOut += 1;
        else {
          Atomics.add(waiting, 0, line.length);
          lines.push({ requestId: call.facts.requestId, line });
        }
      }
      this.#post(lines, false);
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
  }

  #post(lines: readonly RecordedLine[], isLast: boolean): void {
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    this.#send({ id: this.order.id, lines, leftOut, isLast });
  }
}

/** A call as a line; undefined for what is no JSON: a cycle, a bigint. */
function lineOf(call: RecordedCall): string | undefined {
  try {
    return encodeCall(call);
  } catch {
    // It is counted as left out.
    return undefined;
  }
}

export class RecordingTap implements CallRecorder {
  readonly #send: (batch: RecordedBatch) => void;
  #recordings: readonly TappedRecording[] = [];

  /** `send` brings batches to the main thread. Must not throw. */
  constructor(send: (batch: RecordedBatch) => void) {
    this.#send = send;
  }

  /** Takes over what is to be recorded from now on: what is not named any more has ended. */
  follow(orders: readonly RecordingOrder[]): void {
    const before = this.#recordings;
    this.#recordings = orders.map((order) => {
      const known = before.find((one) => one.order.id === order.id) ?? new TappedRecording(order, this.#send);
      known.order = order;
      return known;
    });
    for (const one of before) if (!this.#recordings.includes(one)) void one.end();
  }

  /** Before the thread ends: sends what waits. Never rejects. */
  async close(): Promise<void> {
    const before = this.#recordings;
    this.#recordings = [];
    await Promise.all(before.map((one) => one.end()));
  }

  wants(facts: RequestFacts): boolean {
    let isWanted = false;
    for (const recording of this.#recordings) isWanted = recording.wants(facts) || isWanted;
    return isWanted;
  }

  record(call: RecordedCall): void {
    for (const recording of this.#recordings) recording.record(call);
  }
}
