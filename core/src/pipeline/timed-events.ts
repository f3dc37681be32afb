import { GatewayError } from '@bifrost/sdk';
import type { StreamEvent } from '@bifrost/sdk';
import { deadlineError } from './attempt-errors.ts';
import type { Cancelable, RequestRun } from './run.ts';

/** What one look at a stream brought: an event, its end, or why there is no more of it. */
export type Drawn =
  | { readonly kind: 'event'; readonly event: StreamEvent }
  | { readonly kind: 'end' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly error: GatewayError };

/** What tells of an answer without being one: all else is content. */
const lifecycle = new Set<StreamEvent['type']>(['response-start', 'usage', 'text-start', 'reasoning-start']);

/** True for an event after which an answer can no longer be replaced. */
export function isContent(event: StreamEvent): boolean {
  return !lifecycle.has(event.type);
}

/**
 * Draws a plugin's stream event by event under the clocks that hold for a provider's: first content, silence, the request's
 * deadline. The clocks rest while nobody asks, so that a slow client is not the plugin's fault.
 */
export class TimedEvents implements Cancelable {
  readonly #run: RequestRun;
  readonly #iterator: AsyncIterator<StreamEvent> | Iterator<StreamEvent>;
  readonly #startedAt = performance.now();
  #hasContent = false;
  #isStopped = false;
  #settle: ((drawn: Drawn) => void) | undefined;

  constructor(run: RequestRun, events: AsyncIterable<StreamEvent> | Iterable<StreamEvent>) {
    this.#run = run;
    this.#iterator = Symbol.asyncIterator in events ? events[Symbol.asyncIterator]() : events[Symbol.iterator]();
  }

  /** The next event, or why none comes. Never rejects. */
  next(): Promise<Drawn> {
    return new Promise((resolve) => {
      if (this.#isStopped || this.#run.isCanceled) {
        resolve({ kind: 'stopped' });
        return;
      }
      const { limitMs, expire } = this.#clock();
      const timer = setTimeout(() => this.#settle?.({ kind: 'failed', error: expire() }), limitMs);
      this.#settle = (drawn) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(drawn);
      };
      const settle = this.#settle;
      const failed = (cause: unknown): void => settle({ kind: 'failed', error: brokenOff(cause) });
      try {
        Promise.resolve(this.#iterator.next()).then((result) => settle(this.#drawn(result)), failed);
      } catch (cause) {
        failed(cause);
      }
    });
  }

  /** Nothing more is wanted: whoever waits for an event hears so at once. */
  cancel(): void {
    this.#isStopped = true;
    this.#settle?.({ kind: 'stopped' });
  }

  /** Ends the plugin's iterator; what becomes of its own clean-up is nobody's concern here. */
  close(): void {
    this.#isStopped = true;
    try {
      Promise.resolve(this.#iterator.return?.()).catch(() => undefined); // the answer is over either way
    } catch {
      // as above: the answer is over either way
    }
  }

  #drawn(result: IteratorResult<StreamEvent, unknown>): Drawn {
    if (result.done === true) return { kind: 'end' };
    const event = result.value;
    if (event.type === 'error') return { kind: 'failed', error: asThrown(event.error) };
    if (isContent(event)) this.#hasContent = true;
    return { kind: 'event', event };
  }

  /** How long the next event may take, and the error if it takes longer. */
  #clock(): { readonly limitMs: number; readonly expire: () => GatewayError } {
    const { deadlineAt, request, target } = this.#run;
    const network = target?.runtime.config.network;
    const now = performance.now();
    const allowed = this.#hasContent ? network?.streamIdleTimeoutMs : network?.firstContentTimeoutMs;
    const limitMs = allowed === undefined ? maxTimerMs : Math.min(allowed, maxTimerMs);
    const left = this.#hasContent ? limitMs : this.#startedAt + limitMs - now;
    if (deadlineAt > 0 && deadlineAt - now < left) {
      return { limitMs: Math.max(1, deadlineAt - now), expire: () => deadlineError(deadlineAt - request.startedAt) };
    }
    const what = this.#hasContent ? 'went silent' : 'sent no content';
    return { limitMs: Math.max(1, left), expire: () => silence(what, limitMs) };
  }
}

/** The longest time that a timer takes. */
const maxTimerMs = 2 ** 31 - 1;
const code = 'BF_PLUGIN_STREAM_FAILED';

function silence(what: string, limitMs: number): GatewayError {
  const message = `The stream that a plugin answered with ${what} for ${limitMs} ms.`;
  return new GatewayError(message, { code, statusCode: 504, origin: 'plugin' });
}

function brokenOff(cause: unknown): GatewayError {
  const message = 'The stream that a plugin answered with broke off.';
  return new GatewayError(message, { code, statusCode: 500, origin: 'plugin', cause });
}

function asThrown(info: Extract<StreamEvent, { type: 'error' }>['error']): GatewayError {
  return new GatewayError(info.message, {
    code: info.code ?? code,
    statusCode: info.statusCode,
    origin: info.origin,
    info,
  });
}
