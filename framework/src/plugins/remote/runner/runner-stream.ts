import type { AsyncScope } from '@bifrost/core';
import { describeThrown } from '../thrown-data.ts';
import type { ThrownData } from '../thrown-data.ts';

export interface RunnerStreamOptions {
  /** The plugin's asynchronous context. */
  readonly scope?: AsyncScope;
  send(event: { readonly event?: unknown; readonly isDone?: true; readonly thrown?: ThrownData }): void;
  explain(thrown: unknown): unknown;
  /** Called once. */
  onEnd(): void;
}

type AnyIterator = AsyncIterator<unknown> | Iterator<unknown>;

/** A stream that the plugin answered with: one event is taken for each that is asked for. */
export class RunnerStream {
  readonly #iterator: AnyIterator;
  readonly #options: RunnerStreamOptions;
  #isDone = false;

  constructor(iterator: AnyIterator, options: RunnerStreamOptions) {
    this.#iterator = iterator;
    this.#options = options;
  }

  /** Undefined for an array, which travels as it is, and for what is not iterable, which the chain refuses. */
  static iteratorOf(stream: unknown): AnyIterator | undefined {
    if (typeof stream !== 'object' || stream === null || Array.isArray(stream)) return undefined;
    if (Symbol.asyncIterator in stream) return (stream as AsyncIterable<unknown>)[Symbol.asyncIterator]();
    return Symbol.iterator in stream ? (stream as Iterable<unknown>)[Symbol.iterator]() : undefined;
  }

  pull(): void {
    if (!this.#isDone) void this.#next();
  }

  /** Nobody wants more: the plugin's own clean-up runs; how it fails is of no interest to anybody. */
  cancel(): void {
    if (this.#isDone) return;
    this.#finish();
    try {
      void Promise.resolve(this.#call('return')).catch(() => undefined);
    } catch {
      // A synchronous iterator's `return` threw.
    }
  }

  async #next(): Promise<void> {
    try {
      const result = await (this.#call('next') as ReturnType<AnyIterator['next']>);
      if (this.#isDone) return;
      if (result.done === true) {
        this.#finish();
        this.#options.send({ isDone: true });
      } else this.#options.send({ event: result.value });
    } catch (thrown) {
      if (this.#isDone) return;
      this.#finish();
      this.#options.send({ thrown: describeThrown(this.#options.explain(thrown)) });
    }
  }

  #call(method: 'next' | 'return'): unknown {
    const step = (): unknown => this.#iterator[method]?.();
    const { scope } = this.#options;
    return scope === undefined ? step() : scope.runInAsyncScope(step, undefined, undefined, undefined);
  }

  #finish(): void {
    this.#isDone = true;
    this.#options.onEnd();
  }
}
