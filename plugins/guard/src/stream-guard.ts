/**
 * The guard of one stream. Each delta that the host shows begins with the text that is still kept back, so a hit is seen whole
 * before its first character leaves.
 */
import type { Json, StreamEvent } from '@bifrost/sdk';
import { windowCharacters } from './guard-config.ts';
import type { ActiveDetector } from './guard-config.ts';
import { judgeCitation, judgeValue } from './judge-conversation.ts';
import { redact, scan } from './scan.ts';
import type { Hit } from './scan.ts';
import { swallow, swallowingAt } from './swallow.ts';
import type { Swallowing } from './swallow.ts';

type DeltaEvent = Extract<
  StreamEvent,
  { readonly type: 'text-delta' | 'refusal-delta' | 'reasoning-delta' | 'tool-call-delta' }
>;

/** A piece of a part that carries text, with its text. */
export interface Delta {
  readonly event: DeltaEvent;
  readonly text: string;
}

/** The event with its text; undefined where it has none. */
export function deltaOf(event: StreamEvent): Delta | undefined {
  switch (event.type) {
    case 'text-delta':
    case 'refusal-delta':
    case 'reasoning-delta':
      return { event, text: event.text };
    case 'tool-call-delta':
      return { event, text: event.argumentsDelta };
    default:
      return undefined;
  }
}

function withText(event: DeltaEvent, text: string): StreamEvent {
  const { isLast: _isLast, ...delta } = event;
  if (delta.type === 'tool-call-delta') return { ...delta, argumentsDelta: text };
  if (delta.type !== 'text-delta') return { ...delta, text };
  // The tokens that the probabilities belong to are not those of the new text.
  const { logprobs: _logprobs, ...plain } = delta;
  return { ...plain, text };
}

/** What the guard found in one event. */
export interface EventVerdict {
  readonly hits: readonly Hit[];
  /** What is shown in the place of the event; undefined leaves it as it is. */
  readonly events?: readonly StreamEvent[];
}

export interface StreamGuardOptions {
  readonly detectors: readonly ActiveDetector[];
  readonly replacement: string;
  /** The plugin's state of this request. */
  readonly state: Map<string, Json>;
}

function remember(state: Map<string, Json>, key: string, swallowing: Swallowing | undefined): void {
  if (swallowing === undefined) state.delete(key);
  else state.set(key, { ...swallowing });
}

const unseen: EventVerdict = { hits: [] };

/** Judges one event as the host shows it: a delta with the text that is still kept back, or a part that only its dialect knows. */
export function judgeEvent(event: StreamEvent, options: StreamGuardOptions): EventVerdict {
  if (event.type === 'server-tool' || event.type === 'opaque') {
    const { hits, value } = judgeValue(event.value, options);
    return value === event.value ? { hits } : { hits, events: [{ ...event, value }] };
  }
  if (event.type === 'citation') {
    const { hits, value } = judgeCitation(event.citation, options);
    return value === event.citation ? { hits } : { hits, events: [{ ...event, citation: value }] };
  }
  const delta = deltaOf(event);
  return delta === undefined ? unseen : judgeDelta(delta, options);
}

/** Judges one delta as the host shows it: kept text and new text. */
export function judgeDelta({ event, text }: Delta, options: StreamGuardOptions): EventVerdict {
  const { detectors, replacement, state } = options;
  const key = `swallow ${event.candidate ?? 0} ${event.part}`;
  const isLast = event.isLast === true;
  const swallowing = swallowingAt(state, key);
  const rest = swallowing === undefined ? { text } : swallow(text, swallowing);
  if (rest.next !== undefined) {
    remember(state, key, isLast ? undefined : rest.next);
    return verdictOf(event, text, { shown: rest.text, hits: [] });
  }
  const keptFrom = Math.max(0, rest.text.length - windowCharacters);
  const hits = scan(rest.text, detectors, isLast ? {} : { keptFrom });
  const replaced = hits.filter(({ action }) => action === 'redact');
  const shown = redact(rest.text, replaced, replacement);
  const open = replaced.at(-1);
  const goesOn = !isLast && open !== undefined && open.end === rest.text.length;
  const until = open?.isArmour === true ? 'armour-end' : 'token-end';
  remember(state, key, goesOn ? { until, shown, taken: '' } : undefined);
  return verdictOf(event, text, { shown, hits });
}

function verdictOf(
  event: DeltaEvent,
  text: string,
  { shown, hits }: { readonly shown: string; readonly hits: readonly Hit[] },
): EventVerdict {
  if (shown === text) return { hits };
  return { hits, events: shown === '' ? [] : [withText(event, shown)] };
}
