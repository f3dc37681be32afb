/** The showing of one stream event to one hook: `streamEventHook`, or a `postLLMHook` with `chunks`. */
import type { ErrorInfo, LLMOutcome, RequestHead, StreamEvent } from '@bifrost/sdk';
import { assertErrorInfo, assertStreamEvent, withOrigin } from './check-conversation.ts';
import { arrayAt, objectAt, onlyMembers } from './check-value.ts';
import type { HookEntry } from './hook-entry.ts';
import type { HookPass } from './hook-pass.ts';

/** What a `postLLMHook` is told beside the event. */
export interface StreamOutcome {
  readonly request: RequestHead;
  /** `performance.now()` at the attempt's start. */
  readonly startedAt: number;
}

const outcomeMembers = ['events', 'error'];

export class StreamEventPass implements HookPass {
  readonly target = undefined;
  readonly #event: StreamEvent;
  readonly #outcome: StreamOutcome;
  #replacement: readonly StreamEvent[] | undefined;
  #error: ErrorInfo | undefined;

  constructor(event: StreamEvent, outcome: StreamOutcome) {
    this.#event = event;
    this.#outcome = outcome;
  }

  input(entry: HookEntry): StreamEvent | LLMOutcome {
    if (entry.hook === 'streamEventHook') return this.#event;
    const { request, startedAt } = this.#outcome;
    return { request, statusCode: 200, latencyMs: performance.now() - startedAt, event: this.#event };
  }

  /** True where the hook put something else in the place of the event. */
  accept(entry: HookEntry, returned: unknown): boolean {
    const events = entry.hook === 'streamEventHook' ? returned : eventsOf(returned);
    if (events === undefined) return false;
    const isHook = entry.hook === 'streamEventHook';
    const list = arrayAt(events, isHook ? '' : 'events', 'an array of events (`[event]`; `[]` drops it)');
    for (let index = 0; index < list.length; index += 1) {
      if (list[index] !== this.#event) assertStreamEvent(list[index], `[${index}]`);
    }
    // Each was asserted just above.
    const made = list as readonly StreamEvent[];
    if (made.length === 1 && isSameEvent(made[0], this.#event)) return false;
    this.#replacement = made.map(withoutMark);
    return true;
  }

  deny(error: ErrorInfo): void {
    this.#error = error;
  }

  /** What the hook put in the place of the event; undefined where it left it. */
  get replacement(): readonly StreamEvent[] | undefined {
    return this.#replacement;
  }

  /** The hook must judge and could not. */
  get denial(): ErrorInfo | undefined {
    return this.#error;
  }
}

/** The events that a `postLLMHook` wants in the place of one; an error ends the stream. */
function eventsOf(returned: unknown): unknown {
  const result = objectAt(returned, '');
  onlyMembers(result, outcomeMembers, '');
  const { error } = result;
  if (error === undefined) return result['events'];
  assertErrorInfo(error, 'error');
  return [{ type: 'error', error: withOrigin(error) } satisfies StreamEvent];
}

/** A copy of the event is no change; members that are objects count as changed unless they are the same ones. */
function isSameEvent(made: StreamEvent | undefined, shown: StreamEvent): boolean {
  if (made === shown) return true;
  if (made === undefined) return false;
  const [left, right]: Readonly<Record<string, unknown>>[] = [{ ...made }, { ...shown }];
  for (const name of new Set([...Object.keys(made), ...Object.keys(shown)])) {
    if (name !== 'isLast' && left?.[name] !== right?.[name]) return false;
  }
  return true;
}

/** `isLast` is the host's word to the hook. */
function withoutMark(event: StreamEvent): StreamEvent {
  if (!('isLast' in event)) return event;
  const { isLast: _isLast, ...rest } = event;
  return rest;
}
