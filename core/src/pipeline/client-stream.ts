import type { ErrorInfo, StreamFrame } from '@bifrost/sdk';
import { andThen } from '../plugins/maybe-promise.ts';
import type { MaybePromise } from '../plugins/maybe-promise.ts';
import type { SseEvent } from '../sse/event.ts';
import { toChunk } from './client-stream-item.ts';
import type { ClientStreamOptions, Item } from './client-stream-item.ts';
import { ContentMark } from './content-mark.ts';
import { LateLosses } from './late-losses.ts';
import { OutgoingText } from './outgoing-text.ts';
import { toErrorInfo, writeStreamError } from './respond-error.ts';
import type { RequestRun } from './run.ts';
import { SourceHold } from './source-hold.ts';
import { openHooking } from './stream-hooking.ts';
import type { StreamHooking } from './stream-hooking.ts';
import type { OutgoingEvent, StreamUnit } from './stream-unit.ts';
import { UnitEncoder } from './unit-encoder.ts';
import type { HookedUnit } from './unit-encoder.ts';

/**
 * Writes a stream to the client, past the plugins' stream hooks. Hooks may take their time: order is kept, and the source is paused
 * meanwhile. What is written before `open` is held. Everything that one call brings is one write.
 */
export class ClientStream {
  readonly #run: RequestRun;
  readonly #options: ClientStreamOptions;
  readonly #hasEventHook: boolean;
  readonly #hasChunkHook: boolean;
  readonly #isArray: boolean;
  readonly #losses: LateLosses;
  readonly #text: OutgoingText;
  readonly #source: SourceHold;
  readonly #content: ContentMark;
  #units: UnitEncoder | undefined;
  /** The hooks that look at events; undefined until the stream is open. */
  #hooking: StreamHooking | null | undefined;
  #queue: Item[] = [];
  #queuedBytes = 0;
  #index = 0;
  #isOpen = false;
  #isBusy = false;
  #isEnded = false;
  /** Everything has been appended: the next flush ends the stream. */
  #isFinishing = false;
  #isChangeNoted = false;

  constructor(run: RequestRun, options: ClientStreamOptions) {
    this.#run = run;
    this.#options = options;
    this.#losses = new LateLosses(run, options.losses);
    this.#isArray = run.request.route.streamFraming === 'json-array';
    this.#text = new OutgoingText(this.#isArray);
    this.#source = new SourceHold(run.writer);
    this.#content = new ContentMark(run);
    const explanation = run.plugins?.explanation ?? null;
    if (explanation !== null) this.#losses.note(() => `bf-explain ${explanation.comment()}`);
    this.#hasEventHook = run.needs.streamEvent !== undefined;
    this.#hasChunkHook = run.needs.streamChunk !== undefined;
  }

  /** Characters or bytes that wait for `open`. */
  get heldCharacters(): number {
    return this.#isOpen ? 0 : this.#text.size + this.#queuedBytes;
  }

  /** A plugin has changed something of a stream that would have left as it came. */
  get isChanged(): boolean {
    return this.#isChangeNoted || this.#units?.isChanged === true;
  }

  /** The head is out: what was held follows, and from now on everything goes at once. */
  open(): void {
    this.#isOpen = true;
    this.#queuedBytes = 0;
    this.#pump();
  }

  pushFrames(frames: readonly StreamFrame[]): void {
    for (const frame of frames) this.#queue.push({ type: 'unit', unit: { frames: [frame] } });
    this.#pump();
  }

  pushUnits(units: readonly StreamUnit[]): void {
    for (const unit of units) {
      this.#queue.push({ type: 'unit', unit });
      if (!this.#isOpen) this.#queuedBytes += unit.wire?.bytes?.length ?? unit.wire?.event?.data.length ?? 0;
    }
    this.#pump();
  }

  end(closing = ''): void {
    this.#queue.push({ type: 'end', closing });
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
      this.#source.look(this.#queue.length);
      return;
    }
    if (!this.#isOpen) {
      // Hooks are only called once the attempt is committed: a replaced attempt must not be heard by them.
      if (this.#hasEventHook || this.#hasChunkHook) return;
      if (this.#queue.some((item) => item.type === 'end' || item.type === 'fail')) return;
    }
    try {
      this.#work(this.#queue);
    } catch (error) {
      // A frame that the client's dialect cannot say: the caller tells, by `fail`.
      this.#queue = [];
      throw error;
    }
  }

  /** As `pump`, where nobody is there to catch. */
  #pumpAlone(): void {
    try {
      this.#pump();
    } catch (error) {
      this.#fail(toErrorInfo(error));
    }
  }

  #work(queue: Item[]): void {
    let done = 0;
    while (done < queue.length && !this.#isEnded) {
      const item = queue[done];
      done += 1;
      const passed = item === undefined ? undefined : this.#pass(item);
      if (passed instanceof Promise) {
        this.#queue = queue.slice(done);
        this.#flush();
        this.#wait(passed);
        return;
      }
    }
    this.#queue = [];
    this.#flush();
  }

  /** A hook takes its time: the rest goes on after it. */
  #wait(passing: Promise<void>): void {
    this.#isBusy = true;
    const goOn = (error?: unknown): void => {
      this.#isBusy = false;
      if (error !== undefined && !this.#isEnded) this.#fail(toErrorInfo(error));
      if (this.#run.isCanceled) this.#close();
      else this.#pumpAlone();
      if (!this.#isBusy) this.#source.release();
    };
    passing.then(() => goOn(), goOn);
    this.#source.look(this.#queue.length);
  }

  #pass(item: Item): MaybePromise<void> {
    const hooking = this.#eventHooks();
    switch (item.type) {
      case 'unit':
        if (hooking === null) return this.#emit(this.#encoder.encode(item.unit), 0);
        return andThen(hooking.push(item.unit), () => this.#emitReady(hooking));
      case 'tick':
        return hooking === null ? undefined : andThen(hooking.tick(), () => this.#emitReady(hooking));
      case 'fail':
        return andThen(this.#endHooks(hooking), () => this.#fail(item.error));
      case 'end':
        return andThen(this.#endHooks(hooking), () => this.#endText(item.closing));
    }
  }

  /** Opened with the first item after the head: by then it is settled how far the plugins' forward pass came. */
  #eventHooks(): StreamHooking | null {
    if (this.#hooking !== undefined) return this.#hooking;
    if (!this.#hasEventHook || !this.#isOpen) return null;
    const onDue = (): void => {
      if (this.#isEnded || this.#run.isCanceled) return;
      this.#queue.push({ type: 'tick' });
      this.#pumpAlone();
    };
    return (this.#hooking = openHooking(this.#run, this.#options.startedAt, onDue));
  }

  get #encoder(): UnitEncoder {
    if (this.#units !== undefined) return this.#units;
    const isPassed = this.#options.isPassed === true;
    const isNeeded = !isPassed || (this.#hooking ?? null) !== null;
    return (this.#units = new UnitEncoder(isNeeded ? this.#options.encoder?.() : undefined, isPassed));
  }

  #emitReady(hooking: StreamHooking): MaybePromise<void> {
    const ready: readonly HookedUnit[] = hooking.take();
    return andThen(this.#emitUnits(ready, 0), () => {
      if (hooking.error !== undefined) this.#fail(hooking.error);
    });
  }

  #emitUnits(units: readonly HookedUnit[], from: number): MaybePromise<void> {
    for (let index = from; index < units.length; index += 1) {
      const unit = units[index];
      const emitted = unit === undefined ? undefined : this.#emit(this.#encoder.encode(unit), 0);
      if (emitted instanceof Promise) return emitted.then(() => this.#emitUnits(units, index + 1));
    }
    return undefined;
  }

  #endHooks(hooking: StreamHooking | null): MaybePromise<void> {
    return hooking === null ? undefined : andThen(hooking.end(), () => this.#emitReady(hooking));
  }

  #endText(closing: string): MaybePromise<void> {
    if (this.#isEnded) return undefined;
    return andThen(this.#emit(this.#encoder.finish(), 0), () => {
      if (this.#isEnded) return;
      if (this.#units?.isChanged !== true) this.#text.addText(closing);
      this.#tellLosses();
      this.#isFinishing = true;
    });
  }

  /** Appends the events from `from` on, each past the hooks that look at chunks. */
  #emit(events: readonly OutgoingEvent[], from: number): MaybePromise<void> {
    for (let index = from; index < events.length; index += 1) {
      const outgoing = events[index];
      if (outgoing === undefined || this.#isEnded) return undefined;
      const { event } = outgoing;
      if (event === undefined) {
        this.#text.add(outgoing);
        continue;
      }
      if (this.#units?.isChanged === true) this.#noteChange();
      if (this.#losses.isPending) this.#tellLosses(event);
      const hooked = this.#hasChunkHook ? this.#hookChunk(event, outgoing) : this.#text.add(outgoing);
      if (!this.#content.isOut) this.#content.look(event);
      if (hooked instanceof Promise) return hooked.then(() => this.#emit(events, index + 1));
    }
    return undefined;
  }

  #hookChunk(event: SseEvent, outgoing: OutgoingEvent): MaybePromise<void> {
    const { plugins } = this.#run;
    const chunk = toChunk(event, this.#index++);
    const result = plugins === null ? chunk : plugins.streamChunk(chunk);
    if (result instanceof Promise) this.#flush();
    return andThen(result, (hooked) => {
      if (this.#isEnded) return;
      if (hooked === chunk) {
        this.#text.add(outgoing);
        return;
      }
      this.#noteChange();
      if (hooked === null) return;
      if ('error' in hooked) this.#fail(hooked.error);
      else this.#text.add({ event: hooked });
    });
  }

  /** The head has said the lane that the answer began on: what a plugin made of it since is told like a late loss. */
  #noteChange(): void {
    if (this.#options.isPassed !== true || this.#isChangeNoted) return;
    this.#isChangeNoted = true;
    this.#run.lane = 'translated';
    this.#losses.note(() => 'x-bf-lane: translated');
  }

  /** Late losses are told before the event that ends the stream for its reader, what is known only after it at the very end. */
  #tellLosses(next?: SseEvent): void {
    if (this.#isArray || !this.#losses.isPending) return;
    if (next !== undefined && this.#run.clientCodec.classifyStreamEvent(next) !== 'terminal') return;
    this.#text.addText(this.#losses.takeComments());
  }

  #flush(): void {
    if (!this.#isOpen || this.#isEnded) return;
    const { writer } = this.#run;
    const text = this.#text.take();
    if (text !== undefined) writer.write(text);
    if (!this.#isFinishing) return;
    this.#close();
    writer.end(this.#text.arrayEnd);
    this.#losses.log();
    this.#options.onEnded();
  }

  #fail(error: ErrorInfo): void {
    if (this.#isEnded) return;
    this.#close();
    this.#tellLosses();
    const text = this.#text.take();
    if (text !== undefined) this.#run.writer.write(text);
    writeStreamError(this.#run, error);
    this.#losses.log();
    this.#options.onEnded();
  }

  #close(): void {
    this.#isEnded = true;
    this.#hooking?.close();
  }
}
