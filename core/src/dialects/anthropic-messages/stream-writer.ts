/** Writes Anthropic's wire events in a legal order: one message, one open block at a time, indexes from 0 without a gap. */
import type { Json, Usage } from '@bifrost/sdk';
import type { SseEvent } from '../../sse/event.ts';
import type { Fields } from './fields.ts';
import { encodeForeignUsage } from './usage.ts';

/** Id and model for `message_start`. */
export interface MessageHead {
  readonly id: string;
  readonly model: string;
}

export class StreamWriter {
  #out: SseEvent[] = [];
  #nextIndex = 0;
  #openIndex: number | undefined;
  #isStarted = false;
  #hasDelta = false;
  #isStopped = false;

  get isStarted(): boolean {
    return this.#isStarted;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** The events written since the last call. */
  take(): readonly SseEvent[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  /** Any event, as it is. `name` undefined: without an `event:` line. */
  write(body: Fields, name: string | undefined = body['type'] as string): void {
    const data = JSON.stringify(body);
    this.#out.push(name === undefined ? { data } : { event: name, data });
  }

  /** `message_start` with the usage known so far; nothing when the message runs already. */
  start(head: MessageHead, usage: Usage | undefined): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const message = {
      id: head.id,
      type: 'message',
      role: 'assistant',
      model: head.model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: encodeForeignUsage(usage),
    };
    this.write({ type: 'message_start', message });
  }

  /** A `message_start` of this dialect's own; a further message in the same body begins anew. */
  startOwn(body: Fields, name: string | undefined): void {
    if (this.#isStarted && !this.#isStopped) return;
    this.#isStarted = true;
    this.#isStopped = false;
    this.#hasDelta = false;
    this.#nextIndex = 0;
    this.write(body, name);
  }

  /** Opens a block; the one before must be closed. */
  openBlock(block: Json): void {
    this.openOwnBlock({ type: 'content_block_start', index: 0, content_block: block }, 'content_block_start');
  }

  openOwnBlock(body: Fields, name: string | undefined): void {
    this.#openIndex = this.#nextIndex;
    this.#nextIndex += 1;
    this.write({ ...body, index: this.#openIndex }, name);
  }

  /** A delta of the open block. */
  delta(delta: Json): void {
    if (this.#openIndex !== undefined) this.write({ type: 'content_block_delta', index: this.#openIndex, delta });
  }

  /** A delta of the open block, as this dialect's decoder read it. */
  ownDelta(body: Fields, name: string | undefined): void {
    if (this.#openIndex !== undefined) this.write({ ...body, index: this.#openIndex }, name);
  }

  /** Closes the open block, if one is open. */
  closeBlock(body: Fields = { type: 'content_block_stop' }, name: string | undefined = 'content_block_stop'): void {
    if (this.#openIndex === undefined) return;
    this.write({ ...body, index: this.#openIndex }, name);
    this.#openIndex = undefined;
  }

  /** `message_delta`: stop reason and cumulative usage. Once. */
  messageDelta(
    reason: { readonly word: string; readonly sequence: string | undefined },
    usage: Usage | undefined,
  ): void {
    if (this.#hasDelta) return;
    this.#hasDelta = true;
    const { cache_creation: _, ...totals } = encodeForeignUsage(usage);
    const delta = { stop_reason: reason.word, stop_sequence: reason.sequence ?? null };
    this.write({ type: 'message_delta', delta, usage: totals });
  }

  ownMessageDelta(body: Fields, name: string | undefined): void {
    if (this.#hasDelta) return;
    this.#hasDelta = true;
    this.write(body, name);
  }

  /** `message_stop`. Once. */
  stop(body: Fields = { type: 'message_stop' }, name: string | undefined = 'message_stop'): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.write(body, name);
  }
}
