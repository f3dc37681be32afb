/** A host of one text part in few lines: keeps the newest text back, shows it again, lets the rest go. */
import type { Json, StreamEvent } from '@bifrost/sdk';
import type { ActiveDetector } from '../guard-config.ts';
import { windowCharacters } from '../guard-config.ts';
import { deltaOf, judgeDelta } from '../stream-guard.ts';

/** What a client receives, delta by delta, when the model writes `pieces`. */
export function streamThroughGuard(pieces: readonly string[], detectors: readonly ActiveDetector[]): readonly string[] {
  const state = new Map<string, Json>();
  const sent: string[] = [];
  let kept = '';
  const show = (text: string, isLast: boolean): string => {
    const event: StreamEvent = { type: 'text-delta', part: '0', text, ...(isLast ? { isLast } : {}) };
    const delta = deltaOf(event);
    if (delta === undefined) throw new TypeError('a text-delta has text');
    const { events } = judgeDelta(delta, { detectors, replacement: '[{name}]', state });
    return (events ?? [event]).map((one) => deltaOf(one)?.text ?? '').join('');
  };
  for (const piece of pieces) {
    const shown = show(kept + piece, false);
    const release = Math.max(0, shown.length - windowCharacters);
    sent.push(shown.slice(0, release));
    kept = shown.slice(release);
  }
  sent.push(show(kept, true));
  return sent.filter((text) => text !== '');
}
