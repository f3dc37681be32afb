import type { ErrorInfo, WholeFrame } from '@bifrost/sdk';
import type { StreamHookRun } from '../plugins/chain.ts';
import { HeldWholes } from '../plugins/held-wholes.ts';
import { andThen } from '../plugins/maybe-promise.ts';
import type { MaybePromise } from '../plugins/maybe-promise.ts';
import { createTrack } from '../plugins/stream-track.ts';
import type { StreamTrack } from '../plugins/stream-track.ts';
import type { RequestRun } from './run.ts';
import type { StreamUnit } from './stream-unit.ts';
import type { HookedUnit } from './unit-encoder.ts';

interface UnderWay extends HookedUnit {
  readonly tracks: readonly StreamTrack[];
}

/** Passes units through the hooks that look at events. A unit is ready when all of its events have left them; order is kept. */
export class StreamHooking {
  readonly #hooks: StreamHookRun;
  /** Null where no hook holds anything back. */
  readonly #wholes: HeldWholes | null;
  readonly #maxHeldBytes: number;
  #units: UnderWay[] = [];

  constructor(hooks: StreamHookRun) {
    this.#hooks = hooks;
    const { maxHeldBytes } = hooks;
    this.#wholes = maxHeldBytes === undefined ? null : new HeldWholes();
    this.#maxHeldBytes = maxHeldBytes ?? 0;
  }

  /** A hook ended the stream: what is ready goes out, then this. */
  get error(): ErrorInfo | undefined {
    return this.#hooks.error;
  }

  push(unit: StreamUnit): MaybePromise<void> {
    const tracks = unit.frames.map(createTrack);
    this.#units.push({ ...unit, tracks });
    return this.#pushFrames(unit, tracks, 0);
  }

  tick(): MaybePromise<void> {
    return this.#hooks.tick();
  }

  /** The stream is over: afterwards every unit is ready. */
  end(): MaybePromise<void> {
    return andThen(this.#hooks.end(), () => this.#wholes?.close({ isDropped: true }));
  }

  close(): void {
    this.#hooks.close();
  }

  /** The units at the head that are ready. After a hook's error also the rest of what has left before it. */
  take(): readonly HookedUnit[] {
    this.#wholes?.settle();
    const waiting = this.#units.findIndex(({ tracks }) => tracks.some((track) => track.pending > 0));
    const count = waiting === -1 ? this.#units.length : waiting;
    const ready = this.#units.splice(0, count);
    if (this.error === undefined) return ready;
    const rest = this.#units.splice(0).map(asFarAsLeft).filter(hasSaidSomething);
    return [...ready, ...rest];
  }

  #pushFrames(unit: StreamUnit, tracks: readonly StreamTrack[], from: number): MaybePromise<void> {
    const [frame, track] = [unit.frames[from], tracks[from]];
    if (frame === undefined || track === undefined) return undefined;
    if (frame.whole !== undefined) this.#holdWhole(frame.whole, track, unit);
    return andThen(this.#hooks.push(track, frame.events), () => this.#pushFrames(unit, tracks, from + 1));
  }

  #holdWhole(frame: WholeFrame, track: StreamTrack, { wire }: StreamUnit): void {
    const wholes = this.#wholes;
    if (wholes === null) return;
    wholes.add(frame, track, wire?.event?.data.length ?? unwrittenWeight);
    if (wholes.weight <= this.#maxHeldBytes) return;
    this.#hooks.refuse(
      `a part of the answer that is only whole at its end is longer than what may be held back, ${this.#maxHeldBytes} bytes (holdBack.maxBytes)`,
    );
    if (this.error === undefined) wholes.close({ isDropped: false });
  }
}

/** What a frame counts for whose wire event is not kept. */
const unwrittenWeight = 128;

/** Of a unit that cannot be completed any more: what its hooks let go of. */
function asFarAsLeft(unit: UnderWay): UnderWay {
  return { ...unit, tracks: unit.tracks.map((track) => ({ ...track, isChanged: true })) };
}

function hasSaidSomething({ tracks }: UnderWay): boolean {
  return tracks.some((track) => track.out.length > 0);
}

/** Null where no plugin's hook wants this stream's events. `onDue`: a hook's clock has something to show. */
export function openHooking(run: RequestRun, startedAt: number, onDue: () => void): StreamHooking | null {
  const hooks = run.plugins?.openStream({ request: run.head(), startedAt, onDue }) ?? null;
  return hooks === null ? null : new StreamHooking(hooks);
}
