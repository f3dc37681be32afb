import type { ErrorInfo, StreamEvent, StreamFrame } from '@bifrost/sdk';
import type { SseEvent } from '../sse/event.ts';
import type { StreamEncoder } from './codec.ts';

/**
 * A tool call's signature travels in its id, and the id leaves with the call's start. Decoders say a signature with the start, or hand
 * the call out in one frame; whoever else makes events (a plugin) may say it last. So calls in frames that no decoder made are held,
 * with all that comes behind them, until they have ended; their arguments leave together.
 */
export class WholeCallsEncoder implements StreamEncoder {
  readonly #inner: StreamEncoder;
  #held: StreamEvent[] = [];
  readonly #open = new Set<string>();

  constructor(inner: StreamEncoder) {
    this.#inner = inner;
  }

  push(frame: StreamFrame): readonly SseEvent[] {
    if (frame.residue !== undefined) return [...this.#release(), ...this.#inner.push(frame)];
    for (const event of frame.events) {
      if (event.type === 'tool-call-start' && event.signature === undefined) this.#open.add(event.part);
      else if (event.type === 'tool-call-end') this.#open.delete(event.part);
    }
    if (this.#held.length === 0 && this.#open.size === 0) return this.#inner.push(frame);
    this.#held.push(...frame.events);
    return this.#open.size === 0 ? this.#release() : [];
  }

  finish(): readonly SseEvent[] {
    return [...this.#release(), ...this.#inner.finish()];
  }

  fail(error: ErrorInfo): readonly SseEvent[] {
    return [...this.#release(), ...this.#inner.fail(error)];
  }

  /** What is held, as one frame: encoders look for a call's signature in the frame that its start is in. */
  #release(): readonly SseEvent[] {
    this.#open.clear();
    if (this.#held.length === 0) return [];
    const events = this.#held;
    this.#held = [];
    return this.#inner.push({ events });
  }
}
