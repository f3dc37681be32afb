/** A stream that a plugin made in the place of a provider: checked event by event, its failures turned into an error event. */
import type { ErrorInfo, StreamEvent } from '@bifrost/sdk';
import { assertStreamEvent } from './check-conversation.ts';

/** Told of the stream's failure; returns the error that the client gets. */
export type StreamFailureHandler = (thrown: unknown) => ErrorInfo;

/** Characters of a whole stream, as of a whole answer of a provider that is held: without it one that has no end fills the thread. */
const maxCharacters = 64 * 1024 * 1024;
const charactersPerEvent = 64;
/** Events in a row without a turn of the loop: a plugin that has the next one ready each time would keep everybody else waiting. */
const eventsPerTurn = 32;

function sizeOf(event: StreamEvent): number {
  if (event.type === 'text-delta' || event.type === 'reasoning-delta') return event.text.length + charactersPerEvent;
  return JSON.stringify(event).length + charactersPerEvent;
}

function iteratorOf(stream: AsyncIterable<unknown> | Iterable<unknown>): AsyncIterator<unknown> | Iterator<unknown> {
  return Symbol.asyncIterator in stream ? stream[Symbol.asyncIterator]() : stream[Symbol.iterator]();
}

/**
 * An iterator by hand rather than a generator: `return()` must take effect at once while the plugin's `next()` is still
 * pending, where a generator would wait for it.
 */
class CheckedStream implements AsyncIterableIterator<StreamEvent> {
  readonly #source: AsyncIterator<unknown> | Iterator<unknown>;
  readonly #onFailure: StreamFailureHandler;
  #isDone = false;
  #events = 0;
  #characters = 0;

  constructor(source: AsyncIterator<unknown> | Iterator<unknown>, onFailure: StreamFailureHandler) {
    this.#source = source;
    this.#onFailure = onFailure;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<StreamEvent, undefined>> {
    if (this.#isDone) return { done: true, value: undefined };
    this.#events += 1;
    try {
      if (this.#events % eventsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
      const result = await this.#source.next();
      // `return` may have been called meanwhile.
      if (result.done === true || this.#isDone) {
        this.#isDone = true;
        return { done: true, value: undefined };
      }
      const { value } = result;
      assertStreamEvent(value, 'event');
      this.#characters += sizeOf(value);
      if (this.#characters > maxCharacters) throw new RangeError(`it is longer than ${maxCharacters} characters`);
      if (value.type === 'error') this.#close();
      return { done: false, value };
    } catch (thrown) {
      this.#close();
      return { done: false, value: { type: 'error', error: this.#onFailure(thrown) } };
    }
  }

  async return(): Promise<IteratorResult<StreamEvent, undefined>> {
    this.#close();
    return { done: true, value: undefined };
  }

  #close(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    try {
      // The plugin's own clean-up may take its time and may fail: the answer is over either way.
      void Promise.resolve(this.#source.return?.()).catch((thrown: unknown) => this.#onFailure(thrown));
    } catch (thrown) {
      this.#onFailure(thrown);
    }
  }
}

/** Wraps `stream`. Throws what the plugin's iterator factory throws. */
export function checkedStream(
  stream: AsyncIterable<unknown> | Iterable<unknown>,
  onFailure: StreamFailureHandler,
): AsyncIterable<StreamEvent> {
  return new CheckedStream(iteratorOf(stream), onFailure);
}
