import type { ErrorInfo, StreamFrame } from '@bifrost/sdk';
import { andThen } from '../plugins/maybe-promise.ts';
import type { MaybePromise } from '../plugins/maybe-promise.ts';
import type { ClientStreamOptions, Item } from './client-stream-item.ts';
import { toErrorInfo } from './respond-error.ts';
import type { RequestRun } from './run.ts';
import { SourceHold } from './source-hold.ts';
import { openHooking } from './stream-hooking.ts';
import type { StreamHooking } from './stream-hooking.ts';
import { StreamOutlet } from './stream-outlet.ts';
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
  readonly #outlet: StreamOutlet;
  readonly #source: SourceHold;
  #units: UnitEncoder | undefined;
  /** The hooks that look at events; undefined until the stream is open. */
  #hooking: StreamHooking | null | undefined;
  #queue: Item[] = [];
  #queuedBytes = 0;
  #isOpen = false;
  #isBusy = false;

  constructor(run: RequestRun, options: ClientStreamOptions) {
    this.#run = run;
    this.#options = options;
    this.#outlet = new StreamOutlet(run, options, () => this.#hooking?.close());
    this.#source = new SourceHold(run.writer);
    this.#hasEventHook = run.needs.streamEvent !== undefined;
    this.#hasChunkHook = run.needs.streamChunk !== undefined;
  }

  /** Characters or bytes that wait for `open`. */
  get heldCharacters(): number {
    return this.#isOpen ? 0 : this.#outlet.size + this.#queuedBytes;
  }

  /** A plugin has changed something of a stream that would have left as it came. */
  get isChanged(): boolean {
    return this.#outlet.isChangeNoted || this.#units?.isChanged === true;
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
    if (this.#isOpen) this.#outlet.keepAlive();
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
      this.#outlet.fail(toErrorInfo(error));
    }
  }

  #work(queue: Item[]): void {
    let done = 0;
    while (done < queue.length && !this.#outlet.isEnded) {
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
      if (error !== undefined && !this.#outlet.isEnded) this.#outlet.fail(toErrorInfo(error));
      if (this.#run.isCanceled) this.#outlet.close();
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
        if (hooking === null) return this.#append(this.#encoder.encode(item.unit));
        return andThen(hooking.push(item.unit), () => this.#appendReady(hooking));
      case 'tick':
        return hooking === null ? undefined : andThen(hooking.tick(), () => this.#appendReady(hooking));
      case 'fail':
        return andThen(this.#endHooks(hooking), () => this.#outlet.fail(item.error));
      case 'end':
        return andThen(this.#endHooks(hooking), () => this.#endText(item.closing));
    }
  }

  /** Opened with the first item after the head: by then it is settled how far the plugins' forward pass came. */
  #eventHooks(): StreamHooking | null {
    if (this.#hooking !== undefined) return this.#hooking;
    if (!this.#hasEventHook || !this.#isOpen) return null;
    const onDue = (): void => {
      if (this.#outlet.isEnded || this.#run.isCanceled) return;
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

  #appendReady(hooking: StreamHooking): MaybePromise<void> {
    const ready: readonly HookedUnit[] = hooking.take();
    return andThen(this.#appendUnits(ready, 0), () => {
      if (hooking.error !== undefined) this.#outlet.fail(hooking.error);
    });
  }

  #appendUnits(units: readonly HookedUnit[], from: number): MaybePromise<void> {
    for (let index = from; index < units.length; index += 1) {
      const unit = units[index];
      const appended = unit === undefined ? undefined : this.#append(this.#encoder.encode(unit));
      if (appended instanceof Promise) return appended.then(() => this.#appendUnits(units, index + 1));
    }
    return undefined;
  }

  #endHooks(hooking: StreamHooking | null): MaybePromise<void> {
    return hooking === null ? undefined : andThen(hooking.end(), () => this.#appendReady(hooking));
  }

  #endText(closing: string): MaybePromise<void> {
    if (this.#outlet.isEnded) return undefined;
    return andThen(this.#append(this.#encoder.finish()), () =>
      this.#outlet.finish(this.#units?.isChanged === true ? '' : closing),
    );
  }

  #append(events: readonly OutgoingEvent[]): MaybePromise<void> {
    return this.#outlet.append(events, this.#units?.isChanged === true);
  }

  #flush(): void {
    if (this.#isOpen) this.#outlet.flush();
  }
}
