/**
 * One stream hook at work on one stream. It shows the hook its events, deltas of one part gathered as `chunks` says, and holds back
 * what the hook has to see first. Whatever is held keeps its place: only the head of the queue leaves. An event that the hook left
 * unchanged leaves as it came and whole, so that its bytes can; only what a hook made is cut where the hold-back asks for it.
 */
import type { ChunkMode, ErrorInfo, StreamEvent } from '@bifrost/sdk';
import type { HookEntry } from './hook-entry.ts';
import { andThen } from './maybe-promise.ts';
import type { MaybePromise } from './maybe-promise.ts';
import { addPiece, madeItems, noteReplaced, weightOf } from './stream-item.ts';
import type { HeldItem, StreamItem } from './stream-item.ts';
import { deltaText, isDelta, partKey, wholeCharacters, withText } from './stream-text.ts';
import type { DeltaEvent } from './stream-text.ts';
import { PartWindow } from './stream-window.ts';

/** What the hook said to one event. */
export interface StageAnswer {
  /** Undefined: unchanged. */
  readonly replacement?: readonly StreamEvent[] | undefined;
  /** The stream has to end with this error, and what is held must not leave. */
  readonly denial?: ErrorInfo | undefined;
}

export interface StageOptions {
  readonly entry: HookEntry;
  /** Shows the hook one event. */
  call(event: StreamEvent): MaybePromise<StageAnswer>;
  /** The hook holds more than it may: follows its policy as for a failed call. An error ends the stream. */
  overflow(message: string): ErrorInfo | undefined;
}

const defaultMaxBytes = 262_144;

export class StreamStage {
  /** Set when the stream has to end here. */
  error: ErrorInfo | undefined;
  readonly #options: StageOptions;
  readonly #mode: ChunkMode;
  readonly #keptCharacters: number;
  readonly #maxBytes: number;
  /** Nothing is ever gathered or held. */
  readonly #isDirect: boolean;
  readonly #windows = new Map<string, PartWindow>();
  #queue: HeldItem[] = [];
  #heldBytes = 0;
  #released: StreamItem[] = [];

  constructor(options: StageOptions) {
    const { chunks, holdBack } = options.entry;
    this.#options = options;
    this.#mode = chunks ?? 'each';
    this.#keptCharacters = holdBack?.characters ?? 0;
    this.#maxBytes = holdBack?.maxBytes ?? defaultMaxBytes;
    this.#isDirect = this.#mode === 'each' && this.#keptCharacters === 0;
  }

  /** How many bytes the hook may hold back; undefined where it holds nothing. */
  get maxHeldBytes(): number | undefined {
    return this.#isDirect ? undefined : this.#maxBytes;
  }

  /** More would have to be held back for the hook than it may hold. */
  refuse(message: string): void {
    const error = this.#options.overflow(message);
    if (error !== undefined) this.#stop(error);
  }

  /** `performance.now()` at which a part is to be shown whatever comes; undefined where no clock runs. */
  get dueAt(): number | undefined {
    const afterMs = typeof this.#mode === 'object' ? this.#mode.afterMs : undefined;
    if (afterMs === undefined) return undefined;
    let due: number | undefined;
    for (const window of this.#windows.values()) {
      if (window.isWaiting && (due === undefined || window.waitingSince + afterMs < due)) {
        due = window.waitingSince + afterMs;
      }
    }
    return due;
  }

  /** Takes an event; what may leave now waits in `take`. */
  push(item: StreamItem): MaybePromise<void> {
    const { event } = item;
    if (this.error !== undefined) return undefined;
    if (this.#isDirect) return this.#showAlone(item);
    if (isDelta(event)) return this.#hold(item, event);
    const window = this.#windowOf(event);
    if (window === undefined) return andThen(this.#showAlone(item), () => this.#release());
    return andThen(this.#endPart(window), () => andThen(this.#showAlone(item), () => this.#release()));
  }

  /** Shows what the clock says is due. */
  tick(): MaybePromise<void> {
    const now = performance.now();
    const due = [...this.#windows.values()].filter((window) => window.due(this.#mode, now) !== undefined);
    return this.#each(due, (window) => this.#show(window, window.text.length, false));
  }

  /** Nothing more comes: everything is shown and leaves. */
  end(): MaybePromise<void> {
    return this.#each([...this.#windows.values()], (window) => this.#endPart(window));
  }

  /** The events that have left since the last call. */
  take(): readonly StreamItem[] {
    const released = this.#released;
    if (released.length > 0) this.#released = [];
    return released;
  }

  #each(windows: readonly PartWindow[], act: (window: PartWindow) => MaybePromise<void>): MaybePromise<void> {
    const [first, ...rest] = windows;
    if (first === undefined) return this.#release();
    return andThen(act(first), () => this.#each(rest, act));
  }

  #windowOf(event: StreamEvent): PartWindow | undefined {
    const key = partKey(event);
    return key === undefined ? undefined : this.#windows.get(key);
  }

  #hold(item: StreamItem, event: DeltaEvent): MaybePromise<void> {
    const key = partKey(event) ?? '';
    let window = this.#windows.get(key);
    if (window === undefined) this.#windows.set(key, (window = new PartWindow(key, event)));
    const now = performance.now();
    window.add(deltaText(event), now);
    this.#enqueue({ event, track: item.track, isMade: false, window });
    const upTo = window.due(this.#mode, now);
    return andThen(upTo === undefined ? undefined : this.#show(window, upTo, false), () => this.#release());
  }

  /** The part is over: the hook sees what it has not seen, or what was kept once more, and all of it may leave. */
  #endPart(window: PartWindow): MaybePromise<void> {
    const isShown = window.isWaiting || (this.#keptCharacters > 0 && window.text !== '');
    return andThen(isShown ? this.#show(window, window.text.length, true) : undefined, () => {
      window.isEnded = true;
      this.#windows.delete(window.key);
    });
  }

  /** Shows the hook the part's text up to `upTo`: what is new, after what was kept. */
  #show(window: PartWindow, upTo: number, isLast: boolean): MaybePromise<void> {
    if (this.error !== undefined) return undefined;
    const from = this.#keptCharacters > 0 ? 0 : window.shown;
    const merged = withText(window.model, window.text.slice(from, upTo));
    return andThen(this.#options.call(isLast ? { ...merged, isLast: true } : merged), (answer) => {
      if (answer.denial !== undefined) this.#stop(answer.denial);
      else if (answer.replacement === undefined) window.shown = upTo;
      else this.#replace(window, { from, upTo }, answer.replacement);
    });
  }

  /** Shows the hook an event that no window gathers. */
  #showAlone(item: StreamItem): MaybePromise<void> {
    if (this.error !== undefined) return undefined;
    return andThen(this.#options.call(item.event), ({ replacement, denial }) => {
      if (denial !== undefined) this.#stop(denial);
      else if (replacement === undefined) this.#enqueue({ ...item, isMade: false, window: undefined });
      else {
        const made = madeItems(replacement, item.track, undefined);
        noteReplaced([item], made);
        for (const one of made) this.#enqueue(one);
        this.#stopAtError(replacement);
      }
    });
  }

  /** Puts `events` in the place of the part's text from `from` to `upTo`. */
  #replace(
    window: PartWindow,
    { from, upTo }: { readonly from: number; readonly upTo: number },
    events: readonly StreamEvent[],
  ): void {
    const queue: HeldItem[] = [];
    const gone: HeldItem[] = [];
    let made: HeldItem[] | undefined;
    let offset = 0;
    for (const item of this.#queue) {
      if (item.window !== window || !isDelta(item.event)) {
        queue.push(item);
        continue;
      }
      const { event } = item;
      const text = deltaText(event);
      const [begin, end] = [offset, offset + text.length];
      offset = end;
      if (end <= from || begin >= upTo) {
        queue.push(item);
        continue;
      }
      const piece = (cut: string): HeldItem => ({ ...item, event: withText(event, cut), isMade: true });
      gone.push(item);
      if (begin < from) addPiece(queue, item, piece(text.slice(0, from - begin)));
      if (made === undefined) queue.push(...(made = madeItems(events, item.track, window)));
      if (end > upTo) addPiece(queue, item, piece(text.slice(upTo - begin)));
    }
    noteReplaced(gone, made ?? []);
    this.#queue = queue;
    const kept = (made ?? []).filter((item) => item.window === window);
    const text = kept.map((item) => (isDelta(item.event) ? deltaText(item.event) : '')).join('');
    window.replace(from, upTo, text);
    this.#heldBytes = this.#queue.reduce((sum, item) => sum + weightOf(item.event), 0);
    this.#stopAtError(events);
  }

  #enqueue(item: HeldItem): void {
    if (this.#isDirect) {
      this.#released.push(item);
      return;
    }
    this.#queue.push(item);
    this.#heldBytes += weightOf(item.event);
  }

  /** Lets go of the head of the queue as far as it may leave. */
  #release(): void {
    let count = 0;
    for (const item of this.#queue) {
      if (!this.#releaseItem(item, count)) break;
      count += 1;
    }
    if (count > 0) this.#queue.splice(0, count);
    if (this.#heldBytes > this.#maxBytes) this.#overflow();
  }

  /** True where the item has left. One that a hook made may leave in part. */
  #releaseItem(item: HeldItem, index: number): boolean {
    const { window, event, track } = item;
    if (window !== undefined && isDelta(event)) {
      const text = deltaText(event);
      const free = window.isEnded ? text.length : window.shown - this.#keptCharacters;
      if (text !== '' && free < text.length) {
        const cut = item.isMade ? wholeCharacters(text, free) : 0;
        if (cut > 0) {
          this.#queue[index] = { ...item, event: withText(event, text.slice(cut)) };
          track.pending += 1;
          window.drop(cut);
          this.#heldBytes -= cut;
          this.#released.push({ event: withText(event, text.slice(0, cut)), track });
        }
        return false;
      }
      window.drop(text.length);
    }
    this.#heldBytes -= weightOf(event);
    this.#released.push({ event, track });
    return true;
  }

  #overflow(): void {
    const { hook } = this.#options.entry;
    const error = this.#options.overflow(
      `holds more of the stream than its bound of ${this.#maxBytes} bytes (${hook}: a smaller holdBack.characters, other chunks, or a larger holdBack.maxBytes)`,
    );
    if (error !== undefined) {
      this.#stop(error);
      return;
    }
    for (const window of this.#windows.values()) {
      window.isEnded = true;
      window.shown = window.text.length;
    }
    this.#windows.clear();
    this.#release();
  }

  /** A hook's own error event ends the stream, after what stands before it. */
  #stopAtError(events: readonly StreamEvent[]): void {
    const failure = events.find((event) => event.type === 'error');
    if (failure === undefined) return;
    // What the hook has seen may leave, what it has not seen stays here.
    for (const window of this.#windows.values()) window.isEnded = !window.isWaiting;
    this.#release();
    this.#stop(failure.error);
  }

  #stop(error: ErrorInfo): void {
    this.error ??= error;
    this.#queue = [];
    this.#heldBytes = 0;
    this.#windows.clear();
  }
}
