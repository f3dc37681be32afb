import type { ErrorInfo, StreamFrame } from '@bifrost/sdk';
import type { Loss, StreamEncoder } from '../dialects/codec.ts';
import { formatSse } from '../sse/parser.ts';
import type { SseEvent } from '../sse/event.ts';
import { LateLosses } from './late-losses.ts';
import { toErrorInfo, writeStreamError } from './respond-error.ts';
import type { RequestRun } from './run.ts';

type Item =
  | { readonly type: 'frame'; readonly frame: StreamFrame }
  | { readonly type: 'event'; readonly event: SseEvent }
  | { readonly type: 'end' }
  | { readonly type: 'fail'; readonly error: ErrorInfo };

/** So many events may wait for a hook that takes its time; with more the source is paused until it has caught up. */
const maxWaiting = 32;

/**
 * Writes a stream to the client event by event: frames through the client's dialect, wire events as they are, both past the
 * plugins' stream hooks. Hooks may take their time: order is kept, and the source is paused meanwhile. What is written before
 * `open` is held. Everything that one call brings is one write.
 */
export class ClientStream {
  readonly #run: RequestRun;
  readonly #encoder: StreamEncoder | undefined;
  readonly #onEnded: () => void;
  readonly #isArray: boolean;
  readonly #hasEventHook: boolean;
  readonly #hasChunkHook: boolean;
  readonly #losses: LateLosses;
  #queue: Item[] = [];
  #text = '';
  #index = 0;
  #isOpen = false;
  #isBusy = false;
  #isEnded = false;

  /**
   * `encoder` is needed where frames are pushed; it adds to `losses`. `onEnded` is called once, when the last byte has been handed
   * to the client.
   */
  constructor(run: RequestRun, encoder: StreamEncoder | undefined, onEnded: () => void, losses: readonly Loss[]) {
    this.#run = run;
    this.#encoder = encoder;
    this.#onEnded = onEnded;
    this.#losses = new LateLosses(run, losses);
    this.#isArray = run.request.route.streamFraming === 'json-array';
    const { needs } = run;
    this.#hasEventHook = needs.streamEvent !== undefined;
    this.#hasChunkHook = needs.streamChunk !== undefined;
  }

  /** Characters that wait for `open`. */
  get heldCharacters(): number {
    return this.#isOpen ? 0 : this.#text.length;
  }

  /** The head is out: what was held follows, and from now on everything goes at once. */
  open(): void {
    this.#isOpen = true;
    this.#pump();
  }

  pushFrames(frames: readonly StreamFrame[]): void {
    for (const frame of frames) this.#queue.push({ type: 'frame', frame });
    this.#pump();
  }

  pushEvents(events: readonly SseEvent[]): void {
    for (const event of events) this.#queue.push({ type: 'event', event });
    this.#pump();
  }

  end(): void {
    this.#queue.push({ type: 'end' });
    this.#pump();
  }

  /** Ends with the dialect's error event. */
  fail(error: ErrorInfo): void {
    this.#queue.push({ type: 'fail', error });
    this.#pump();
  }

  keepAlive(): void {
    if (this.#isOpen && !this.#isArray && !this.#isEnded) this.#run.writer.write(': keep-alive\n\n');
  }

  #pump(): void {
    if (this.#isBusy) {
      if (this.#queue.length > maxWaiting) this.#run.writer.hold();
      return;
    }
    if (this.#hasEventHook || this.#hasChunkHook) {
      // Hooks are only called once the attempt is committed: a replaced attempt must not be heard by them.
      if (this.#isOpen) void this.#pumpHooked();
      return;
    }
    const queue = this.#queue;
    if (!this.#isOpen && queue.some((item) => item.type === 'end' || item.type === 'fail')) return;
    this.#queue = [];
    for (const item of queue) {
      for (const event of this.#eventsOf(item)) {
        this.#tellLosses(event);
        this.#append(event);
      }
      this.#noteOver(item);
    }
    this.#flush();
  }

  async #pumpHooked(): Promise<void> {
    this.#isBusy = true;
    try {
      for (let item = this.#queue.shift(); item !== undefined && !this.#isEnded; item = this.#queue.shift()) {
        await this.#passHooks(item);
        if (this.#queue.length <= maxWaiting) this.#run.writer.release();
      }
    } catch (error) {
      // A frame that the client's dialect cannot say: nobody awaits this, so it ends the stream here.
      if (!this.#isEnded) this.#fail(toErrorInfo(error));
    }
    this.#isBusy = false;
    this.#flush();
  }

  async #passHooks(item: Item): Promise<void> {
    const hooked = item.type === 'frame' && this.#hasEventHook ? await this.#hookFrame(item.frame) : undefined;
    const events = this.#eventsOf(hooked === undefined ? item : { type: 'frame', frame: hooked });
    for (const event of events) {
      if (this.#isEnded) return;
      this.#tellLosses(event);
      if (this.#hasChunkHook) await this.#hookChunk(event);
      else this.#append(event);
    }
    this.#noteOver(item);
  }

  async #hookFrame(frame: StreamFrame): Promise<StreamFrame> {
    const events = [];
    let isChanged = false;
    for (const event of frame.events) {
      const result = this.#run.plugins?.streamEvent(event) ?? [event];
      const replaced = result instanceof Promise ? await result : result;
      if (replaced.length !== 1 || replaced[0] !== event) isChanged = true;
      events.push(...replaced);
    }
    return isChanged ? { events } : frame;
  }

  async #hookChunk(event: SseEvent): Promise<void> {
    const chunk = {
      ...(event.event === undefined ? {} : { event: event.event }),
      data: event.data,
      index: this.#index,
    };
    this.#index += 1;
    const result = this.#run.plugins?.streamChunk(chunk) ?? chunk;
    if (result instanceof Promise) this.#flush();
    const hooked = result instanceof Promise ? await result : result;
    if (hooked === null || this.#isEnded) return;
    if (hooked === chunk) this.#append(event);
    else if ('error' in hooked) this.#fail(hooked.error);
    else this.#append(hooked);
  }

  #eventsOf(item: Item): readonly SseEvent[] {
    switch (item.type) {
      case 'frame':
        return this.#encoder?.push(item.frame) ?? [];
      case 'event':
        return [item.event];
      case 'end':
        return this.#encoder?.finish() ?? [];
      case 'fail':
        return [];
    }
  }

  #isFinishing = false;
  #failure: ErrorInfo | undefined;

  /** Only once the item's events have been appended: a flush in between (a hook that takes its time) must not end the stream. */
  #noteOver(item: Item): void {
    if (item.type === 'end') {
      this.#isFinishing = true;
      this.#tellLosses();
    } else if (item.type === 'fail') this.#failure = item.error;
  }

  /** Late losses are told before the event that ends the stream for its reader, what is known only after it at the very end. */
  #tellLosses(next?: SseEvent): void {
    if (this.#isArray || !this.#losses.isPending) return;
    if (next !== undefined && this.#run.clientCodec.classifyStreamEvent(next) !== 'terminal') return;
    this.#text += this.#losses.takeComments();
  }

  #append(event: SseEvent): void {
    if (!this.#isArray)
      this.#text += formatSse({ ...(event.event === undefined ? {} : { event: event.event }), data: event.data });
    else this.#text += `${this.#hasArrayBegun ? ',\r\n' : '['}${event.data}`;
    this.#hasArrayBegun = true;
  }

  #hasArrayBegun = false;

  #flush(): void {
    if (!this.#isOpen || this.#isEnded) return;
    const { writer } = this.#run;
    if (this.#text !== '') {
      writer.write(this.#text);
      this.#text = '';
    }
    if (this.#failure !== undefined) this.#fail(this.#failure);
    else if (this.#isFinishing) {
      this.#isEnded = true;
      writer.end(this.#isArray ? (this.#hasArrayBegun ? ']' : '[]') : undefined);
      this.#losses.log();
      this.#onEnded();
    }
  }

  #fail(error: ErrorInfo): void {
    this.#isEnded = true;
    this.#tellLosses();
    if (this.#text !== '') this.#run.writer.write(this.#text);
    this.#text = '';
    writeStreamError(this.#run, error);
    this.#losses.log();
    this.#onEnded();
  }
}
