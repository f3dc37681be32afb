import { isDeepStrictEqual } from 'node:util';
import type { StreamFrame } from '@bifrost/sdk';
import type { StreamEncoder } from '../dialects/codec.ts';
import type { StreamTrack } from '../plugins/stream-track.ts';
import type { SseEvent } from '../sse/event.ts';
import type { OutgoingEvent, StreamUnit } from './stream-unit.ts';

const nothing: readonly OutgoingEvent[] = [];

/** A unit whose frames have been through the hooks. */
export interface HookedUnit extends StreamUnit {
  /** One for each frame; absent where no hook looked at them. */
  readonly tracks?: readonly StreamTrack[];
}

/**
 * Makes of units what goes out. A stream whose bytes may leave as they came is encoded in the shadow all the while, so that the encoder's
 * state is right when a hook first changes something; from then on a unit leaves in its bytes only where the encoder says the same,
 * as what follows a change may repeat what was changed (the Responses API ends a part with its whole text).
 */
export class UnitEncoder {
  /** A hook has changed something: the answer is no longer what came. */
  isChanged = false;
  readonly #encoder: StreamEncoder | undefined;
  readonly #isPassed: boolean;
  #shadowFailure: { readonly thrown: unknown } | undefined;

  /** `isPassed`: the units carry what may leave as it came. `encoder` may then be absent where nobody decodes. */
  constructor(encoder: StreamEncoder | undefined, isPassed: boolean) {
    this.#encoder = encoder;
    this.#isPassed = isPassed;
  }

  /** The events that say `unit`. Throws what the encoder throws, where its words are needed. */
  encode(unit: HookedUnit): readonly OutgoingEvent[] {
    if (!this.#isPassed) return this.#push(unit).map(asOutgoing);
    if (unit.tracks?.some((track) => track.isChanged) === true) this.isChanged = true;
    const wire = unit.wire === undefined || unit.isWithheld === true ? nothing : [unit.wire];
    if (!this.isChanged) {
      this.#shadow(unit);
      return wire;
    }
    if (this.#shadowFailure !== undefined) throw this.#shadowFailure.thrown;
    if (unit.frames.length === 0) return wire;
    const events = this.#push(unit);
    return saysTheSame(events, unit) ? wire : events.map(asOutgoing);
  }

  /** What is left to say at the end of the stream. */
  finish(): readonly OutgoingEvent[] {
    if (this.#encoder === undefined || (this.#isPassed && !this.isChanged)) return nothing;
    return this.#encoder.finish().map(asOutgoing);
  }

  #push({ frames, tracks }: HookedUnit): readonly SseEvent[] {
    const encoder = this.#encoder;
    if (encoder === undefined) return [];
    const [only] = frames;
    if (only !== undefined && frames.length === 1) return encoder.push(framed(only, tracks?.[0]));
    return frames.flatMap((frame, index) => encoder.push(framed(frame, tracks?.[index])));
  }

  /** Nobody reads what the encoder says here: that it cannot say it matters only once somebody does. */
  #shadow(unit: HookedUnit): void {
    if (this.#shadowFailure !== undefined) return;
    try {
      this.#push(unit);
    } catch (thrown) {
      this.#shadowFailure = { thrown };
    }
  }
}

function framed(frame: StreamFrame, track: StreamTrack | undefined): StreamFrame {
  return track?.isChanged === true ? { events: track.out } : frame;
}

function asOutgoing(event: SseEvent): OutgoingEvent {
  return { event };
}

/** Whether the encoder's events are the unit's wire event in other words: the same name and the same JSON. */
function saysTheSame(events: readonly SseEvent[], { wire }: HookedUnit): boolean {
  const [made] = events;
  const own = wire?.event;
  if (own === undefined || made === undefined) return own === undefined && made === undefined;
  if (events.length > 1 || made.event !== own.event) return false;
  if (made.data === own.data) return true;
  try {
    return isDeepStrictEqual(JSON.parse(made.data), JSON.parse(own.data));
  } catch {
    // One of them is no JSON, and they differ as texts.
    return false;
  }
}
