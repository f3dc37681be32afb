import type { SseEvent } from '@bifrost/core';
import { formatSse } from '@bifrost/core';
import type { Cut, Delivery } from './delivery.ts';
import type { StreamFraming } from './wire-events.ts';
import { splitChunks, splitEvents, splitLines } from './wire-events.ts';

/** What a body turns into: writes in order, and what happens behind the last one. */
export interface WritePlan {
  readonly writes: readonly Buffer[];
  /** `end`: the body ends as HTTP wants it. `die`: the socket is destroyed. `hang`: nothing more, the socket stays open. */
  readonly ending: 'end' | 'die' | 'hang';
}

export interface PlannedBody {
  readonly bytes: Buffer;
  readonly framing: StreamFraming;
  /** The dialect's in-band error, for `errorAtEvent`. */
  readonly errorEvents: readonly SseEvent[];
}

const comment = Buffer.from(': keep-alive\n\n');

/** The events that get onto the wire at all, with comments and the in-band error in place. */
function planEvents(body: PlannedBody, delivery: Delivery): WritePlan {
  let events = [...splitEvents(body.bytes, body.framing)];
  let ending: WritePlan['ending'] = 'end';
  const { errorAtEvent, endAfterEvents, hangAfterEvents, dieAfterEvents, commentEveryEvents } = delivery;
  if (errorAtEvent !== undefined) {
    events = [...events.slice(0, errorAtEvent - 1), ...body.errorEvents.map((event) => Buffer.from(formatSse(event)))];
  }
  if (endAfterEvents !== undefined) events = events.slice(0, endAfterEvents);
  if (hangAfterEvents !== undefined) {
    events = events.slice(0, hangAfterEvents);
    ending = 'hang';
  }
  if (dieAfterEvents !== undefined) {
    const victim = events[dieAfterEvents];
    const half = victim?.subarray(0, Math.max(1, Math.floor(victim.length / 2)));
    events = [...events.slice(0, dieAfterEvents), ...(half === undefined ? [] : [half])];
    ending = 'die';
  }
  if (commentEveryEvents !== undefined) {
    events = events.flatMap((event, index) => (index % commentEveryEvents === 0 ? [comment, event] : [event]));
  }
  return { writes: events, ending };
}

function cutBytes(bytes: Buffer, cut: Cut): readonly Buffer[] {
  if (cut === 'lines') return splitLines(bytes);
  if (cut === 'bytes') return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
  if (typeof cut === 'object') return splitChunks(bytes, cut.chunks);
  return bytes.length === 0 ? [] : [bytes];
}

const countsEvents = (delivery: Delivery): boolean =>
  delivery.hangAfterEvents !== undefined || delivery.dieAfterEvents !== undefined;

/** Decides all writes of a body before the first goes out. */
export function planWrites(body: PlannedBody, delivery: Delivery): WritePlan {
  const events = planEvents(body, delivery);
  const cut = delivery.cut ?? (countsEvents(delivery) ? 'events' : 'whole');
  const limit = delivery.dieAfterBytes;
  if (cut === 'events' && limit === undefined) return events;
  const whole = Buffer.concat(events.writes);
  const bytes = limit === undefined ? whole : whole.subarray(0, limit);
  const writes = cut === 'events' ? splitEvents(bytes, body.framing) : cutBytes(bytes, cut);
  return { writes, ending: limit === undefined ? events.ending : 'die' };
}
