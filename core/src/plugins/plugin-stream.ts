/** A stream that a plugin made in the place of a provider: checked event by event, its failures turned into an error event. */
import type { ErrorInfo, StreamEvent } from '@bifrost/sdk';
import { assertStreamEvent } from './check-conversation.ts';

/** Told of the stream's failure; returns the error that the client gets. */
export type StreamFailureHandler = (thrown: unknown) => ErrorInfo;

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

  constructor(source: AsyncIterator<unknown> | Iterator<unknown>, onFailure: StreamFailureHandler) {
    this.#source = source;
    this.#onFailure = onFailure;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<StreamEvent, undefined>> {
    if (this.#isDone) return { done: true, value: undefined };
    try {
      const result = await this.#source.next();
      // `return` may have been called meanwhile.
      if (result.done === true || this.#isDone) {
        this.#isDone = true;
        return { done: true, value: undefined };
      }
      const { value } = result;
      assertStreamEvent(value, 'event');
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
