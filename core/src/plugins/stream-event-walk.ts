/** The way of one stream event through the hooks: each may make none, one or several events of it, for the next hook to see. */
import type { StreamEvent } from '@bifrost/sdk';
import { StreamEventPass } from './llm-passes.ts';

/** The chain of `streamEventHook`s as this walk needs it. */
export interface EventChain {
  /** How many hooks there are. */
  readonly count: number;
  /** Calls the hooks from index `from` on; the index at which one replaced the event, -1 when none did. */
  readonly walk: (pass: StreamEventPass, from: number) => number | Promise<number>;
}

type Events = readonly StreamEvent[];

/** What the hooks from index `from` on make of `event`. A promise only where a hook returned one. */
export function walkEvent(event: StreamEvent, from: number, chain: EventChain): Events | Promise<Events> {
  const pass = new StreamEventPass(event);
  const stopped = chain.walk(pass, from);
  if (typeof stopped === 'number') return endOf(pass, event, { stopped, chain });
  return stopped.then((index) => endOf(pass, event, { stopped: index, chain }));
}

function endOf(
  pass: StreamEventPass,
  event: StreamEvent,
  { stopped, chain }: { readonly stopped: number; readonly chain: EventChain },
): Events | Promise<Events> {
  const { replacement } = pass;
  if (stopped === -1 || replacement === undefined) return [event];
  if (pass.isDenied || stopped + 1 >= chain.count) return replacement;
  return walkEach(replacement, stopped + 1, { chain, done: [] });
}

/** One event after the other, so that a plugin sees them in order even when another one waits. */
function walkEach(
  events: Events,
  from: number,
  { chain, done }: { readonly chain: EventChain; readonly done: Events },
): Events | Promise<Events> {
  const results = [...done];
  for (const [index, event] of events.entries()) {
    const walked = walkEvent(event, from, chain);
    if (walked instanceof Promise) {
      const rest = events.slice(index + 1);
      return walked.then((list) => walkEach(rest, from, { chain, done: [...results, ...list] }));
    }
    results.push(...walked);
  }
  return results;
}
