/** The stream hooks of one answer, one stage after the other: what leaves the first enters the second. */
import type { ErrorInfo, StreamEvent } from '@bifrost/sdk';
import type { StreamHookRun } from './chain.ts';
import { andThen } from './maybe-promise.ts';
import type { MaybePromise } from './maybe-promise.ts';
import type { StreamItem } from './stream-item.ts';
import type { StreamStage } from './stream-stage.ts';
import type { StreamTrack } from './stream-track.ts';

export class StreamHooks implements StreamHookRun {
  error: ErrorInfo | undefined;
  readonly #stages: readonly StreamStage[];
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /** `onDue` asks for a `tick`: text has waited as long as a hook lets it. `denial`: nothing may leave, a guard could not judge. */
  constructor(
    stages: readonly StreamStage[],
    { onDue, denial }: { readonly onDue: () => void; readonly denial: ErrorInfo | undefined },
  ) {
    this.#stages = stages;
    this.#onDue = onDue;
    this.error = denial;
  }

  get maxHeldBytes(): number | undefined {
    const bounds = this.#stages.map((stage) => stage.maxHeldBytes).filter((bound) => bound !== undefined);
    return bounds.length === 0 ? undefined : Math.min(...bounds);
  }

  refuse(message: string): void {
    for (const stage of this.#stages) {
      if (stage.maxHeldBytes === undefined) continue;
      stage.refuse(message);
      this.error ??= stage.error;
    }
  }

  push(track: StreamTrack, events: readonly StreamEvent[]): MaybePromise<void> {
    if (this.error !== undefined) return undefined;
    track.pending += events.length;
    const items = events.map((event) => ({ event, track }));
    return andThen(this.#through(items, 0), () => this.#armTimer());
  }

  tick(): MaybePromise<void> {
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    return andThen(
      this.#eachStage(0, (stage) => stage.tick()),
      () => this.#armTimer(),
    );
  }

  end(): MaybePromise<void> {
    this.close();
    return this.#eachStage(0, (stage) => stage.end());
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** Acts on each stage in turn, and passes on what that lets go before the next one acts. */
  #eachStage(index: number, act: (stage: StreamStage) => MaybePromise<void>): MaybePromise<void> {
    const stage = this.#stages[index];
    if (stage === undefined || this.error !== undefined) return undefined;
    return andThen(act(stage), () => andThen(this.#passOn(stage, index), () => this.#eachStage(index + 1, act)));
  }

  /** Passes `items` through the stages from `index` on. */
  #through(items: readonly StreamItem[], index: number): MaybePromise<void> {
    const stage = this.#stages[index];
    if (stage === undefined) {
      for (const { event, track } of items) {
        track.out.push(event);
        track.pending -= 1;
      }
      return undefined;
    }
    for (let at = 0; at < items.length; at += 1) {
      const item = items[at];
      if (item === undefined || this.error !== undefined) return undefined;
      const pushed = stage.push(item);
      if (pushed instanceof Promise) {
        const rest = items.slice(at + 1);
        return pushed.then(() => andThen(this.#passOn(stage, index), () => this.#through(rest, index)));
      }
    }
    return this.#passOn(stage, index);
  }

  /** What the stage has let go enters the next one. A stage that ends the stream lets those after it end first. */
  #passOn(stage: StreamStage, index: number): MaybePromise<void> {
    const released = stage.take();
    const { error } = stage;
    const passed = released.length === 0 ? undefined : this.#through(released, index + 1);
    if (error === undefined || this.error !== undefined) return passed;
    return andThen(passed, () =>
      andThen(
        this.#eachStage(index + 1, (one) => one.end()),
        () => {
          this.error ??= error;
        },
      ),
    );
  }

  #armTimer(): void {
    let due = Number.POSITIVE_INFINITY;
    for (const stage of this.#stages) due = Math.min(due, stage.dueAt ?? due);
    if (due >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = due;
    this.#timer = setTimeout(this.#onDue, Math.max(1, due - performance.now()));
  }
}
